// The memory layout of the operands of window attention, and the bias over pairs of query and key.

// An array over pairs of query and key, both as rows and columns of the window:
// first + query_row * row + query_column + key_row * key_row + key_column * key_column.
typedef struct {
  int64_t first, query_row, key_row, key_column;
} pair_places;

// Queries of a window take `row` positions per row of the window. In a `dense` window they follow each other
// without gaps, so a vector may hold parts of several rows, and bias and its gradient are stored for all pairs,
// [key][position]. Otherwise rows begin at whole vectors: a vector of queries then needs consecutive entries of
// the table, which are read in place.
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

// Computes the offsets of the rows of a window into `scratch`; returns how many floats of it that takes.
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

// One step through an image: a window and a head. All heads of a window come first, then the next window, so that
// memory is read nearly in order. The rows of the next step are `pixels` and `columns` further on. Those of a
// small window are prefetched, because they are too short for the hardware prefetcher.
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

// The index of the pair of key (0, 0) and the query at `position`.
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

// What a gradient over pairs adds to the gradient of the table: the sums of its diagonals. `sums` is scratch of the
// table's size plus one vector, because a vector at the end of a row of the window reaches beyond it with zeros.
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
