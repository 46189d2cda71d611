// Activations, sums, conversions and dropout over flat ranges [begin, end).

static void T(add)(const void *va, const void *vb, int64_t begin, int64_t end, void *vy) {
  const element *a = va, *b = vb;
  element *y = vy;
  FOR_VECTORS(begin, end) store_upto(y + i, load_upto(a + i, part) + load_upto(b + i, part), part);
}

static void T(to_f32)(const void *vx, int64_t begin, int64_t end, float *y) {
  const element *x = vx;
  FOR_VECTORS(begin, end) store_upto(y + i, load_upto(x + i, part), part);
}

static void T(from_f32)(const float *x, int64_t begin, int64_t end, void *vy) {
  element *y = vy;
  FOR_VECTORS(begin, end) store_upto(y + i, load_upto(x + i, part), part);
}

static void T(silu)(const void *vx, int64_t begin, int64_t end, void *vy) {
  const element *x = vx;
  element *y = vy;
  FOR_VECTORS(begin, end) {
    const vf v = load_upto(x + i, part);
    store_upto(y + i, v * sigmoid_of(v), part);
  }
}

// d silu(x) / dx = s (1 + x (1 - s)), s = sigmoid(x)
INLINE vf T(silu_slope)(vf x) {
  const vf s = sigmoid_of(x);
  return s * FMA(x, 1.0f - s, splat(1.0f));
}

static void T(silu_gradient)(const void *vx, const void *vdy, int64_t begin, int64_t end, void *vdx) {
  const element *x = vx, *dy = vdy;
  element *dx = vdx;
  FOR_VECTORS(begin, end)
  store_upto(dx + i, load_upto(dy + i, part) * T(silu_slope)(load_upto(x + i, part)), part);
}

static void T(gelu)(const void *vx, int64_t begin, int64_t end, void *vy) {
  const element *x = vx;
  element *y = vy;
  FOR_VECTORS(begin, end) store_upto(y + i, gelu_of(load_upto(x + i, part)), part);
}

static void T(gelu_gradient)(const void *vx, const void *vdy, int64_t begin, int64_t end, void *vdx,
                             void *vy) {
  const element *x = vx, *dy = vdy;
  element *dx = vdx, *y = vy;
  FOR_VECTORS(begin, end) {
    const vf v = load_upto(x + i, part), s = gelu_sigmoid(v);
    const vf slope = FMA(v * v, splat(3 * GELU_CUBIC), splat(GELU_LINEAR));  // d 2u / dx
    const vf d = load_upto(dy + i, part) * s * FMA(v * (1.0f - s), slope, splat(1.0f));
    store_upto(dx + i, d, part);
    if (y) store_upto(y + i, v * s, part);
  }
}

static void T(leaky_relu)(const void *vx, float slope, int64_t begin, int64_t end, void *vy) {
  const element *x = vx;
  element *y = vy;
  FOR_VECTORS(begin, end) {
    const vf v = load_upto(x + i, part);
    store_upto(y + i, choose(v > (vf){}, v, slope * v), part);
  }
}

static void T(leaky_relu_gradient)(const void *vy, const void *vdy, float slope, int64_t begin, int64_t end,
                                   void *vdx) {
  const element *y = vy, *dy = vdy;
  element *dx = vdx;
  FOR_VECTORS(begin, end) {
    const vf d = load_upto(dy + i, part);
    store_upto(dx + i, choose(load_upto(y + i, part) > (vf){}, d, slope * d), part);
  }
}

// y = x scale where 16 random bits reach `threshold`, else 0, plus the addend. Element
// 128 c + 16 (2 w + h) + b takes half h of word w of Philox block 16 c + b: an order that no vector
// width shows. [begin, end) starts at a multiple of 128 elements of one sample.
static void T(dropout)(const float *x, const float *addend, int64_t begin, int64_t end,
                       const uint32_t counter[3], const uint32_t key[2], uint32_t threshold, float scale,
                       void *vy) {
  element *y = vy;
  for (int64_t chunk = begin; chunk < end; chunk += 128) {
    for (int lane = 0; lane < 16; lane += DK_WIDTH) {
      vu word[4];
      philox((uint32_t)(chunk / 8) + (uint32_t)lane, counter, key, word);
      for (int w = 0; w < 4; ++w)
        for (int half = 0; half < 2; ++half) {
          const vu bits = half ? word[w] >> 16 : word[w] & 0xffffu;
          const vf factor = (vf)((vi)(bits >= threshold) & (vi)splat(scale));
          const int64_t i = chunk + 16 * (2 * w + half) + lane;
          const int64_t part = end - i < DK_WIDTH ? end - i : DK_WIDTH;
          if (part <= 0) continue;
          vf v = load_upto(x + i, part) * factor;
          if (addend) v += load_upto(addend + i, part);
          store_upto(y + i, v, part);
        }
    }
  }
}
