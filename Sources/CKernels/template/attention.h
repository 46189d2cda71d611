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

// Rows of one window and part (0 q, 1 k, 2 v) out of qkv, plus the time token's shift, times scale.
INLINE void gather_window(const dk_attention *g, const float *first, int64_t pitch, const float *shift,
                          float scale, int64_t dp, float *to) {
  for (int64_t r = 0; r < g->window; ++r)
    for (int64_t c = 0; c < g->window; ++c, to += dp) {
      const float *from = first + (r * g->width + c) * pitch;
      FOR_VECTORS(0, g->head_dim) {
        const vf t = shift ? load_upto(shift + i, part) : (vf){};
        store(to + i, scale * (load_upto(from + i, part) + t));
      }
    }
}

// q, already scaled by 1 / sqrt(D), k and v of one window.
INLINE void gather_heads(const dk_attention *g, const float *first, const float *shift, int64_t dp,
                         float *q, float *k, float *v) {
  const int64_t channels = g->heads * g->head_dim, pitch = 3 * channels;
  gather_window(g, first, pitch, shift, 1.0f / __builtin_sqrtf((float)g->head_dim), dp, q);
  gather_window(g, first + channels, pitch, shift + channels, 1, dp, k);
  gather_window(g, first + 2 * channels, pitch, shift + 2 * channels, 1, dp, v);
}

INLINE void scatter_window(const dk_attention *g, const float *from, int64_t dp, float scale, int64_t first_row,
                           int64_t rows, float *first, int64_t pitch) {
  for (int64_t i0 = 0; i0 < rows; ++i0, from += dp) {
    const int64_t token = first_row + i0;
    float *to = first + (token / g->window * g->width + token % g->window) * pitch;
    FOR_VECTORS(0, g->head_dim) store_upto(to + i, scale * load(from + i), part);
  }
}

INLINE void transpose(const float *x, int64_t rows, int64_t columns, int64_t x_pitch, float *y, int64_t y_pitch) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) y[c * y_pitch + r] = x[r * x_pitch + c];
}

static void attention(const dk_attention *g, int64_t image, int64_t head, const float *qkv, const float *shift,
                      const float *bias, float *scratch, float *out) {
  const int64_t n = g->window * g->window, np = round_up(n), d = g->head_dim, dp = round_up(d);
  const int64_t channels = g->heads * d, pitch = 3 * channels;
  memset(scratch, 0, (size_t)(3 * n * dp + d * np) * sizeof(float));
  float *q = scratch, *k = q + n * dp, *v = k + n * dp, *kt = v + n * dp;
  float *p = kt + d * np, *o = p + DK_QUERIES * np;
  const float *t = shift + image * pitch + head * d;
  bias += head * n * np;
  for (int64_t y = 0; y < g->height; y += g->window)
    for (int64_t x = 0; x < g->width; x += g->window) {
      const int64_t corner = (image * g->height + y) * g->width + x;
      const float *first = qkv + corner * pitch + head * d;
      gather_heads(g, first, t, dp, q, k, v);
      transpose(k, n, d, dp, kt, np);
      for (int64_t i = 0; i < n; i += DK_QUERIES) {
        const int64_t rows = n - i < DK_QUERIES ? n - i : DK_QUERIES;
        window_probabilities(q + i * dp, kt, bias + i * np, rows, n, np, d, dp, p);
        small_product(p, np, 1, v, dp, rows, dp, n, 0, o, dp);
        scatter_window(g, o, dp, 1, i, rows, out + corner * channels + head * d, channels);
      }
    }
}

// dbias [N, Np] of this image and head, and the head's columns of dqkv.
static void attention_gradient(const dk_attention *g, int64_t image, int64_t head, const float *qkv,
                               const float *shift, const float *bias, const float *dout, float *scratch,
                               float *dqkv, float *dbias) {
  const int64_t n = g->window * g->window, np = round_up(n), d = g->head_dim, dp = round_up(d);
  const int64_t channels = g->heads * d, pitch = 3 * channels;
  const float scale = 1.0f / __builtin_sqrtf((float)d);
  memset(scratch, 0, (size_t)(6 * n * dp + 2 * d * np) * sizeof(float));
  memset(dbias, 0, (size_t)(n * np) * sizeof(float));
  float *q = scratch, *k = q + n * dp, *v = k + n * dp, *go = v + n * dp, *dk = go + n * dp;
  float *dv = dk + n * dp, *kt = dv + n * dp, *vt = kt + d * np, *p = vt + d * np;
  float *dp_ = p + DK_QUERIES * np, *dq = dp_ + DK_QUERIES * np;
  const float *t = shift + image * pitch + head * d;
  bias += head * n * np;
  for (int64_t y = 0; y < g->height; y += g->window)
    for (int64_t x = 0; x < g->width; x += g->window) {
      const int64_t corner = (image * g->height + y) * g->width + x;
      const float *first = qkv + corner * pitch + head * d;
      float *d_first = dqkv + corner * pitch + head * d;
      gather_heads(g, first, t, dp, q, k, v);
      gather_window(g, dout + corner * channels + head * d, channels, NULL, 1, dp, go);
      transpose(k, n, d, dp, kt, np);
      transpose(v, n, d, dp, vt, np);
      for (int64_t i = 0; i < n; i += DK_QUERIES) {
        const int64_t rows = n - i < DK_QUERIES ? n - i : DK_QUERIES;
        window_probabilities(q + i * dp, kt, bias + i * np, rows, n, np, d, dp, p);
        small_product(go + i * dp, dp, 1, vt, np, rows, np, d, 0, dp_, np);
        small_product(p, 1, np, go + i * dp, dp, n, dp, rows, i > 0, dv, dp);  // dV += P^T dO
        for (int64_t r = 0; r < rows; ++r) {                                   // dS = P (dP - sum P dP)
          float *s = p + r * np, *ds = dp_ + r * np, *db = dbias + (i + r) * np;
          vf dot = {};
          for (int64_t j = 0; j < np; j += DK_WIDTH) dot = FMA(load(s + j), load(ds + j), dot);
          const float mean = sum_lanes(dot);
          for (int64_t j = 0; j < np; j += DK_WIDTH) {
            const vf e = load(s + j) * (load(ds + j) - mean);
            store(ds + j, e);
            store(db + j, load(db + j) + e);
          }
        }
        small_product(dp_, np, 1, k, dp, rows, dp, n, 0, dq, dp);
        small_product(dp_, 1, np, q + i * dp, dp, n, dp, rows, i > 0, dk, dp);  // dK += dS^T q
        scatter_window(g, dq, dp, scale, i, rows, d_first, pitch);
      }
      scatter_window(g, dk, dp, 1, 0, n, d_first + channels, pitch);
      scatter_window(g, dv, dp, 1, 0, n, d_first + 2 * channels, pitch);
    }
}
