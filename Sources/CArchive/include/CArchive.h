typedef int CArchive_pending;
