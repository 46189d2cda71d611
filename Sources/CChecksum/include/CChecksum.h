typedef int CChecksum_pending;
