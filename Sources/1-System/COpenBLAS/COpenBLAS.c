#include "include/COpenBLAS.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

// Set by the repair, so that it is tried only once: a library that ignores the setting must not cause a loop.
static const char *const guard = "DIFFIT_OPENBLAS_CORE";

const char *copenblas_core(void) { return openblas_get_corename(); }

#if defined(__x86_64__)
// 2: AVX-512, 1: AVX2, 0: older. SapphireRapids counts as older: its kernels have been seen to hang.
static int level(const char *core) {
  static const char *const names[] = {"Haswell", "Zen", "SkylakeX", "Cooperlake"};
  for (int i = 0; i < 4; ++i)
    if (strcasecmp(core, names[i]) == 0) return 1 + i / 2;
  return 0;
}

const char *copenblas_better_core(void) {
  __builtin_cpu_init();  // CPUID, and whether the operating system saves the registers
  const char *best = NULL;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    best = "SkylakeX";
  else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    best = __builtin_cpu_is("amd") ? "Zen" : "Haswell";
  return best && level(copenblas_core()) < level(best) ? best : NULL;
}
#else
const char *copenblas_better_core(void) { return NULL; }
#endif

void copenblas_repair(char *const *argv) {
  openblas_set_num_threads(1);
  const char *better = copenblas_better_core();
  if (!better || getenv(guard) || !strstr(openblas_get_config(), "DYNAMIC_ARCH")) return;
  if (setenv("OPENBLAS_CORETYPE", better, 1) || setenv(guard, better, 1)) return;
  // First by its path, so that the process keeps its name. The link still works if the file was replaced.
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  if (length > 0) {
    path[length] = 0;
    execv(path, argv);
  }
  execv("/proc/self/exe", argv);
}

void copenblas_sgemm(int64_t m, int64_t n, int64_t k, const float *a, const float *b, float *c) {
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)m, (blasint)n, (blasint)k, 1.0f, a,
              (blasint)k, b, (blasint)n, 0.0f, c, (blasint)n);
}
