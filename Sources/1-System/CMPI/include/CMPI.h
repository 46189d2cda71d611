/// MPI behind plain C types. MPI's handles are macros over globals that differ between libraries, so only the
/// sources include mpi.h, and Swift sees the same functions for Open MPI and MPICH.
///
/// Every function returns 0 or an MPI error code, which `cmpi_error_text` explains. All ranks of
/// MPI_COMM_WORLD take part in each operation. Counts are numbers of elements (of bytes for void data). A
/// message of more than `chunk` elements is cut, because MPI counts in int; 0 < chunk <= 2^30.
/// Only one thread at a time may call (MPI_THREAD_SERIALIZED); it need not be the one that started MPI.
#ifndef DIFFIT_CMPI_H
#define DIFFIT_CMPI_H

#include <stddef.h>
#include <stdint.h>

enum { CMPI_F32, CMPI_F64, CMPI_I64 };  // element types
enum { CMPI_SUM, CMPI_MIN, CMPI_MAX };  // reductions

/// MPI_Init_thread, and MPI_ERRORS_RETURN for everything that follows.
int cmpi_init(void);
/// MPI_Finalize.
int cmpi_finalize(void);
/// MPI_Abort: ends every rank with this exit code.
int cmpi_abort(int code);
/// The calling rank and the number of ranks, in the job and among the ranks that share memory (of one host).
int cmpi_ranks(int *_Nonnull rank, int *_Nonnull size, int *_Nonnull local_rank,
               int *_Nonnull local_size);

/// The library's text for an error code. Texts are cut to `capacity` bytes, with a zero at the end.
int cmpi_error_text(int status, void *_Nonnull text, size_t capacity);
/// MPI_Get_library_version; works before `cmpi_init`.
int cmpi_version(void *_Nonnull text, size_t capacity);
/// The value of a text setting of the library (MPI_T control variable), as set by files, the environment and the
/// command line; works before `cmpi_init`. `name` is zero-terminated.
int cmpi_setting(const void *_Nonnull name, void *_Nonnull text, size_t capacity);

/// MPI_Barrier.
int cmpi_barrier(void);
/// MPI_Bcast: overwrites the bytes with those of rank `root`.
int cmpi_broadcast(void *_Nonnull bytes, int64_t count, int64_t chunk, int root);
/// MPI_Allgather: the `count` bytes of rank r arrive at all + r * count, on every rank.
int cmpi_gather(const void *_Nonnull mine, int64_t count, int64_t chunk, void *_Nonnull all);
/// MPI_Allreduce, in place.
int cmpi_reduce(void *_Nonnull values, int64_t count, int64_t chunk, int type, int reduction);

/// Starts an f32 sum in place; `values` must remain valid until the request is complete. A request advances
/// only inside calls of this library.
int cmpi_start_sum(void *_Nonnull values, int64_t count, int64_t chunk,
                   void *_Nullable *_Nonnull request);
/// Starts sending bytes to, and receiving bytes from, every other rank; the amount may differ for each pair of ranks.
/// Spans are (start, length) in bytes, one per rank; those of the calling rank are ignored. What one rank
/// sends, the other must receive under the same `tag` (0 to 32767). Messages of one tag arrive in order.
int cmpi_start_exchange(const void *_Nonnull from, const int64_t *_Nonnull from_spans,
                        void *_Nonnull to, const int64_t *_Nonnull to_spans, int tag, int64_t chunk,
                        void *_Nullable *_Nonnull request);
/// Sets `done` to whether the request is complete; if it is, it is freed and set to null.
int cmpi_test(void *_Nullable *_Nonnull request, int *_Nonnull done);
/// Returns when the request is complete; it is freed and set to null.
int cmpi_wait(void *_Nullable *_Nonnull request);

#endif
