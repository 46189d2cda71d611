// Window attention of one head of one image, with time-dependent q, k, v (paper eq. 3-6).
//
// N = window^2 tokens, D head width; Np, Dp are N, D rounded up to a vector, padding zero. Scores live
// only here: backward computes them again.

#define DK_QUERIES 64  // query rows whose scores are held at once

// c[m, n] (+)= sum over k of a(m, k) b[k, n]; a(m, k) = a[m * row + k * step]. Widths are padded.
INLINE void small_product(const float *a, int64_t row, int64_t step, const float *b, int64_t b_pitch,
                          int64_t m_count, int64_t n_count, int64_t k_count, int accumulate, float *c,
                          int64_t c_pitch) {
  for (int64_t m = 0; m < m_count; m += 4) {
    const int64_t left = m_count - m < 4 ? m_count - m : 4;
    const float *p[4];
    UNROLL for (int r = 0; r < 4; ++r) p[r] = a + (m + (r < left ? r : 0)) * row;
    for (int64_t n = 0; n < n_count; n += 2 * DK_WIDTH) {
      const int two = n + DK_WIDTH < n_count;
      vf sum[4][2] = {{{}}};
      for (int64_t k = 0; k < k_count; ++k) {
        const vf b0 = load(b + k * b_pitch + n);
        const vf b1 = two ? load(b + k * b_pitch + n + DK_WIDTH) : b0;
        UNROLL for (int r = 0; r < 4; ++r) {
          const vf x = splat(p[r][k * step]);
          sum[r][0] = FMA(x, b0, sum[r][0]);
          sum[r][1] = FMA(x, b1, sum[r][1]);
        }
      }
      for (int r = 0; r < left; ++r)
        for (int v = 0; v <= two; ++v) {
          float *out = c + (m + r) * c_pitch + n + v * DK_WIDTH;
          store(out, accumulate ? load(out) + sum[r][v] : sum[r][v]);
        }
    }
  }
}

// Scores s = q k^T + bias, then softmax a row, in place; q is already scaled.
INLINE void window_probabilities(const float *q, const float *kt, const float *bias, int64_t rows,
                                 int64_t tokens, int64_t width, int64_t d, int64_t dp, float *s) {
  small_product(q, dp, 1, kt, width, rows, width, d, 0, s, width);
  for (int64_t r = 0; r < rows; ++r, s += width, bias += width) {
    vf most = splat(-__builtin_inff());
    for (int64_t j = tokens; j < width; ++j) s[j] = -__builtin_inff();  // padding is never the maximum
    for (int64_t j = 0; j < width; j += DK_WIDTH) {
      const vf v = load(s + j) + load(bias + j);
      most = choose(v > most, v, most);
      store(s + j, v);
    }
    const float peak = max_lanes(most);
    vf sum = {};
    for (int64_t j = 0; j < width; j += DK_WIDTH) {
      const vf e = exp_of(load(s + j) - peak);
      store(s + j, e);
    }
    for (int64_t j = tokens; j < width; ++j) s[j] = 0;
    for (int64_t j = 0; j < width; j += DK_WIDTH) sum += load(s + j);
    const float scale = 1.0f / sum_lanes(sum);
    for (int64_t j = 0; j < width; j += DK_WIDTH) store(s + j, scale * load(s + j));
  }
}

INLINE void transpose(const float *x, int64_t rows, int64_t columns, int64_t x_pitch, float *y, int64_t y_pitch) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) y[c * y_pitch + r] = x[r * x_pitch + c];
}

