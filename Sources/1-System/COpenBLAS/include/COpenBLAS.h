/// OpenBLAS behind plain C types, and the repair of its choice of core.
///
/// OpenBLAS picks its kernels by the CPU's model before main() runs; a CPU newer than the library, or
/// a hypervisor's model number, makes it fall back to kernels that are several times slower. It reads
/// OPENBLAS_CORETYPE at that moment only, so the repair is to set it and start the program again.
#ifndef DIFFIT_COPENBLAS_H
#define DIFFIT_COPENBLAS_H

#include <stdint.h>

/// The core whose kernels are loaded (`openblas_get_corename`).
const char *_Nonnull copenblas_core(void);
/// The core this CPU deserves; null where the loaded one cannot be bettered.
const char *_Nullable copenblas_better_core(void);

/// Makes OpenBLAS single-threaded: the trainer's own pool splits the work. Then, where there is a
/// better core, re-executes this program once with it; returns if nothing is to be done or the attempt
/// fails. The arguments come from /proc/self/cmdline. Call it first in main, before MPI starts and before any thread that matters. A process with
/// DIFFIT_OPENBLAS_CORE in its environment, which the repair sets, keeps the core it has.
void copenblas_repair(void);

/// c[m, n] = a[m, k] b[k, n], row-major and contiguous (`cblas_sgemm`).
void copenblas_sgemm(int64_t m, int64_t n, int64_t k, const float *_Nonnull a,
                     const float *_Nonnull b, float *_Nonnull c);

/// Makes the library single-threaded, without the repair: for programs that are not the trainer.
void copenblas_single_thread(void);

/// c[m, n] = op(a) op(b) + beta c in f64, row-major with rows `stride` elements apart (`cblas_dgemm`);
/// op transposes where asked to, and op(a) is [m, k], op(b) [k, n].
void copenblas_dgemm(int transposed_a, int transposed_b, int64_t m, int64_t n, int64_t k,
                     const double *_Nonnull a, int64_t a_stride, const double *_Nonnull b,
                     int64_t b_stride, double beta, double *_Nonnull c, int64_t c_stride);

/// c[m, n] = a[m, k] b[n, k]^T, row-major and contiguous (`cblas_sgemm`).
void copenblas_row_products(int64_t m, int64_t n, int64_t k, const float *_Nonnull a,
                            const float *_Nonnull b, float *_Nonnull c);

/// What `copenblas_eigen` returns where it finds no room to work in.
#define COPENBLAS_NO_MEMORY (-1000)

/// Eigenvalues of a symmetric a[n, n], ascending, into values[n] (LAPACK's `dsyevd`). With `vectors`
/// row i of a becomes the unit eigenvector of values[i], without a is destroyed. Returns 0, LAPACK's
/// info where the iteration does not converge, or COPENBLAS_NO_MEMORY.
int copenblas_eigen(int64_t n, int vectors, double *_Nonnull a, double *_Nonnull values);

/// Least squares of a x - b for a[n][m], column after column, of full rank, m >= n (LAPACK's `dgels`, by a QR
/// factorisation). On return b[m] begins with the n elements of x, and element i of column i is that of the
/// diagonal of R. Returns 0, LAPACK's info where that diagonal holds an exact zero, or COPENBLAS_NO_MEMORY.
int copenblas_least_squares(int64_t m, int64_t n, double *_Nonnull a, double *_Nonnull b);

#endif
