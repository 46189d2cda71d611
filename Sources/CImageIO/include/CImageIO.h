typedef int CImageIO_pending;
