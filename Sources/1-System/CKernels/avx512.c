// Kernels for x86-64 CPUs with AVX-512 (F, BW, DQ, VL).
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), apply_to = function)
#define DK_WIDTH 16
#define DK_FMA 1
#define DK_DOT 0
#define DK_PANEL 4
#define DK_NAME(x) x##avx512
#define DK_LABEL "avx512"
#include "template/all.h"
#pragma clang attribute pop
#endif
