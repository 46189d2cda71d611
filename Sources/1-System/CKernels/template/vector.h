// The vector type of one instruction set, and how both element types are read and written. Included
// by the file of each instruction set, which defines DK_WIDTH (floats a vector), DK_FMA (1 where the
// set has fused multiply-add), DK_DOT (1 where it multiplies pairs of bf16), DK_PANEL (vectors a panel
// of the product), DK_NAME(x) and DK_LABEL.
//
// Contraction is off: a product is fused with a sum only where FMA() is written, whatever flags the compiler is
// given. Square roots are __builtin_elementwise_sqrt, which sets no errno.
#pragma STDC FP_CONTRACT OFF

#include <stdint.h>
#include <string.h>

#if DK_WIDTH == 16
#include <immintrin.h>
#endif

#include "../include/CKernels.h"

typedef float vf __attribute__((vector_size(DK_WIDTH * 4)));
typedef int32_t vi __attribute__((vector_size(DK_WIDTH * 4)));
typedef uint32_t vu __attribute__((vector_size(DK_WIDTH * 4)));
typedef uint64_t vu64 __attribute__((vector_size(DK_WIDTH * 8)));
typedef uint16_t vh __attribute__((vector_size(DK_WIDTH * 2)));

#define INLINE static inline __attribute__((always_inline))
#define OVERLOADED INLINE __attribute__((overloadable))

// Before a loop over the registers of a tile: only when every index is a constant do they stay registers.
#define UNROLL _Pragma("clang loop unroll(full)")

#if DK_FMA
#define FMA(a, b, c) __builtin_elementwise_fma((a), (b), (c))
#else
#define FMA(a, b, c) ((a) * (b) + (c))
#endif

INLINE vf choose(vi mask, vf yes, vf no) { return (vf)((mask & (vi)yes) | (~mask & (vi)no)); }
INLINE vf at_least(vf x, vf least) { return choose(x < least, least, x); }  // NaN stays NaN

// ---- f32

OVERLOADED vf load(const float *p) {
  vf v;
  memcpy(&v, p, sizeof v);
  return v;
}
OVERLOADED void store(float *p, vf v) { memcpy(p, &v, sizeof v); }
OVERLOADED vf load_part(const float *p, int64_t count) {
  vf v = {};
  memcpy(&v, p, (size_t)count * sizeof(float));
  return v;
}
OVERLOADED void store_part(float *p, vf v, int64_t count) { memcpy(p, &v, (size_t)count * sizeof(float)); }
INLINE vf splat(float x) { return x - (vf){}; }

// ---- bf16: the upper half of an f32, rounded to the nearest, ties to even; NaN stays NaN

INLINE vf widen(vh h) { return (vf)(__builtin_convertvector(h, vu) << 16); }
INLINE vh narrow(vf v) {
#if DK_DOT
  return (vh)_mm512_cvtneps_pbh((__m512)v);
#else
  const vu u = (vu)v;
  const vu rounded = u + 0x7fffu + (u >> 16 & 1u);
  const vu quiet = u | 0x400000u;
  const vu whole = (vu)choose(v != v, (vf)quiet, (vf)rounded);
  return __builtin_convertvector(whole >> 16, vh);
#endif
}
OVERLOADED vf load(const dk_bf16 *p) {
  vh h;
  memcpy(&h, p, sizeof h);
  return widen(h);
}
OVERLOADED void store(dk_bf16 *p, vf v) {
  const vh h = narrow(v);
  memcpy(p, &h, sizeof h);
}
OVERLOADED vf load_part(const dk_bf16 *p, int64_t count) {
  vh h = {};
  memcpy(&h, p, (size_t)count * sizeof(dk_bf16));
  return widen(h);
}
OVERLOADED void store_part(dk_bf16 *p, vf v, int64_t count) {
  const vh h = narrow(v);
  memcpy(p, &h, (size_t)count * sizeof(dk_bf16));
}

// ---- either

/// Runs `statement` for every vector of [begin, end): `i` is the first element, `part` how many there are.
#define FOR_VECTORS(begin, end)                                                      \
  for (int64_t i = (begin), part; part = (end) - i < DK_WIDTH ? (end) - i : DK_WIDTH, \
               i < (end);                                                            \
       i += DK_WIDTH)
#define LOAD_STORE_UPTO(element)                                                                 \
  OVERLOADED vf load_upto(const element *p, int64_t part) {                                      \
    return part == DK_WIDTH ? load(p) : load_part(p, part);                                      \
  }                                                                                              \
  OVERLOADED void store_upto(element *p, vf v, int64_t part) {                                   \
    if (part == DK_WIDTH) store(p, v);                                                           \
    else store_part(p, v, part);                                                                 \
  }
LOAD_STORE_UPTO(float)
LOAD_STORE_UPTO(dk_bf16)

// Sum and maximum over lanes, halves first.
INLINE float sum_lanes(vf v) {
  float a[DK_WIDTH];
  memcpy(a, &v, sizeof a);
  UNROLL for (int half = DK_WIDTH / 2; half > 0; half /= 2)
    UNROLL for (int i = 0; i < half; ++i) a[i] += a[i + half];
  return a[0];
}
INLINE float max_lanes(vf v) {
  float a[DK_WIDTH];
  memcpy(a, &v, sizeof a);
  UNROLL for (int half = DK_WIDTH / 2; half > 0; half /= 2)
    UNROLL for (int i = 0; i < half; ++i) a[i] = a[i + half] > a[i] ? a[i + half] : a[i];
  return a[0];
}
INLINE vf root(vf v) { return __builtin_elementwise_sqrt(v); }

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

// 1 / x for x in [1, 2^127]: to about 1 ulp where a division would take as long as the rest.
INLINE vf reciprocal(vf x) {
#if DK_WIDTH == 16
  const vf r = (vf)__builtin_ia32_rcp14ps512_mask((__m512)x, (__m512){}, (unsigned short)-1);
  return FMA(FMA(-x, r, splat(1.0f)), r, r);
#else
  return 1.0f / x;
#endif
}

INLINE vf sigmoid_of(vf x) { return reciprocal(1.0f + exp_of(-x)); }

// GELU in its tanh form equals x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3).
#define GELU_LINEAR 1.5957691216f  // 2 sqrt(2 / pi)
#define GELU_CUBIC 0.0713548163f   // that times 0.044715
INLINE vf gelu_sigmoid(vf x) {
  return sigmoid_of(x * FMA(x * x, splat(GELU_CUBIC), splat(GELU_LINEAR)));
}
INLINE vf gelu_of(vf x) { return x * gelu_sigmoid(x); }
