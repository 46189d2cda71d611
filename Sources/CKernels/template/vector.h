// The vector type of one instruction set. Included by portable.c, avx2.c and avx512.c, which define
// DK_WIDTH (floats a vector), DK_FMA (1 where the set has fused multiply-add), DK_PANEL (vectors a
// panel of the product), DK_NAME(x) and DK_LABEL.
//
// Contraction is off for the whole target: a product is fused only where FMA() is written.

#include <stdint.h>
#include <string.h>

#include "../include/CKernels.h"

typedef float vf __attribute__((vector_size(DK_WIDTH * 4)));
typedef int32_t vi __attribute__((vector_size(DK_WIDTH * 4)));
typedef uint32_t vu __attribute__((vector_size(DK_WIDTH * 4)));
typedef uint64_t vu64 __attribute__((vector_size(DK_WIDTH * 8)));

#define INLINE static inline __attribute__((always_inline))

// Before a loop over the registers of a tile: only when every index is a constant do they stay registers.
#define UNROLL _Pragma("clang loop unroll(full)")

#if DK_FMA
#define FMA(a, b, c) __builtin_elementwise_fma((a), (b), (c))
#else
#define FMA(a, b, c) ((a) * (b) + (c))
#endif

INLINE vf load(const float *p) {
  vf v;
  memcpy(&v, p, sizeof v);
  return v;
}
INLINE void store(float *p, vf v) { memcpy(p, &v, sizeof v); }
INLINE vf splat(float x) { return x - (vf){}; }
INLINE vf load_part(const float *p, int64_t count) {
  vf v = {};
  memcpy(&v, p, (size_t)count * sizeof(float));
  return v;
}
INLINE void store_part(float *p, vf v, int64_t count) {
  memcpy(p, &v, (size_t)count * sizeof(float));
}
INLINE vf choose(vi mask, vf yes, vf no) { return (vf)((mask & (vi)yes) | (~mask & (vi)no)); }
INLINE float sum_lanes(vf v) {
  float sum = 0;
  for (int i = 0; i < DK_WIDTH; ++i) sum += v[i];
  return sum;
}
INLINE float max_lanes(vf v) {
  float most = v[0];
  for (int i = 1; i < DK_WIDTH; ++i) most = v[i] > most ? v[i] : most;
  return most;
}
INLINE vf root(vf v) { return __builtin_elementwise_sqrt(v); }

/// Runs `statement` for every vector of [begin, end): `i` is the first element, `part` how many there are.
#define FOR_VECTORS(begin, end)                                                      \
  for (int64_t i = (begin), part; part = (end) - i < DK_WIDTH ? (end) - i : DK_WIDTH, \
               i < (end);                                                            \
       i += DK_WIDTH)
INLINE vf load_upto(const float *p, int64_t part) {
  return part == DK_WIDTH ? load(p) : load_part(p, part);
}
INLINE void store_upto(float *p, vf v, int64_t part) {
  if (part == DK_WIDTH) store(p, v);
  else store_part(p, v, part);
}

// e^x to about 1 ulp: x = n ln 2 + r, |r| <= 0.347, a polynomial in r, times 2^n: a product, because adding n
// to the exponent's bits would make numbers of some NaNs. Saturates to about 2^-126 and 2^127. NaN stays NaN.
INLINE vf exp_of(vf x) {
  const vf low = splat(-87.3f), high = splat(88.3f);
  x = choose(x < low, low, x);
  x = choose(x > high, high, x);
  const float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer in the low bits
  const vf t = FMA(x, splat(1.44269504f), splat(magic));
  const vf n = t - magic;
  vf r = FMA(n, splat(-0.693359375f), x);
  r = FMA(n, splat(2.12194440e-4f), r);
  vf p = splat(1.9875691500e-4f);
  p = FMA(p, r, splat(1.3981999507e-3f));
  p = FMA(p, r, splat(8.3334519073e-3f));
  p = FMA(p, r, splat(4.1665795894e-2f));
  p = FMA(p, r, splat(1.6666665459e-1f));
  p = FMA(p, r, splat(5.0000001201e-1f));
  p = FMA(p * r, r, r) + 1.0f;
  return p * (vf)(((vi)t << 23) + (127 << 23));
}

INLINE vf sigmoid_of(vf x) { return 1.0f / (1.0f + exp_of(-x)); }
