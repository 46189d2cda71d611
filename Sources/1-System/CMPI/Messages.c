// Messages: broadcast, gather, and blocking or non-blocking reductions.
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
} requests;

static requests *room_for(int64_t count) {
  requests *all = malloc(sizeof *all + (size_t)count * sizeof(MPI_Request));
  if (all) all->count = 0;
  return all;
}

static int64_t parts_of(int64_t count, int64_t chunk) { return (count + chunk - 1) / chunk; }

int cmpi_start_sum(void *values, int64_t count, int64_t chunk, void **request) {
  requests *all = room_for(parts_of(count, chunk));
  if (!all) return MPI_ERR_NO_MEM;
  *request = all;
  for (int64_t at = 0; at < count; at += chunk) {
    TRY(MPI_Iallreduce(MPI_IN_PLACE, (float *)values + at, (int)smaller(chunk, count - at), MPI_FLOAT,
                       MPI_SUM, MPI_COMM_WORLD, &all->parts[all->count]));
    all->count += 1;
  }
  return MPI_SUCCESS;
}

int cmpi_start_exchange(const void *from, const int64_t *from_spans, void *to, const int64_t *to_spans,
                        int tag, int64_t chunk, void **request) {
  int rank, size;
  TRY(MPI_Comm_rank(MPI_COMM_WORLD, &rank));
  TRY(MPI_Comm_size(MPI_COMM_WORLD, &size));
  int64_t count = 0;
  for (int peer = 0; peer < size; peer++)
    count += parts_of(from_spans[2 * peer + 1], chunk) + parts_of(to_spans[2 * peer + 1], chunk);
  requests *all = room_for(count);
  if (!all) return MPI_ERR_NO_MEM;
  *request = all;
  // Each rank begins with its neighbour, so that they do not all send to the same rank at once.
  for (int step = 1; step < size; step++) {
    const int peer = (rank + size - step) % size;
    const int64_t start = to_spans[2 * peer], length = to_spans[2 * peer + 1];
    for (int64_t at = 0; at < length; at += chunk, all->count++)
      TRY(MPI_Irecv((char *)to + start + at, (int)smaller(chunk, length - at), MPI_BYTE, peer, tag,
                    MPI_COMM_WORLD, &all->parts[all->count]));
  }
  for (int step = 1; step < size; step++) {
    const int peer = (rank + step) % size;
    const int64_t start = from_spans[2 * peer], length = from_spans[2 * peer + 1];
    for (int64_t at = 0; at < length; at += chunk, all->count++)
      TRY(MPI_Isend((const char *)from + start + at, (int)smaller(chunk, length - at), MPI_BYTE, peer,
                    tag, MPI_COMM_WORLD, &all->parts[all->count]));
  }
  return MPI_SUCCESS;
}

static void release(void **request) {
  free(*request);
  *request = NULL;
}

int cmpi_test(void **request, int *done) {
  requests *all = *request;
  TRY(MPI_Testall(all->count, all->parts, done, MPI_STATUSES_IGNORE));
  if (*done) release(request);
  return MPI_SUCCESS;
}

int cmpi_wait(void **request) {
  requests *all = *request;
  TRY(MPI_Waitall(all->count, all->parts, MPI_STATUSES_IGNORE));
  release(request);
  return MPI_SUCCESS;
}
