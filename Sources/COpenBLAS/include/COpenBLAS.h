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
/// fails. Call it first in main, before MPI starts and before any thread that matters. A process with
/// DIFFIT_OPENBLAS_CORE in its environment, which the repair sets, keeps the core it has.
void copenblas_repair(char *_Nullable const *_Nonnull argv);

/// c[m, n] = a[m, k] b[k, n], row-major and contiguous (`cblas_sgemm`).
void copenblas_sgemm(int64_t m, int64_t n, int64_t k, const float *_Nonnull a,
                     const float *_Nonnull b, float *_Nonnull c);

#endif
