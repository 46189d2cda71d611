// Window attention of one head of one image, on one element type; see attention_parts.h.

// Rows of a window lie at `places` (pixels from its corner, negative where a position has no token) times
// `pitch`. Vectors of channels begin at at[0...]; the last overlaps the one before, so that nothing
// outside the head is touched. A head narrower than a vector is the one case of a part.

INLINE void T(gather_part)(const int vectors, const int64_t *at, int64_t part, const int64_t *places, int64_t used,
                           const element *first, int64_t pitch, int64_t ahead, const float *shift,
                           float scale, int64_t depth, float *to) {
  vf t[DK_GROUP];
  UNROLL for (int v = 0; v < vectors; ++v) t[v] = shift ? load_upto(shift + at[v], part) : (vf){};
  for (int64_t i = 0; i < used; ++i, to += depth) {
    const element *from = first + places[i] * pitch;
    if (ahead) {
      UNROLL for (int v = 0; v < vectors; v += 64 / (DK_WIDTH * (int)sizeof(element)))
        __builtin_prefetch(from + ahead + at[v]);
    }
    if (places[i] < 0) {
      UNROLL for (int v = 0; v < vectors; ++v) store(to + at[v], (vf){});
    } else {
      UNROLL for (int v = 0; v < vectors; ++v) store(to + at[v], scale * (load_upto(from + at[v], part) + t[v]));
    }
  }
}
INLINE void T(scatter_part)(const int vectors, const int64_t *at, int64_t part, const int64_t *places, int64_t used,
                            const float *from, int64_t depth, const float *scales, float scale,
                            element *first, int64_t pitch) {
  for (int64_t i = 0; i < used; ++i, from += depth) {
    if (places[i] < 0) continue;
    element *to = first + places[i] * pitch;
    const vf factor = splat(scales ? scales[i] : scale);
    UNROLL for (int v = 0; v < vectors; ++v) store_upto(to + at[v], factor * load(from + at[v]), part);
  }
}

// Runs `call(vectors, at, part, ...)` for the channels of a head, a group of vectors at a time.
#define FOR_GROUPS(channels, call, ...)                                                \
  for (int64_t i = 0; i < (channels); i += DK_GROUP * DK_WIDTH) {                      \
    const int64_t last = (channels)-DK_WIDTH;                                          \
    if (last < 0) {                                                                    \
      call(1, &i, channels, __VA_ARGS__);                                              \
      break;                                                                           \
    }                                                                                  \
    int64_t at[DK_GROUP];                                                              \
    UNROLL for (int v = 0; v < DK_GROUP; ++v) at[v] = i + v * DK_WIDTH < last ? i + v * DK_WIDTH : last; \
    switch (((channels)-i + DK_WIDTH - 1) / DK_WIDTH) {                                \
      case 1: call(1, at, DK_WIDTH, __VA_ARGS__); break;                               \
      case 2: call(2, at, DK_WIDTH, __VA_ARGS__); break;                               \
      case 3: call(3, at, DK_WIDTH, __VA_ARGS__); break;                               \
      default: call(DK_GROUP, at, DK_WIDTH, __VA_ARGS__);                              \
    }                                                                                  \
  }

// to = scale (from + shift) for the rows at places[0...used), zeros for those up to `total`. What lies
// beyond a row's channels is left alone.
static void T(gather_rows)(const int64_t *places, int64_t used, int64_t total, int64_t channels,
                           const element *first, int64_t pitch, int64_t ahead, const float *shift,
                           float scale, int64_t depth, float *to) {
  if (shift) {
    FOR_GROUPS(channels, T(gather_part), places, used, first, pitch, ahead, shift, scale, depth, to)
  } else {
    FOR_GROUPS(channels, T(gather_part), places, used, first, pitch, ahead, NULL, scale, depth, to)
  }
  if (used < total) memset(to + used * depth, 0, (size_t)((total - used) * depth) * sizeof(float));
}

// Puts rows back, each times its own scale or all times one.
static void T(scatter_rows)(const int64_t *places, int64_t used, int64_t channels, const float *from,
                            int64_t depth, const float *scales, float scale, element *first, int64_t pitch) {
  FOR_GROUPS(channels, T(scatter_part), places, used, from, depth, scales, scale, first, pitch)
}
#undef FOR_GROUPS

// One strip of queries of one window: scores over all keys, softmax, out.
INLINE void T(attend)(const int vectors, const dk_attention *g, const window_plan *plan, strip_state strip,
                      const float *bias, const float *k, const float *v, const float *qt, float *s, float *o,
                      float *scales) {
  const int64_t w = g->window, depth = plan->depth;
  for (int64_t r = 0, end; r < w; r = end) {
    end = r + plan->chunk_rows < w ? r + plan->chunk_rows : w;
    float *scores = s + r * w * DK_STRIP;
    score_product(vectors, k + r * w * depth, depth, qt, (end - r) * w, g->head_dim, scores);
    add_bias(vectors, plan, w, r, end, bias, &strip, scores);
  }
  for (int64_t r = 0, end; r < w; r = end) {
    end = r + plan->chunk_rows < w ? r + plan->chunk_rows : w;
    float *scores = s + r * w * DK_STRIP;
    exponentials(vectors, (end - r) * w, &strip, NULL, scores);
    query_product(scores, v + r * w * depth, depth, strip.used, (end - r) * w, r > 0, o);
  }
  UNROLL for (int i = 0; i < vectors; ++i) store(scales + i * DK_WIDTH, 1.0f / strip.sum[i]);
}

static void T(attention)(const dk_attention *g, int64_t image, int64_t head, const void *vqkv,
                         const float *shift, const float *bias, float *scratch, void *vout) {
  window_plan plan = plan_window(g);
  scratch += place_rows(g, &plan, scratch);
  const int64_t n = plan.tokens, d = g->head_dim, depth = plan.depth, w = g->window;
  const int64_t channels = g->heads * d, pitch = 3 * channels;
  const float scale = 1.0f / __builtin_sqrtf((float)d);
  float *k = scratch, *v = k + n * depth, *q = v + n * depth, *qt = q + DK_STRIP * depth;
  float *o = qt + DK_STRIP * depth, *s = o + DK_STRIP * depth;
  memset(scratch, 0, (size_t)((2 * n + DK_STRIP) * depth) * sizeof(float));
  const float *t = shift + image * pitch + head * d;
  for (int64_t y = 0; y < g->height; y += w)
    for (int64_t x = 0; x < g->width; x += w) {
      const int64_t corner = (image * g->height + y) * g->width + x;
      const int64_t pixels = pixels_ahead(g, y, x);
      const element *first = (const element *)vqkv + corner * pitch + head * d;
      element *out = (element *)vout + corner * channels + head * d;
      T(gather_rows)(plan.tokens_at, n, n, d, first + channels, pitch, pixels * pitch, t + channels, 1, depth, k);
      T(gather_rows)(plan.tokens_at, n, n, d, first + 2 * channels, pitch, pixels * pitch, t + 2 * channels, 1, depth, v);
      for (int64_t begin = 0; begin < plan.positions; begin += DK_STRIP) {
        const strip_state strip = start_strip(&plan, begin);
        float scales[DK_STRIP];
        T(gather_rows)(plan.positions_at + begin, strip.used, strip.vectors * DK_WIDTH, d, first, pitch, pixels * pitch, t, scale, depth, q);
        transpose(strip.vectors, q, depth, qt);
        if (strip.vectors == 1) T(attend)(1, g, &plan, strip, bias, k, v, qt, s, o, scales);
        else T(attend)(2, g, &plan, strip, bias, k, v, qt, s, o, scales);
        T(scatter_rows)(plan.positions_at + begin, strip.used, d, o, depth, scales, 1, out, channels);
      }
    }
}

// What backward holds of one window, one strip and one (image, head).
typedef struct {
  float *k, *v, *dk, *dv;         // of the window, [N][depth]
  float *q, *go, *dq, *qt, *got;  // of the strip, [queries][depth], transposed the last two
  float *s, *dp;                  // [N][DK_STRIP]
  float *gradient, *sums;         // over pairs, and of the table
} T(attention_buffers);

// One strip of queries of one window: dq, and its shares of dk, dv and the gradient over pairs.
INLINE void T(attend_gradient)(const int vectors, const dk_attention *g, const window_plan *plan,
                               strip_state strip, const float *bias, const T(attention_buffers) *b) {
  const int64_t w = g->window, d = g->head_dim, depth = plan->depth;
  for (int64_t r = 0, end; r < w; r = end) {
    end = r + plan->chunk_rows < w ? r + plan->chunk_rows : w;
    const int64_t key = r * w, keys = (end - r) * w;
    score_product(vectors, b->k + key * depth, depth, b->qt, keys, d, b->s + key * DK_STRIP);
    add_bias(vectors, plan, w, r, end, bias, &strip, b->s + key * DK_STRIP);
    score_product(vectors, b->v + key * depth, depth, b->got, keys, d, b->dp + key * DK_STRIP);
  }
  exponentials(vectors, plan->tokens, &strip, b->dp, b->s);
  for (int64_t r = 0, end; r < w; r = end) {
    end = r + plan->chunk_rows < w ? r + plan->chunk_rows : w;
    const int64_t key = r * w, keys = (end - r) * w;
    float *p = b->s + key * DK_STRIP, *ds = b->dp + key * DK_STRIP;
    score_gradients(vectors, plan, w, r, end, &strip, p, ds, b->gradient);
    key_product(p, b->go, depth, strip.used, keys, strip.begin > 0, b->dv + key * depth);  // dV += P^T dO
    key_product(ds, b->q, depth, strip.used, keys, strip.begin > 0, b->dk + key * depth);  // dK += dS^T q
    query_product(ds, b->k + key * depth, depth, strip.used, keys, r > 0, b->dq);          // dq += dS k
  }
}

// The head's columns of dqkv, and the share of the table's gradient.
static void T(attention_gradient)(const dk_attention *g, int64_t image, int64_t head, const void *vqkv,
                                  const float *shift, const float *bias, const void *vdout,
                                  float *scratch, void *vdqkv, float *share) {
  window_plan plan = plan_window(g);
  scratch += place_rows(g, &plan, scratch);
  const int64_t n = plan.tokens, d = g->head_dim, depth = plan.depth, w = g->window;
  const int64_t channels = g->heads * d, pitch = 3 * channels;
  const float scale = 1.0f / __builtin_sqrtf((float)d);
  T(attention_buffers) b = {.k = scratch};
  b.v = b.k + n * depth, b.q = b.v + n * depth, b.go = b.q + DK_STRIP * depth;
  b.dk = b.go + DK_STRIP * depth, b.dv = b.dk + n * depth, b.dq = b.dv + n * depth;
  b.qt = b.dq + DK_STRIP * depth, b.got = b.qt + DK_STRIP * depth;
  b.s = b.got + DK_STRIP * depth, b.dp = b.s + n * DK_STRIP;
  b.gradient = b.dp + n * DK_STRIP;
  const int64_t pairs = plan.dense ? n * round_up(n) : (2 * w - 1) * w * plan.row;
  b.sums = b.gradient + pairs + DK_WIDTH;
  memset(b.k, 0, (size_t)((2 * n + 2 * DK_STRIP) * depth) * sizeof(float));
  memset(b.gradient, 0, (size_t)(pairs + DK_WIDTH) * sizeof(float));
  const float *t = shift + image * pitch + head * d;
  for (int64_t y = 0; y < g->height; y += w)
    for (int64_t x = 0; x < g->width; x += w) {
      const int64_t corner = (image * g->height + y) * g->width + x;
      const int64_t pixels = pixels_ahead(g, y, x);
      const element *first = (const element *)vqkv + corner * pitch + head * d;
      const element *dout = (const element *)vdout + corner * channels + head * d;
      element *dq = (element *)vdqkv + corner * pitch + head * d;
      T(gather_rows)(plan.tokens_at, n, n, d, first + channels, pitch, pixels * pitch, t + channels, 1, depth, b.k);
      T(gather_rows)(plan.tokens_at, n, n, d, first + 2 * channels, pitch, pixels * pitch, t + 2 * channels, 1, depth, b.v);
      for (int64_t begin = 0; begin < plan.positions; begin += DK_STRIP) {
        const strip_state strip = start_strip(&plan, begin);
        const int64_t lanes = strip.vectors * DK_WIDTH;
        T(gather_rows)(plan.positions_at + begin, strip.used, lanes, d, first, pitch, pixels * pitch, t, scale, depth, b.q);
        T(gather_rows)(plan.positions_at + begin, strip.used, lanes, d, dout, channels, pixels * channels, NULL, 1, depth, b.go);
        transpose(strip.vectors, b.q, depth, b.qt);
        transpose(strip.vectors, b.go, depth, b.got);
        if (strip.vectors == 1) T(attend_gradient)(1, g, &plan, strip, bias, &b);
        else T(attend_gradient)(2, g, &plan, strip, bias, &b);
        T(scatter_rows)(plan.positions_at + begin, strip.used, d, b.dq, depth, NULL, scale, dq, pitch);
      }
      T(scatter_rows)(plan.tokens_at, n, d, b.dk, depth, NULL, 1, dq + channels, pitch);
      T(scatter_rows)(plan.tokens_at, n, d, b.dv, depth, NULL, 1, dq + 2 * channels, pitch);
    }
  sum_diagonals(g, &plan, b.gradient, b.sums, share);
}
