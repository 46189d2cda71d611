// Kernels for x86-64 CPUs with AVX2 and FMA.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define DK_WIDTH 8
#define DK_FMA 1
#define DK_DOT 0
#define DK_PANEL 2
#define DK_NAME(x) x##avx2
#define DK_LABEL "avx2"
#include "template/all.h"
#pragma clang attribute pop
#endif
