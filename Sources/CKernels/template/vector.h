// The vector type of one instruction set. Included by portable.c, avx2.c and avx512.c, which define
// DK_WIDTH (floats a vector), DK_FMA (1 where the set has fused multiply-add), DK_PANEL (vectors a
// panel of the product) and DK_NAME(x).
//
// Contraction is off for the whole target: a product is fused only where FMA() is written. AVX2 and
// AVX-512 therefore give the same bits; the portable table, without FMA, differs in rounding only.

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "../include/CKernels.h"

typedef float vf __attribute__((vector_size(DK_WIDTH * 4)));
typedef int32_t vi __attribute__((vector_size(DK_WIDTH * 4)));
typedef uint32_t vu __attribute__((vector_size(DK_WIDTH * 4)));

#define INLINE static inline __attribute__((always_inline))

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
INLINE vf max_of(vf a, vf b) { return __builtin_elementwise_max(a, b); }
INLINE vf min_of(vf a, vf b) { return __builtin_elementwise_min(a, b); }
