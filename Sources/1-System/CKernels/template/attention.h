// Window attention of some heads of one image, on one element type; see attention_parts.h.

// `places` has the rows of a window as pixels from its corner, negative for positions without a token; times
// `pitch` they are element offsets. Vectors of channels begin at at[0...]. The last one overlaps the one before,
// so that nothing outside the head is touched. Only a head narrower than a vector uses a part of one.

INLINE void T(gather_part)(const int vectors, const int64_t *at, int64_t part, const int64_t *places, int64_t used,
                           const element *first, int64_t pitch, int64_t ahead, const float *shift,
                           float scale, int64_t depth, float *to) {
  vf t[DK_GROUP];
  UNROLL for (int v = 0; v < vectors; ++v) t[v] = shift ? load_upto(shift + at[v], part) : (vf){};
  for (int64_t i = 0; i < used; ++i, to += depth) {
    if (places[i] < 0) {
      UNROLL for (int v = 0; v < vectors; ++v) store(to + at[v], (vf){});
      continue;
    }
    const element *from = first + places[i] * pitch;
    if (ahead) {
      UNROLL for (int v = 0; v < vectors; v += 64 / (DK_WIDTH * (int)sizeof(element)))
        __builtin_prefetch(from + ahead + at[v]);
    }
    UNROLL for (int v = 0; v < vectors; ++v) store(to + at[v], scale * (load_upto(from + at[v], part) + t[v]));
  }
}
INLINE void T(scatter_part)(const int vectors, const int64_t *at, int64_t part, const int64_t *places, int64_t used,
                            const float *from, int64_t depth, const float *scales, float scale,
                            element *first, int64_t pitch, float *sums) {
  vf sum[DK_GROUP];
  UNROLL for (int v = 0; v < vectors; ++v) sum[v] = (vf){};
  for (int64_t i = 0; i < used; ++i, from += depth) {
    if (places[i] < 0) continue;
    element *to = first + places[i] * pitch;
    const vf factor = splat(scales ? scales[i] : scale);
    UNROLL for (int v = 0; v < vectors; ++v) {
      const vf x = factor * load(from + at[v]);
      sum[v] += x;
      store_upto(to + at[v], x, part);
    }
  }
  if (sums) {
    UNROLL for (int v = 0; v < vectors; ++v) store(sums + v * DK_WIDTH, load(sums + v * DK_WIDTH) + sum[v]);
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

// to = scale (from + shift) for the rows at places[0...used), and zeros for those up to `total`. Elements beyond
// the channels of a row are not written.
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

// Writes rows back, each times its own scale or all times the same one, and adds them up in `sums`, vector by
// vector, if that is given.
static void T(scatter_rows)(const int64_t *places, int64_t used, int64_t channels, const float *from,
                            int64_t depth, const float *scales, float scale, element *first, int64_t pitch,
                            float *sums) {
  if (sums) {
    FOR_GROUPS(channels, T(scatter_part), places, used, from, depth, scales, scale, first, pitch, sums + i)
  } else {
    FOR_GROUPS(channels, T(scatter_part), places, used, from, depth, scales, scale, first, pitch, NULL)
  }
}
#undef FOR_GROUPS

// The sums over tokens of one head: its columns of q, k and v in `to`.
INLINE void T(store_sums)(const dk_attention *g, int64_t depth, const float *sums, float *to) {
  const int64_t d = g->head_dim, last = d < DK_WIDTH ? 0 : d - DK_WIDTH;
  for (int part = 0; part < 3; ++part, sums += depth, to += g->heads * d)
    for (int64_t i = 0; i < d; i += DK_WIDTH)
      store_upto(to + (i < last ? i : last), load(sums + i), d < DK_WIDTH ? d : DK_WIDTH);
}

// One window and head.
INLINE void T(attend_window)(const dk_attention *g, const window_plan *plan, window_visit at,
                             const element *qkv, const float *shift, const float *bias,
                             const attention_buffers *b, element *out) {
  const int64_t n = plan->tokens, d = g->head_dim, depth = plan->depth;
  const int64_t channels = g->heads * d, pitch = 3 * channels, ahead = rows_ahead(g, at, pitch);
  qkv += at.corner * pitch + at.head * d, shift += at.head * d;
  const element *k = qkv + channels, *v = k + channels;
  T(gather_rows)(plan->tokens_at, n, n, d, k, pitch, ahead, shift + channels, 1, depth, b->k);
  T(gather_rows)(plan->tokens_at, n, n, d, v, pitch, ahead, shift + 2 * channels, 1, depth, b->v);
  for (int64_t begin = 0; begin < plan->positions; begin += DK_STRIP) {
    const strip_state strip = start_strip(plan, begin);
    const int64_t *places = plan->positions_at + begin;
    float scales[DK_STRIP];
    T(gather_rows)(places, strip.used, strip.vectors * DK_WIDTH, d, qkv, pitch, ahead, shift,
                   1.0f / __builtin_elementwise_sqrt((float)d), depth, b->q);
    transpose(strip.vectors, b->q, depth, b->qt);
    if (strip.vectors == 1) attend(1, g, plan, strip, bias, b, scales);
    else attend(2, g, plan, strip, bias, b, scales);
    T(scatter_rows)(places, strip.used, d, b->dq, depth, scales, 1,
                    out + at.corner * channels + at.head * d, channels, NULL);
  }
}

static void T(attention)(const dk_attention *g, int64_t image, int64_t begin, int64_t end, const void *qkv,
                         const float *shift, const float *bias, float *scratch, void *out) {
  window_plan plan = plan_window(g);
  const attention_buffers b = lay_out(g, &plan, 0, scratch);
  FOR_VISITS(g, image, begin, end) {
    const window_visit at = visit_window(g, image, begin, end, step);
    T(attend_window)(g, &plan, at, qkv, shift + image * 3 * g->heads * g->head_dim,
                     bias + at.head * dk_attention_bias(g), &b, out);
  }
}

// One window and head: its columns of dqkv, and its part of the gradient over pairs.
INLINE void T(attend_window_gradient)(const dk_attention *g, const window_plan *plan, window_visit at,
                                      const element *qkv, const float *shift, const float *bias,
                                      const element *dout, const attention_buffers *b, element *dqkv,
                                      float *sums, float *pairs) {
  const int64_t n = plan->tokens, d = g->head_dim, depth = plan->depth;
  const int64_t channels = g->heads * d, pitch = 3 * channels, ahead = rows_ahead(g, at, pitch);
  const float scale = 1.0f / __builtin_elementwise_sqrt((float)d);
  qkv += at.corner * pitch + at.head * d, dqkv += at.corner * pitch + at.head * d, shift += at.head * d;
  dout += at.corner * channels + at.head * d;
  const element *k = qkv + channels, *v = k + channels;
  T(gather_rows)(plan->tokens_at, n, n, d, k, pitch, ahead, shift + channels, 1, depth, b->k);
  T(gather_rows)(plan->tokens_at, n, n, d, v, pitch, ahead, shift + 2 * channels, 1, depth, b->v);
  for (int64_t begin = 0; begin < plan->positions; begin += DK_STRIP) {
    const strip_state strip = start_strip(plan, begin);
    const int64_t lanes = strip.vectors * DK_WIDTH, *places = plan->positions_at + begin;
    T(gather_rows)(places, strip.used, lanes, d, qkv, pitch, ahead, shift, scale, depth, b->q);
    T(gather_rows)(places, strip.used, lanes, d, dout, channels, rows_ahead(g, at, channels), NULL, 1, depth, b->go);
    transpose(strip.vectors, b->q, depth, b->qt);
    transpose(strip.vectors, b->go, depth, b->got);
    if (strip.vectors == 1) attend_gradient(1, g, plan, strip, bias, b, pairs);
    else attend_gradient(2, g, plan, strip, bias, b, pairs);
    T(scatter_rows)(places, strip.used, d, b->dq, depth, NULL, scale, dqkv, pitch, sums);
  }
  T(scatter_rows)(plan->tokens_at, n, d, b->dk, depth, NULL, 1, dqkv + channels, pitch, sums + depth);
  T(scatter_rows)(plan->tokens_at, n, d, b->dv, depth, NULL, 1, dqkv + 2 * channels, pitch,
                  sums + 2 * depth);
}

static void T(attention_gradient)(const dk_attention *g, int64_t image, int64_t begin, int64_t end,
                                  const void *qkv, const float *shift, const float *bias, const void *dout,
                                  float *scratch, void *dqkv, float *dshift, float *shares) {
  window_plan plan = plan_window(g);
  const attention_buffers b = lay_out(g, &plan, end - begin, scratch);
  FOR_VISITS(g, image, begin, end) {
    const window_visit at = visit_window(g, image, begin, end, step);
    T(attend_window_gradient)(g, &plan, at, qkv, shift + image * 3 * g->heads * g->head_dim,
                              bias + at.head * dk_attention_bias(g), dout, &b, dqkv,
                              b.shift + (at.head - begin) * 3 * plan.depth,
                              b.pairs + (at.head - begin) * plan.pairs);
  }
  const int64_t side = 2 * g->window - 1;
  for (int64_t head = begin; head < end; ++head) {
    T(store_sums)(g, plan.depth, b.shift + (head - begin) * 3 * plan.depth,
                  dshift + (image * 3 * g->heads + head) * g->head_dim);
    sum_diagonals(g, &plan, b.pairs + (head - begin) * plan.pairs, b.sums,
                  shares + (image * g->heads + head) * side * side);
  }
}
