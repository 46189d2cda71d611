// The operands of one step of a product: in f32 one element of the reduction, in bf16 a pair of them.
// Weights and the right-hand sides of weight gradients are packed so that a vector holds the same step
// of DK_WIDTH columns.

// ---- f32

#define STEP_f32 1
typedef float packed_f32;  // what a panel is made of: one step of one column
typedef vf weight_f32;
typedef vf input_f32;
INLINE weight_f32 load_weight_f32(const packed_f32 *p) { return load(p); }
INLINE input_f32 load_input_f32(const float *row, int64_t step) { return splat(row[step]); }
INLINE input_f32 last_input_f32(const float *row, int64_t step) { return splat(row[step]); }
INLINE input_f32 staged_input_f32(packed_f32 step) { return splat(step); }
INLINE vf multiply_f32(input_f32 x, weight_f32 w, vf sum) { return FMA(x, w, sum); }

// ---- bf16: the upper element of a pair is added first, as vdpbf16ps does

#define STEP_bf16 2
typedef uint32_t packed_bf16;
INLINE uint32_t pair_at(const void *p) {
  uint32_t pair;
  memcpy(&pair, p, sizeof pair);
  return pair;
}
#if DK_DOT
typedef vu weight_bf16;
typedef vu input_bf16;
INLINE weight_bf16 load_weight_bf16(const packed_bf16 *p) {
  vu w;
  memcpy(&w, p, sizeof w);
  return w;
}
INLINE input_bf16 input_of_pair(uint32_t pair) { return pair - (vu){}; }
INLINE vf multiply_bf16(input_bf16 x, weight_bf16 w, vf sum) {
  return (vf)_mm512_dpbf16_ps((__m512)sum, (__m512bh)x, (__m512bh)w);
}
#else
typedef struct {
  vf low, high;
} weight_bf16;
typedef weight_bf16 input_bf16;
INLINE weight_bf16 load_weight_bf16(const packed_bf16 *p) {
  vu w;
  memcpy(&w, p, sizeof w);
  return (weight_bf16){(vf)(w << 16), (vf)(w & 0xffff0000u)};
}
INLINE input_bf16 input_of_pair(uint32_t pair) {
  const vu x = pair - (vu){};
  return (input_bf16){(vf)(x << 16), (vf)(x & 0xffff0000u)};
}
INLINE vf multiply_bf16(input_bf16 x, weight_bf16 w, vf sum) {
  return FMA(x.low, w.low, FMA(x.high, w.high, sum));
}
#endif
INLINE input_bf16 load_input_bf16(const dk_bf16 *row, int64_t step) {
  return input_of_pair(pair_at(row + 2 * step));
}
INLINE input_bf16 staged_input_bf16(packed_bf16 step) { return input_of_pair(step); }
// The last of an odd number of elements; the element behind it is not read.
INLINE input_bf16 last_input_bf16(const dk_bf16 *row, int64_t step) {
  return input_of_pair(row[2 * step]);
}
