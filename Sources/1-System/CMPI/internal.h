// Included by both sources of the shim, so that mpi.h stays out of the public header.
#include <mpi.h>

#include "include/CMPI.h"

#define TRY(call) \
  do { \
    const int status_ = (call); \
    if (status_ != MPI_SUCCESS) return status_; \
  } while (0)
