// How fast this CPU multiplies and how fast its memory is, without anything else: the peaks that `diffit bench`
// compares operators with.
//
// Fourteen chains of multiply-adds keep two units busy at any latency seen so far, and together with their two
// operands they fit into the sixteen registers of AVX2. One more chain, and the loop would measure the stack.
#pragma STDC FP_CONTRACT OFF
#include "include/CKernels.h"

#define CHAINS 14

// 2 operations per lane and chain; `form` is a fused multiply-add or a product and a sum.
#define F32_PROBE(name, lanes, form)                                            \
  static int64_t name(int64_t rounds) {                                         \
    typedef float vector __attribute__((vector_size((lanes) * 4)));             \
    /* Sums tend to 2: no overflow, no denormals. Volatile: not known before. */ \
    volatile const float half = 0.5f, one = 1.0f;                               \
    const vector a = half - (vector){}, b = one - (vector){};                   \
    vector sums[CHAINS] = {};                                                   \
    for (int64_t round = 0; round < rounds; ++round)                            \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < CHAINS; ++i) {     \
        const vector s = sums[i];                                               \
        sums[i] = form;                                                         \
      }                                                                         \
    vector sum = {};                                                            \
    for (int i = 0; i < CHAINS; ++i) sum += sums[i];                            \
    volatile float sink = sum[0];                                               \
    (void)sink;                                                                 \
    return rounds * CHAINS * (lanes) * 2;                                       \
  }

F32_PROBE(f32_portable, 4, s *a + b)

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
F32_PROBE(f32_avx2, 8, __builtin_elementwise_fma(s, a, b))
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))), apply_to = function)
F32_PROBE(f32_avx512, 16, __builtin_elementwise_fma(s, a, b))
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16"))), apply_to = function)
// 16 lanes of two products and two sums.
static int64_t bf16_pairs(int64_t rounds) {
  volatile const int32_t half = 0x3f003f00;  // 0.5 twice
  const __m512bh a = (__m512bh)_mm512_set1_epi32(half), b = (__m512bh)_mm512_set1_epi32(half);
  __m512 sums[CHAINS] = {};
  for (int64_t round = 0; round < rounds; ++round)
    _Pragma("clang loop unroll(full)") for (int i = 0; i < CHAINS; ++i)
      sums[i] = _mm512_dpbf16_ps(sums[i], a, b);
  __m512 sum = _mm512_setzero_ps();
  for (int i = 0; i < CHAINS; ++i) sum += sums[i];
  volatile float sink = sum[0];
  (void)sink;
  return rounds * CHAINS * 16 * 4;
}
#pragma clang attribute pop

int64_t dk_probe_f32(dk_level level, int64_t rounds) {
  switch (level) {
    case DK_PORTABLE: return f32_portable(rounds);
    case DK_AVX2: return f32_avx2(rounds);
    default: return f32_avx512(rounds);
  }
}

int64_t dk_probe_bf16(dk_level level, int64_t rounds) {
  switch (level) {
    case DK_AVX512_BF16: return bf16_pairs(rounds);
    case DK_AMX: dk_amx_tile_loop(rounds); return rounds * 4 * 2 * 16 * 16 * 32;
    default: return dk_probe_f32(level, rounds);
  }
}
#else
int64_t dk_probe_f32(dk_level level, int64_t rounds) {
  (void)level;
  return f32_portable(rounds);
}
int64_t dk_probe_bf16(dk_level level, int64_t rounds) { return dk_probe_f32(level, rounds); }
#endif

void dk_probe_triad(const float *restrict a, const float *restrict b, float factor, int64_t begin, int64_t end,
                    float *restrict y) {
  for (int64_t i = begin; i < end; ++i) y[i] = a[i] + factor * b[i];
}
