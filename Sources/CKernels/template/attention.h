// Window attention of one head of one image, on one element type; see attention_parts.h.

// Rows of one window and part (0 q, 1 k, 2 v) out of qkv, plus the time token's shift, times scale.
INLINE void T(gather_window)(const dk_attention *g, const element *first, int64_t pitch, const float *shift,
                          float scale, int64_t dp, float *to) {
  for (int64_t r = 0; r < g->window; ++r)
    for (int64_t c = 0; c < g->window; ++c, to += dp) {
      const element *from = first + (r * g->width + c) * pitch;
      FOR_VECTORS(0, g->head_dim) {
        const vf t = shift ? load_upto(shift + i, part) : (vf){};
        store(to + i, scale * (load_upto(from + i, part) + t));
      }
    }
}

// q, already scaled by 1 / sqrt(D), k and v of one window.
INLINE void T(gather_heads)(const dk_attention *g, const element *first, const float *shift, int64_t dp,
                         float *q, float *k, float *v) {
  const int64_t channels = g->heads * g->head_dim, pitch = 3 * channels;
  T(gather_window)(g, first, pitch, shift, 1.0f / __builtin_sqrtf((float)g->head_dim), dp, q);
  T(gather_window)(g, first + channels, pitch, shift + channels, 1, dp, k);
  T(gather_window)(g, first + 2 * channels, pitch, shift + 2 * channels, 1, dp, v);
}

INLINE void T(scatter_window)(const dk_attention *g, const float *from, int64_t dp, float scale, int64_t first_row,
                           int64_t rows, element *first, int64_t pitch) {
  for (int64_t i0 = 0; i0 < rows; ++i0, from += dp) {
    const int64_t token = first_row + i0;
    element *to = first + (token / g->window * g->width + token % g->window) * pitch;
    FOR_VECTORS(0, g->head_dim) store_upto(to + i, scale * load(from + i), part);
  }
}

static void T(attention)(const dk_attention *g, int64_t image, int64_t head, const void *vqkv,
                         const float *shift, const float *bias, float *scratch, void *vout) {
  const element *qkv = vqkv;
  element *out = vout;
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
      const element *first = qkv + corner * pitch + head * d;
      T(gather_heads)(g, first, t, dp, q, k, v);
      transpose(k, n, d, dp, kt, np);
      for (int64_t i = 0; i < n; i += DK_QUERIES) {
        const int64_t rows = n - i < DK_QUERIES ? n - i : DK_QUERIES;
        window_probabilities(q + i * dp, kt, bias + i * np, rows, n, np, d, dp, p);
        small_product(p, np, 1, v, dp, rows, dp, n, 0, o, dp);
        T(scatter_window)(g, o, dp, 1, i, rows, out + corner * channels + head * d, channels);
      }
    }
}

// dbias [N, Np] of this image and head, and the head's columns of dqkv.
static void T(attention_gradient)(const dk_attention *g, int64_t image, int64_t head, const void *vqkv,
                                  const float *shift, const float *bias, const void *vdout,
                                  float *scratch, void *vdqkv, float *dbias) {
  const element *qkv = vqkv, *dout = vdout;
  element *dqkv = vdqkv;
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
      const element *first = qkv + corner * pitch + head * d;
      element *d_first = dqkv + corner * pitch + head * d;
      T(gather_heads)(g, first, t, dp, q, k, v);
      T(gather_window)(g, dout + corner * channels + head * d, channels, NULL, 1, dp, go);
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
        T(scatter_window)(g, dq, dp, scale, i, rows, d_first, pitch);
      }
      T(scatter_window)(g, dk, dp, 1, 0, n, d_first + channels, pitch);
      T(scatter_window)(g, dv, dp, 1, 0, n, d_first + 2 * channels, pitch);
    }
}
