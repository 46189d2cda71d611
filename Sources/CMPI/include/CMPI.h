typedef int CMPI_pending;
