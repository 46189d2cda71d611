// The kernels of amx.c on tiles in plain C, to the bit: for tests on CPUs without AMX.
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma"))), apply_to = function)
#define DK_WIDTH 16
#define DK_FMA 1
#define DK_DOT 1
#define DK_TILES 1
#define DK_TILES_EMULATED 1
#define DK_PANEL 4
#define DK_NAME(x) x##amx_emulated
#define DK_EXTENDS dk_table_avx512bf16
#define DK_LABEL "amx-emulated"
#include "template/all.h"
#pragma clang attribute pop
#endif
