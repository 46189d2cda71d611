#include "include/COpenBLAS.h"

#include <cblas.h>
#include <stdio.h>
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

// The words of this process, ended by a null pointer; from the kernel, because a library may have moved
// what main was given. Null where they cannot be read. Nothing is freed: the program starts again with them.
static char **own_arguments(void) {
  FILE *file = fopen("/proc/self/cmdline", "r");
  if (!file) return NULL;
  size_t size = 0, room = 1 << 16;
  char *text = malloc(room + 1);
  for (size_t count; text && (count = fread(text + size, 1, room - size, file)) > 0;) {
    size += count;
    if (size == room) text = realloc(text, (room *= 2) + 1);
  }
  fclose(file);
  if (!text || size == 0) return NULL;
  text[size] = 0;
  size_t words = 0;
  for (size_t i = 0; i < size; ++i) words += text[i] == 0;
  char **argv = calloc(words + 2, sizeof *argv);
  if (!argv) return NULL;
  size_t n = 0;
  for (char *word = text; word < text + size; word += strlen(word) + 1) argv[n++] = word;
  return argv;
}

void copenblas_repair(void) {
  openblas_set_num_threads(1);
  const char *better = copenblas_better_core();
  if (!better || getenv(guard) || !strstr(openblas_get_config(), "DYNAMIC_ARCH")) return;
  char **argv = own_arguments();
  if (!argv) return;
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
