// Activations, sums and dropout over flat ranges [begin, end).

static void add(const float *a, const float *b, int64_t begin, int64_t end, float *y) {
  FOR_VECTORS(begin, end) store_upto(y + i, load_upto(a + i, part) + load_upto(b + i, part), part);
}

// y = a x + b, b optional.
static void scale_add(float a, const float *x, const float *b, int64_t begin, int64_t end, float *y) {
  FOR_VECTORS(begin, end) {
    const vf v = load_upto(x + i, part);
    store_upto(y + i, b ? FMA(splat(a), v, load_upto(b + i, part)) : a * v, part);
  }
}

static void silu(const float *x, int64_t begin, int64_t end, float *y) {
  FOR_VECTORS(begin, end) {
    const vf v = load_upto(x + i, part);
    store_upto(y + i, v * sigmoid_of(v), part);
  }
}

// d silu(x) / dx = s (1 + x (1 - s)), s = sigmoid(x)
INLINE vf silu_slope(vf x) {
  const vf s = sigmoid_of(x);
  return s * FMA(x, 1.0f - s, splat(1.0f));
}

static void silu_gradient(const float *x, const float *dy, int64_t begin, int64_t end, float *dx) {
  FOR_VECTORS(begin, end)
  store_upto(dx + i, load_upto(dy + i, part) * silu_slope(load_upto(x + i, part)), part);
}

// GELU in its tanh form equals x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3).
#define GELU_LINEAR 1.5957691216f  // 2 sqrt(2 / pi)
#define GELU_CUBIC 0.0713548163f   // that times 0.044715

static void gelu(const float *x, int64_t begin, int64_t end, float *y) {
  FOR_VECTORS(begin, end) {
    const vf v = load_upto(x + i, part);
    const vf u = v * FMA(v * v, splat(GELU_CUBIC), splat(GELU_LINEAR));
    store_upto(y + i, v * sigmoid_of(u), part);
  }
}

static void gelu_gradient(const float *x, const float *dy, int64_t begin, int64_t end, float *dx) {
  FOR_VECTORS(begin, end) {
    const vf v = load_upto(x + i, part), square = v * v;
    const vf s = sigmoid_of(v * FMA(square, splat(GELU_CUBIC), splat(GELU_LINEAR)));
    const vf slope = FMA(square, splat(3 * GELU_CUBIC), splat(GELU_LINEAR));  // d 2u / dx
    store_upto(dx + i, load_upto(dy + i, part) * s * FMA(v * (1.0f - s), slope, splat(1.0f)), part);
  }
}

// High and low words of a 32 x 32 bit product.
INLINE void multiply_wide(vu a, uint32_t b, vu *high, vu *low) {
  const vu64 product = __builtin_convertvector(a, vu64) * (uint64_t)b;
  *high = __builtin_convertvector(product >> 32, vu);
  *low = a * b;
}

// DK_WIDTH Philox 4x32-10 blocks with consecutive first counter words.
INLINE void philox(uint32_t first, const uint32_t counter[3], const uint32_t key[2], vu word[4]) {
  vu c0, c1 = counter[0] - (vu){}, c2 = counter[1] - (vu){}, c3 = counter[2] - (vu){};
  for (int i = 0; i < DK_WIDTH; ++i) c0[i] = first + (uint32_t)i;
  uint32_t k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; ++round) {
    vu high0, low0, high1, low1;
    multiply_wide(c0, 0xD2511F53u, &high0, &low0);
    multiply_wide(c2, 0xCD9E8D57u, &high1, &low1);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  word[0] = c0, word[1] = c1, word[2] = c2, word[3] = c3;
}

// y = x scale where 16 random bits reach `threshold`, else 0. Element 128 c + 16 (2 w + h) + b takes
// half h of word w of Philox block 16 c + b: an order that no vector width shows. [begin, end) starts
// at a multiple of 128 elements of one sample.
static void dropout(const float *x, int64_t begin, int64_t end, const uint32_t counter[3],
                    const uint32_t key[2], uint32_t threshold, float scale, float *y) {
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
          if (part > 0) store_upto(y + i, load_upto(x + i, part) * factor, part);
        }
    }
  }
}

// Sum of (a - b)^2 over [begin, end), and d[i] = slope (a - b) where d is given.
static double squared_error(const float *a, const float *b, float slope, int64_t begin, int64_t end,
                            float *d) {
  double total = 0;
  for (int64_t block = begin; block < end; block += 4096) {
    const int64_t stop = block + 4096 < end ? block + 4096 : end;
    vf sum = {};
    FOR_VECTORS(block, stop) {
      const vf e = load_upto(a + i, part) - load_upto(b + i, part);
      sum = FMA(e, e, sum);
      if (d) store_upto(d + i, slope * e, part);
    }
    total += (double)sum_lanes(sum);
  }
  return total;
}

// Sum of squares of [begin, end) in f64; lane by lane, so that no width shows in the result.
static double squares(const float *x, int64_t begin, int64_t end) {
  double sum[16] = {0};
  for (int64_t i = begin; i < end; i += 16) {
    const int64_t part = end - i < 16 ? end - i : 16;
    for (int64_t j = 0; j < part; ++j) sum[j] += (double)x[i + j] * (double)x[i + j];
  }
  double total = 0;
  for (int j = 0; j < 16; ++j) total += sum[j];
  return total;
}
