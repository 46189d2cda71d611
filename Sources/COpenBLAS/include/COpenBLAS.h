typedef int COpenBLAS_pending;
