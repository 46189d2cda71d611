// Kernels for x86-64 CPUs with AMX: products of bf16 on tiles, the rest as avx512bf16.c.
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma,amx-tile,amx-bf16"))), apply_to = function)
#define DK_WIDTH 16
#define DK_FMA 1
#define DK_DOT 1
#define DK_TILES 1
#define DK_PANEL 4
#define DK_NAME(x) x##amx
#define DK_EXTENDS dk_table_avx512bf16
#define DK_LABEL "amx"
#include "template/all.h"

void dk_amx_tile_loop(int64_t iterations) {
  dk_bf16 operands[4 * TILE_ROWS * TILE_DEPTH] __attribute__((aligned(64)));
  for (int i = 0; i < 4 * TILE_ROWS * TILE_DEPTH; ++i) operands[i] = (dk_bf16)(0x3c00 + i % 64);
  float sums[TILE_WORDS] __attribute__((aligned(64)));
  tile_registers tiles;
  tile_configure(&tiles);
  for (int64_t i = 0; i < iterations; ++i) {
    tile_load(&tiles, 4, operands, TILE_BYTES);
    tile_load(&tiles, 6, operands + 2 * TILE_ROWS * TILE_DEPTH, TILE_BYTES);
    tile_dot(&tiles, 0, 4, 6);
    tile_load(&tiles, 7, operands + 3 * TILE_ROWS * TILE_DEPTH, TILE_BYTES);
    tile_dot(&tiles, 1, 4, 7);
    tile_load(&tiles, 5, operands + TILE_ROWS * TILE_DEPTH, TILE_BYTES);
    tile_dot(&tiles, 2, 5, 6);
    tile_dot(&tiles, 3, 5, 7);
  }
  tile_store(&tiles, 0, sums, TILE_BYTES);
  tile_release(&tiles);
}
#pragma clang attribute pop
#else
#include "include/CKernels.h"
void dk_amx_tile_loop(int64_t iterations) { (void)iterations; }
#endif
