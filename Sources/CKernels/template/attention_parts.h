// Window attention, with time-dependent q, k, v (paper eq. 3-6): what does not
// depend on the element type.
//
// Queries lie in the lanes of vectors. A strip is DK_STRIP queries; its scores are held as s[key][query], so
// the softmax over keys is element by element: no vector is ever summed across its lanes. All five
// products of backward are tiles that broadcast a number from memory into multiply-adds with vectors.
// A strip holds scores of all keys, [N][DK_STRIP], which is less than the window's k: one exact softmax
// without rescaling serves windows of 4 tokens and of thousands. Keys are worked on in chunks of
// whole rows of the window, so that a chunk of k, v and scores stays in L1.

#define DK_STRIP (2 * DK_WIDTH)
#define DK_CHUNK 64  // keys in a chunk, or one row of the window
#define DK_GROUP 4   // vectors of a head's channels moved at once

#if DK_WIDTH == 16
#define DK_TILE 8  // rows of a register tile
#define DK_WIDE 3  // vectors of its widest row
#else
#define DK_TILE 6
#define DK_WIDE 2
#endif

// ---- where things lie

// An array over pairs of query and key, both as rows and columns of the window:
// first + query_row * row + query_column + key_row * key_row + key_column * key_column.
typedef struct {
  int64_t first, query_row, key_row, key_column;
} pair_places;

// Queries of a window take `row` positions a row of the window. In a `dense` window they follow each
// other without gaps, so a vector may hold parts of several rows, and bias and its gradient are kept
// for all pairs, [key][position]. Otherwise rows begin on whole vectors: a vector of queries then
// meets a run of the table's entries, which is read in place.
typedef struct {
  int64_t tokens, depth, row, positions, chunk_rows, pairs;
  int dense;
  pair_places bias, gradient;
  const int64_t *tokens_at, *positions_at;  // pixels from the window's corner; negative where none is
} window_plan;

INLINE window_plan plan_window(const dk_attention *g) {
  const int64_t w = g->window, n = w * w, side = 2 * w - 1;
  window_plan plan = {.tokens = n, .depth = round_up(g->head_dim)};
  plan.chunk_rows = w < DK_CHUNK ? DK_CHUNK / w : 1;
  plan.dense = w < 16 && w % DK_WIDTH != 0;
  if (plan.dense) {
    plan.row = w, plan.positions = n, plan.pairs = n * round_up(n);
    plan.bias = plan.gradient = (pair_places){0, w, w * round_up(n), round_up(n)};
  } else {
    plan.row = round_up(w), plan.positions = w * plan.row;
    plan.pairs = (2 * w - 1) * w * plan.row;
    plan.bias = (pair_places){(w - 1) * side + w - 1, side, -side, -1};
    plan.gradient = (pair_places){(w - 1) * w * plan.row, w * plan.row, -w * plan.row, plan.row};
  }
  return plan;
}

// Finds where the rows of every window lie; returns how many floats of `scratch` that takes.
INLINE int64_t place_rows(const dk_attention *g, window_plan *plan, float *scratch) {
  int64_t *to = (int64_t *)(void *)scratch;
  plan->tokens_at = to;
  for (int64_t r = 0; r < g->window; ++r)
    for (int64_t c = 0; c < g->window; ++c) *to++ = r * g->width + c;
  plan->positions_at = to;
  for (int64_t r = 0; r < g->window; ++r)
    for (int64_t c = 0; c < plan->row; ++c) *to++ = c < g->window ? r * g->width + c : -1;
  return (2 * (plan->tokens + plan->positions) + 15) / 16 * 16;
}

// A window and head on the way through an image: all heads of a window, then the next window, so that memory
// is read nearly in order. Rows of the next visit lie `pixels` and `columns` further on: those of a
// small window are fetched early, because they are too short for the hardware to foresee.
typedef struct {
  int64_t corner, head, pixels, columns;
} window_visit;

INLINE window_visit visit_window(const dk_attention *g, int64_t image, int64_t begin, int64_t end, int64_t step) {
  const int64_t w = g->window, heads = end - begin, across = g->width / w;
  const int64_t window = step / heads, y = window / across * w, x = window % across * w;
  window_visit at = {(image * g->height + y) * g->width + x, begin + step % heads, 0, g->head_dim};
  if (at.head + 1 < end) return at;
  at.columns = -(heads - 1) * g->head_dim;
  at.pixels = x + w < g->width ? w : w * g->width - x;
  if (window + 1 == g->height / w * across) at.pixels = at.columns = 0;
  return at;
}
INLINE int64_t rows_ahead(const dk_attention *g, window_visit at, int64_t pitch) {
  return g->window > 8 ? 0 : at.pixels * pitch + at.columns;
}
#define FOR_VISITS(g, image, begin, end)                                                                   \
  for (int64_t step = 0, steps = (g)->height / (g)->window * ((g)->width / (g)->window) * ((end) - (begin)); \
       step < steps; ++step)

// The place of key (0, 0) and the queries from `position` on.
INLINE int64_t first_pair(const window_plan *plan, pair_places places, int64_t position) {
  return places.first + position / plan->row * places.query_row + position % plan->row;
}

// The bias of eq. (6) of one head, as `plan` says; Swin's indexing: the table's row for a query and a key
// is (drow + w - 1) (2 w - 1) + (dcol + w - 1).
static void attention_bias(const dk_attention *g, int64_t head, const float *table, float *bias) {
  const window_plan plan = plan_window(g);
  const int64_t w = g->window, side = 2 * w - 1, n = plan.tokens, np = round_up(n);
  if (!plan.dense) {
    for (int64_t i = 0; i < side * side; ++i) bias[i] = table[i * g->heads + head];
    memset(bias + side * side, 0, DK_WIDTH * sizeof(float));
    return;
  }
  for (int64_t key = 0; key < n; ++key, bias += np) {
    const float *from = table + ((w - 1 - key / w) * side + w - 1 - key % w) * g->heads + head;
    for (int64_t r = 0; r < w; ++r)
      for (int64_t c = 0; c < w; ++c) bias[r * w + c] = from[(r * side + c) * g->heads];
    for (int64_t i = n; i < np; ++i) bias[i] = 0;
  }
}

// The table's share of a gradient over pairs: diagonals summed. `sums` is scratch of the table's size and
// a vector, because a vector at the end of a row of the window reaches beyond it with zeros.
INLINE void sum_diagonals(const dk_attention *g, const window_plan *plan, const float *gradient,
                          float *sums, float *share) {
  const int64_t w = g->window, side = 2 * w - 1;
  vi lane;
  UNROLL for (int i = 0; i < DK_WIDTH; ++i) lane[i] = i;
  memset(sums, 0, (size_t)(side * side + DK_WIDTH) * sizeof(float));
  for (int64_t drow = 1 - w; drow < w; ++drow)
    for (int64_t key_column = 0; key_column < w; ++key_column)
      for (int64_t c = 0; c < w; c += DK_WIDTH) {
        vf sum = {};
        if (plan->dense) {
          const int64_t begin = drow > 0 ? drow : 0, end = drow > 0 ? w : w + drow;
          for (int64_t r = begin; r < end; ++r)
            sum += load(gradient + ((r - drow) * w + key_column) * plan->gradient.key_column + r * w + c);
        } else {
          sum = load(gradient + ((drow + w - 1) * w + key_column) * plan->row + c);
        }
        sum = choose(lane < (int32_t)(w - c), sum, (vf){});
        float *to = sums + (drow + w - 1) * side + c - key_column + w - 1;
        store(to, load(to) + sum);
      }
  memcpy(share, sums, (size_t)(side * side) * sizeof(float));
}

// ---- products

// c[m][n] (+)= sum over k of a(m, k) b[k][n], a tile of `rows` by `vectors`, both constants after inlining.
// `along`: a(m, k) = a[m * a_pitch + k]; otherwise a[k * a_pitch + m].
INLINE void tile(const int rows, const int vectors, const int along, const float *a, int64_t a_pitch,
                 const float *b, int64_t b_pitch, int64_t count, int accumulate, float *c,
                 int64_t c_pitch) {
  vf sum[DK_TILE][DK_WIDE];
  const float *p[DK_TILE];
  UNROLL for (int r = 0; r < rows; ++r) {
    p[r] = along ? a + r * a_pitch : a + r;
    UNROLL for (int v = 0; v < vectors; ++v)
      sum[r][v] = accumulate ? load(c + r * c_pitch + v * DK_WIDTH) : (vf){};
  }
  for (int64_t k = 0; k < count; ++k) {
    vf x[DK_WIDE];
    UNROLL for (int v = 0; v < vectors; ++v) x[v] = load(b + k * b_pitch + v * DK_WIDTH);
    UNROLL for (int r = 0; r < rows; ++r) {
      const vf y = splat(along ? p[r][k] : p[r][k * a_pitch]);
      UNROLL for (int v = 0; v < vectors; ++v) sum[r][v] = FMA(y, x[v], sum[r][v]);
    }
  }
  UNROLL for (int r = 0; r < rows; ++r)
    UNROLL for (int v = 0; v < vectors; ++v) store(c + r * c_pitch + v * DK_WIDTH, sum[r][v]);
}

#define TILE(rows, vectors)                                                             \
  tile(rows, vectors, along, a, a_pitch, b, b_pitch, count, accumulate, c, c_pitch);    \
  height = rows;                                                                        \
  break
#define TILE_OF(vectors)                                      \
  for (int64_t m = 0, height; m < rows; m += height) {        \
    switch (rows - m < DK_TILE ? rows - m : DK_TILE) {        \
      case DK_TILE: TILE(DK_TILE, vectors);                   \
      default: TILE(4, vectors);                              \
      case 2:                                                 \
      case 3: TILE(2, vectors);                               \
      case 1: TILE(1, vectors);                               \
    }                                                         \
    a += along ? height * a_pitch : height;                   \
    c += height * c_pitch;                                    \
  }

INLINE void tiles(const int vectors, const int along, const float *a, int64_t a_pitch, const float *b,
                  int64_t b_pitch, int64_t rows, int64_t count, int accumulate, float *c,
                  int64_t c_pitch) {
  TILE_OF(vectors)
}
#undef TILE
#undef TILE_OF

// Scores s[key][query] of a strip, from rows x[key] and the strip's qt[channel][query].
static void score_product(int vectors, const float *x, int64_t depth, const float *qt, int64_t keys,
                          int64_t channels, float *s) {
  if (vectors == 1) tiles(1, 1, x, depth, qt, DK_STRIP, keys, channels, 0, s, DK_STRIP);
  else tiles(2, 1, x, depth, qt, DK_STRIP, keys, channels, 0, s, DK_STRIP);
}

#define CHANNEL_PRODUCT(along, rows, count)                                                    \
  for (int64_t i = 0; i < depth;) {                                                            \
    const int64_t left = (depth - i) / DK_WIDTH;                                               \
    const int64_t vectors = left == 1 ? 1 : DK_WIDE == 3 && left % 2 ? 3 : 2;                  \
    if (vectors == 1) tiles(1, along, s, DK_STRIP, x + i, depth, rows, count, accumulate, y + i, depth); \
    else if (vectors == 2) tiles(2, along, s, DK_STRIP, x + i, depth, rows, count, accumulate, y + i, depth); \
    else tiles(DK_WIDE, along, s, DK_STRIP, x + i, depth, rows, count, accumulate, y + i, depth); \
    i += vectors * DK_WIDTH;                                                                   \
  }
// y[query] (+)= sum over keys of s[key][query] x[key].
static void query_product(const float *s, const float *x, int64_t depth, int64_t queries, int64_t keys,
                          int accumulate, float *y) {
  CHANNEL_PRODUCT(0, queries, keys)
}
// y[key] (+)= sum over queries of s[key][query] x[query].
static void key_product(const float *s, const float *x, int64_t depth, int64_t queries, int64_t keys,
                        int accumulate, float *y) {
  CHANNEL_PRODUCT(1, keys, queries)
}
#undef CHANNEL_PRODUCT

// ---- rows of queries to lanes

#if DK_WIDTH == 16
#define LOW_HALVES(a, b) \
  __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGH_HALVES(a, b) \
  __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#elif DK_WIDTH == 8
#define LOW_HALVES(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define HIGH_HALVES(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#else
#define LOW_HALVES(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define HIGH_HALVES(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#endif

// xt[channel][query] of x[query][depth], for `vectors` vectors of queries. Interleaving the first half of the
// vectors with the second as often as it takes to come back to the start, once short of none, transposes.
static void transpose(int vectors, const float *x, int64_t depth, float *xt) {
  for (int v = 0; v < vectors; ++v, x += DK_WIDTH * depth)
    for (int64_t c = 0; c < depth; c += DK_WIDTH) {
      vf a[DK_WIDTH], b[DK_WIDTH];
      UNROLL for (int i = 0; i < DK_WIDTH; ++i) a[i] = load(x + i * depth + c);
      UNROLL for (int step = 1; step < DK_WIDTH; step *= 2) {
        UNROLL for (int i = 0; i < DK_WIDTH / 2; ++i) {
          b[2 * i] = LOW_HALVES(a[i], a[i + DK_WIDTH / 2]);
          b[2 * i + 1] = HIGH_HALVES(a[i], a[i + DK_WIDTH / 2]);
        }
        UNROLL for (int i = 0; i < DK_WIDTH; ++i) a[i] = b[i];
      }
      UNROLL for (int i = 0; i < DK_WIDTH; ++i) store(xt + (c + i) * DK_STRIP + v * DK_WIDTH, a[i]);
    }
}
#undef LOW_HALVES
#undef HIGH_HALVES

// ---- softmax

// A strip: its queries are the positions [begin, begin + used), in the lanes of `vectors` vectors.
typedef struct {
  int64_t begin, used;
  int vectors;
  vf most[2], sum[2], dot[2];  // a query's largest score, sum of e^(score - most), sum of that times dP
} strip_state;

INLINE strip_state start_strip(const window_plan *plan, int64_t begin) {
  const int64_t left = plan->positions - begin;
  strip_state strip = {.begin = begin, .used = left < DK_STRIP ? left : DK_STRIP};
  strip.vectors = strip.used > DK_WIDTH ? 2 : 1;
  UNROLL for (int v = 0; v < 2; ++v) strip.most[v] = splat(-__builtin_inff());
  return strip;
}

// Adds the bias to scores of key rows [begin, end) and finds the largest. A NaN is passed over here and
// comes out of the exponential.
INLINE void add_bias(const int vectors, const window_plan *plan, int64_t w, int64_t begin, int64_t end,
                     const float *bias, strip_state *strip, float *s) {
  const float *from[2];
  vf most[2];
  UNROLL for (int v = 0; v < vectors; ++v) {
    from[v] = bias + first_pair(plan, plan->bias, strip->begin + v * DK_WIDTH);
    most[v] = strip->most[v];
  }
  for (int64_t r = begin; r < end; ++r)
    for (int64_t c = 0; c < w; ++c, s += DK_STRIP) {
      const int64_t at = r * plan->bias.key_row + c * plan->bias.key_column;
      UNROLL for (int v = 0; v < vectors; ++v) {
        const vf x = load(s + v * DK_WIDTH) + load(from[v] + at);
        most[v] = choose(x > most[v], x, most[v]);
        store(s + v * DK_WIDTH, x);
      }
    }
  UNROLL for (int v = 0; v < vectors; ++v) strip->most[v] = most[v];
}

// s = e^(s - most), summed; with dp, the sum of s dp too.
INLINE void exponentials(const int vectors, int64_t keys, strip_state *strip, const float *dp, float *s) {
  vf sum[2], dot[2];
  UNROLL for (int v = 0; v < vectors; ++v) sum[v] = strip->sum[v], dot[v] = strip->dot[v];
  for (int64_t key = 0; key < keys; ++key)
    UNROLL for (int v = 0; v < vectors; ++v) {
      const int64_t at = key * DK_STRIP + v * DK_WIDTH;
      const vf e = exp_of(load(s + at) - strip->most[v]);
      sum[v] += e;
      if (dp) dot[v] = FMA(e, load(dp + at), dot[v]);
      store(s + at, e);
    }
  UNROLL for (int v = 0; v < vectors; ++v) strip->sum[v] = sum[v], strip->dot[v] = dot[v];
}

// P = s / sum in place of s and dS = P (dP - sum of P dP) in place of dp, for key rows [begin, end); dS is
// added to the gradient over pairs.
INLINE void score_gradients(const int vectors, const window_plan *plan, int64_t w, int64_t begin,
                            int64_t end, const strip_state *strip, float *s, float *dp, float *gradient) {
  float *to[2];
  vf scale[2], mean[2];
  UNROLL for (int v = 0; v < vectors; ++v) {
    to[v] = gradient + first_pair(plan, plan->gradient, strip->begin + v * DK_WIDTH);
    scale[v] = 1.0f / strip->sum[v];
    mean[v] = strip->dot[v] * scale[v];
  }
  for (int64_t r = begin; r < end; ++r)
    for (int64_t c = 0; c < w; ++c, s += DK_STRIP, dp += DK_STRIP) {
      const int64_t at = r * plan->gradient.key_row + c * plan->gradient.key_column;
      UNROLL for (int v = 0; v < vectors; ++v) {
        const vf p = load(s + v * DK_WIDTH) * scale[v];
        const vf ds = p * (load(dp + v * DK_WIDTH) - mean[v]);
        store(s + v * DK_WIDTH, p);
        store(dp + v * DK_WIDTH, ds);
        store(to[v] + at, load(to[v] + at) + ds);
      }
    }
}

// ---- a strip of queries

// What is held of one window, of one strip, and of the call.
typedef struct {
  float *k, *v, *dk, *dv;         // of the window, [N][depth]
  float *q, *go, *dq, *qt, *got;  // of the strip, [queries][depth], transposed the last two
  float *s, *dp;                  // [N][DK_STRIP]
  float *sums, *pairs;            // of the table; over pairs, of each head
} attention_buffers;

// Lays the buffers out, for backward where there are `heads`; all beyond the channels of gathered rows is
// zeros.
INLINE attention_buffers lay_out(const dk_attention *g, window_plan *plan, int64_t heads, float *scratch) {
  const int64_t window = plan->tokens * plan->depth, strip = DK_STRIP * plan->depth;
  const int64_t scores = plan->tokens * DK_STRIP, side = 2 * g->window - 1;
  attention_buffers b = {.k = scratch + place_rows(g, plan, scratch)};
  b.v = b.k + window, b.q = b.v + window, b.go = b.q + strip, b.dq = b.go + strip;
  b.qt = b.dq + strip, b.got = b.qt + strip, b.s = b.got + strip, b.dp = b.s + scores;
  b.dk = b.dp + scores, b.dv = b.dk + window, b.sums = b.dv + window;
  b.pairs = b.sums + round_up(side * side) + DK_WIDTH;
  memset(b.k, 0, (size_t)(2 * window + 2 * strip) * sizeof(float));
  if (heads > 0) memset(b.pairs, 0, (size_t)(heads * plan->pairs + DK_WIDTH) * sizeof(float));
  return b;
}

// One strip of queries of one window: scores over all keys, softmax, and its sums of v (in dq),
// to be multiplied by `scales`.
INLINE void attend(const int vectors, const dk_attention *g, const window_plan *plan, strip_state strip,
                   const float *bias, const attention_buffers *b, float *scales) {
  const int64_t w = g->window, depth = plan->depth;
  for (int64_t r = 0, end; r < w; r = end) {
    end = r + plan->chunk_rows < w ? r + plan->chunk_rows : w;
    float *scores = b->s + r * w * DK_STRIP;
    score_product(vectors, b->k + r * w * depth, depth, b->qt, (end - r) * w, g->head_dim, scores);
    add_bias(vectors, plan, w, r, end, bias, &strip, scores);
  }
  for (int64_t r = 0, end; r < w; r = end) {
    end = r + plan->chunk_rows < w ? r + plan->chunk_rows : w;
    float *scores = b->s + r * w * DK_STRIP;
    exponentials(vectors, (end - r) * w, &strip, NULL, scores);
    query_product(scores, b->v + r * w * depth, depth, strip.used, (end - r) * w, r > 0, b->dq);
  }
  UNROLL for (int i = 0; i < vectors; ++i) store(scales + i * DK_WIDTH, 1.0f / strip.sum[i]);
}

// One strip of queries of one window: dq, and its shares of dk, dv and the gradient over pairs.
INLINE void attend_gradient(const int vectors, const dk_attention *g, const window_plan *plan,
                               strip_state strip, const float *bias, const attention_buffers *b, float *pairs) {
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
    score_gradients(vectors, plan, w, r, end, &strip, p, ds, pairs);
    key_product(p, b->go, depth, strip.used, keys, strip.begin > 0, b->dv + key * depth);  // dV += P^T dO
    key_product(ds, b->q, depth, strip.used, keys, strip.begin > 0, b->dk + key * depth);  // dK += dS^T q
    query_product(ds, b->k + key * depth, depth, strip.used, keys, r > 0, b->dq);          // dq += dS k
  }
}
