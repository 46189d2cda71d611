/// OpenBLAS behind plain C types, and a repair for a wrong choice of kernels.
///
/// OpenBLAS picks its kernels by the CPU's model number before main() runs. With a CPU newer than the library, or
/// the model number of a hypervisor, it falls back to kernels that are several times slower. It reads
/// OPENBLAS_CORETYPE only at that moment, so the repair sets it and starts the program again.
#ifndef DIFFIT_COPENBLAS_H
#define DIFFIT_COPENBLAS_H

#include <stdint.h>

/// The core whose kernels are loaded (`openblas_get_corename`).
const char *_Nonnull copenblas_core(void);
/// The core type that suits this CPU better; null if the loaded one is the best.
const char *_Nullable copenblas_better_core(void);

/// Makes OpenBLAS single-threaded, because our own thread pool splits the work. Then, if there is a better core
/// type, it executes this program again, once, with that type and the arguments in /proc/self/cmdline; it
/// returns if there is nothing to do or the attempt fails. Call it first in main, before MPI and before any other
/// thread starts. A process with DIFFIT_OPENBLAS_CORE in its environment, which the repair sets, keeps the core
/// type it has.
void copenblas_repair(void);

/// c[m, n] = a[m, k] b[k, n], row-major and contiguous (`cblas_sgemm`).
void copenblas_sgemm(int64_t m, int64_t n, int64_t k, const float *_Nonnull a,
                     const float *_Nonnull b, float *_Nonnull c);

/// Makes the library single-threaded, without the repair; for other programs than `diffit`.
void copenblas_single_thread(void);

/// c[m, n] = op(a) op(b) + beta c in f64, row-major with rows `stride` elements apart (`cblas_dgemm`). op is the
/// transpose if requested, else nothing; op(a) is [m, k] and op(b) is [k, n].
void copenblas_dgemm(int transposed_a, int transposed_b, int64_t m, int64_t n, int64_t k,
                     const double *_Nonnull a, int64_t a_stride, const double *_Nonnull b,
                     int64_t b_stride, double beta, double *_Nonnull c, int64_t c_stride);

/// c[m, n] = a[m, k] b[n, k]^T, row-major and contiguous (`cblas_sgemm`).
void copenblas_row_products(int64_t m, int64_t n, int64_t k, const float *_Nonnull a,
                            const float *_Nonnull b, float *_Nonnull c);

/// The status if there is no memory for the work space.
#define COPENBLAS_NO_MEMORY (-1000)

/// The eigenvalues of a symmetric a[n, n], ascending, into values[n] (LAPACK's `dsyevd`). With `vectors`, row i of a
/// becomes the unit eigenvector of values[i]; without, a is overwritten. Returns 0, LAPACK's info if the
/// iteration does not converge, or COPENBLAS_NO_MEMORY.
int copenblas_eigen(int64_t n, int vectors, double *_Nonnull a, double *_Nonnull values);

/// The least-squares solution x of a x = b, for a[n][m] stored column after column, of full rank, m >= n (LAPACK's
/// `dgels`, by a QR factorisation). On return b[m] begins with the n elements of x, and element i of column i of
/// a is that of the diagonal of R. Returns 0, LAPACK's info if that diagonal contains an exact zero, or
/// COPENBLAS_NO_MEMORY.
int copenblas_least_squares(int64_t m, int64_t n, double *_Nonnull a, double *_Nonnull b);

#endif
