// What a step computes outside of the network, on flat ranges [begin, end) of f32.

// y = a x + b, b optional.
static void scale_add(float a, const float *x, const float *b, int64_t begin, int64_t end, float *y) {
  FOR_VECTORS(begin, end) {
    const vf v = load_upto(x + i, part);
    store_upto(y + i, b ? FMA(splat(a), v, load_upto(b + i, part)) : a * v, part);
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

// Sum of |a - b| over [begin, end), and d[i] = slope sign(a - b) where d is given.
static double absolute_error(const float *a, const float *b, float slope, int64_t begin, int64_t end,
                             float *d) {
  double total = 0;
  for (int64_t block = begin; block < end; block += 4096) {
    const int64_t stop = block + 4096 < end ? block + 4096 : end;
    vf sum = {};
    FOR_VECTORS(block, stop) {
      const vf e = load_upto(a + i, part) - load_upto(b + i, part);
      const vi below = e < (vf){}, above = e > (vf){};
      sum += choose(below, -e, e);
      if (d) store_upto(d + i, choose(below, splat(-slope), choose(above, splat(slope), e)), part);
    }
    total += (double)sum_lanes(sum);
  }
  return total;
}

// 1 / (|x| + epsilon) of a row, and |x|.
INLINE float unit_scale(const float *x, int64_t channels, float epsilon, float *norm) {
  vf sum = {};
  FOR_VECTORS(0, channels) {
    const vf v = load_upto(x + i, part);
    sum = FMA(v, v, sum);
  }
  *norm = __builtin_elementwise_sqrt(sum_lanes(sum));
  return 1.0f / (*norm + epsilon);
}

// With u = x s, s = 1 / (|x| + epsilon), and g the gradient of a row's distance with respect to u:
// dx = g s - x (g x) s^2 / |x|.
static double unit_distance(const float *x, const float *y, const float *w, float epsilon, int64_t channels,
                            int64_t begin, int64_t end, float slope, float *dx) {
  double total = 0;
  for (int64_t row = begin; row < end; ++row) {
    const int64_t at = row * channels;
    float length, other;
    const float s = unit_scale(x + at, channels, epsilon, &length);
    const float r = unit_scale(y + at, channels, epsilon, &other);
    vf sum = {}, along = {};
    FOR_VECTORS(0, channels) {
      const vf v = load_upto(x + at + i, part);
      const vf e = s * v - r * load_upto(y + at + i, part), we = load_upto(w + i, part) * e;
      sum = FMA(we, e, sum);
      along = FMA(we, v, along);
    }
    total += (double)sum_lanes(sum);
    if (!dx) continue;
    const float g = length > 0 ? 2 * slope * s : 0;
    const vf back = splat(length > 0 ? sum_lanes(along) * s / length : 0);
    FOR_VECTORS(0, channels) {
      const vf v = load_upto(x + at + i, part);
      const vf e = s * v - r * load_upto(y + at + i, part), we = load_upto(w + i, part) * e;
      store_upto(dx + at + i, g * FMA(-back, v, we), part);
    }
  }
  return total;
}

// Sum of squares of [begin, end) in f64, in 16 partial sums, so that the result does not depend on the vector width.
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

// Adam (Kingma and Ba, arXiv:1412.6980) with decoupled weight decay (arXiv:1711.05101), and averages of the new
// weights. Weights, moments and averages are read and written only once.
static void update(const dk_adam *a, const dk_average *averages, int64_t average_count, int64_t begin,
                   int64_t end, const float *g, float *m, float *v, float *w) {
  const dk_adam h = *a;
  FOR_VECTORS(begin, end) {
    const vf d = load_upto(g + i, part) * h.factor;
    const vf m0 = load_upto(m + i, part);
    const vf m1 = FMA(splat(h.gain1), d - m0, m0);
    const vf v1 = FMA(h.gain2 * d, d, h.beta2 * load_upto(v + i, part));
    const vf w1 = h.decay * load_upto(w + i, part) - h.step * m1 / (root(v1) / h.root2 + h.epsilon);
    store_upto(m + i, m1, part);
    store_upto(v + i, v1, part);
    store_upto(w + i, w1, part);
    for (int64_t k = 0; k < average_count; ++k) {
      float *e = averages[k].values + i;
      store_upto(e, FMA(splat(averages[k].beta), load_upto(e, part) - w1, w1), part);
    }
  }
}
