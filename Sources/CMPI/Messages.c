// Messages: broadcast, gather, reductions at once or in flight.
#include <stdlib.h>

#include "internal.h"

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

int cmpi_barrier(void) { return MPI_Barrier(MPI_COMM_WORLD); }

int cmpi_broadcast(void *bytes, int64_t count, int64_t chunk, int root) {
  for (int64_t at = 0; at < count; at += chunk)
    TRY(MPI_Bcast((char *)bytes + at, (int)smaller(chunk, count - at), MPI_BYTE, root,
                  MPI_COMM_WORLD));
  return MPI_SUCCESS;
}

int cmpi_gather(const void *mine, int64_t count, int64_t chunk, void *all) {
  for (int64_t at = 0; at < count; at += chunk) {
    const int part = (int)smaller(chunk, count - at);
    MPI_Datatype block, strided;  // `part` bytes, and the same repeated every `count` bytes
    TRY(MPI_Type_contiguous(part, MPI_BYTE, &block));
    TRY(MPI_Type_create_resized(block, 0, (MPI_Aint)count, &strided));
    TRY(MPI_Type_commit(&strided));
    TRY(MPI_Allgather((const char *)mine + at, part, MPI_BYTE, (char *)all + at, 1, strided,
                      MPI_COMM_WORLD));
    TRY(MPI_Type_free(&strided));
    TRY(MPI_Type_free(&block));
  }
  return MPI_SUCCESS;
}

int cmpi_reduce(void *values, int64_t count, int64_t chunk, int type, int reduction) {
  const MPI_Datatype mpi_type = type == CMPI_F32 ? MPI_FLOAT : type == CMPI_F64 ? MPI_DOUBLE : MPI_INT64_T;
  const MPI_Op op = reduction == CMPI_SUM ? MPI_SUM : reduction == CMPI_MIN ? MPI_MIN : MPI_MAX;
  const int64_t size = type == CMPI_F32 ? 4 : 8;
  for (int64_t at = 0; at < count; at += chunk)
    TRY(MPI_Allreduce(MPI_IN_PLACE, (char *)values + at * size, (int)smaller(chunk, count - at),
                      mpi_type, op, MPI_COMM_WORLD));
  return MPI_SUCCESS;
}

typedef struct {
  int count;
  MPI_Request parts[];
} sums;

int cmpi_start_sum(void *values, int64_t count, int64_t chunk, void **request) {
  sums *all = malloc(sizeof *all + (size_t)((count + chunk - 1) / chunk) * sizeof(MPI_Request));
  if (!all) return MPI_ERR_NO_MEM;
  *request = all;
  all->count = 0;
  for (int64_t at = 0; at < count; at += chunk) {
    TRY(MPI_Iallreduce(MPI_IN_PLACE, (float *)values + at, (int)smaller(chunk, count - at), MPI_FLOAT,
                       MPI_SUM, MPI_COMM_WORLD, &all->parts[all->count]));
    all->count += 1;
  }
  return MPI_SUCCESS;
}

static void release(void **request) {
  free(*request);
  *request = NULL;
}

int cmpi_test(void **request, int *done) {
  sums *all = *request;
  TRY(MPI_Testall(all->count, all->parts, done, MPI_STATUSES_IGNORE));
  if (*done) release(request);
  return MPI_SUCCESS;
}

int cmpi_wait(void **request) {
  sums *all = *request;
  TRY(MPI_Waitall(all->count, all->parts, MPI_STATUSES_IGNORE));
  release(request);
  return MPI_SUCCESS;
}
