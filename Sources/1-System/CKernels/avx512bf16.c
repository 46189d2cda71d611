// Kernels for x86-64 CPUs with AVX-512 that also multiply pairs of bf16 (AVX512_BF16).
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma"))), apply_to = function)
#define DK_WIDTH 16
#define DK_FMA 1
#define DK_DOT 1
#define DK_PANEL 4
#define DK_NAME(x) x##avx512bf16
#define DK_EXTENDS dk_table_avx512
#define DK_LABEL "avx512bf16"
#include "template/all.h"
#pragma clang attribute pop
#endif
