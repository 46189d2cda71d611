// Weight gradients: products that reduce over positions, x^T dy, and sums over rows.
//
// A tile is DK_ROWS input channels by up to DK_PANEL vectors of output channels, over a block of positions.
// Both sides of a block are staged first, so that their rows lie close together and not in the same sets
// of the cache: steps of x by channel, steps of dy in panels of columns. A step of f32 is a position; of
// bf16 two, woven into pairs.

#if !DK_ON_TILES
#define DK_STEPS 128  // of a block: a panel of dy stays in L1

// Elements [at, at + count) of a step's rows (-1: zeros), to whole vectors.
INLINE void T(stage)(const element *from, const int64_t *rows, int64_t left, int64_t at, int64_t count,
                     packed_t *to) {
  const int64_t ahead = 8 * STEP;  // rows that are fetched early
  for (int64_t r = ahead; r < ahead + STEP && r < left; ++r)
    if (rows[r] >= 0)
      for (int64_t i = 0; i < count; i += 64 / (int64_t)sizeof(element))
        __builtin_prefetch(from + rows[r] + at + i);
  const element *a = rows[0] < 0 ? (const element *)dk_zeros : from + rows[0] + at;
#if DK_PAIRS
  // The last position of an odd count has no second row.
  const element *b = left < 2 ? NULL : rows[1] < 0 ? (const element *)dk_zeros : from + rows[1] + at;
  FOR_VECTORS(0, count) {
    vh low = {}, high = {};
    if (part == DK_WIDTH) {
      memcpy(&low, a + i, sizeof low);
      if (b) memcpy(&high, b + i, sizeof high);
    } else {
      memcpy(&low, a + i, (size_t)part * sizeof *a);
      if (b) memcpy(&high, b + i, (size_t)part * sizeof *b);
    }
    const vu pairs = weave(low, high);
    memcpy(to + i, &pairs, sizeof pairs);
  }
#else
  (void)left;
  FOR_VECTORS(0, count) store(to + i, load_upto(a + i, part));
#endif
}

// Steps of x are this many elements apart, which is not a power of two.
INLINE int64_t T(staged_pitch)(int64_t k) { return round_up(k) + 16; }

static int64_t T(gradient_grain)(const dk_geometry *g) {
  (void)g;
  return DK_ROWS;
}

static int64_t T(weight_gradient_scratch)(const dk_geometry *g, int64_t rows) {
  (void)rows;
  const int64_t columns = T(staged_pitch)(g->in_channels) + round_up(g->out_channels);
  return DK_STEPS * columns * (int64_t)sizeof(packed_t);
}

INLINE void T(gradient_tile)(const int rows, const int vectors, int64_t steps, const packed_t *x,
                             int64_t x_pitch, const packed_t *dy, int64_t valid, float *dw, int64_t n,
                             int fresh) {
  vf sum[DK_ROWS][DK_PANEL];
  UNROLL for (int r = 0; r < rows; ++r)
    UNROLL for (int v = 0; v < vectors; ++v) sum[r][v] = (vf){};
  // Prefetches what the sums will be added to, while they are computed.
  UNROLL for (int r = 0; r < rows; ++r)
    for (int64_t i = 0; i < valid; i += 64 / (int64_t)sizeof(float)) __builtin_prefetch(dw + r * n + i, 1);
  for (int64_t i = 0; i < steps; ++i, x += x_pitch, dy += vectors * DK_WIDTH) {
    T(weight) d[DK_PANEL];
    UNROLL for (int v = 0; v < vectors; ++v) d[v] = T(load_weight)(dy + v * DK_WIDTH);
    UNROLL for (int r = 0; r < rows; ++r) {
      const T(input) a = T(staged_input)(x[r]);
      UNROLL for (int v = 0; v < vectors; ++v) sum[r][v] = T(multiply)(a, d[v], sum[r][v]);
    }
  }
  UNROLL for (int r = 0; r < rows; ++r)
    UNROLL for (int v = 0; v < vectors; ++v) {
      float *out = dw + r * n + v * DK_WIDTH;
      int64_t left = valid - v * DK_WIDTH;
      if (left > DK_WIDTH) left = DK_WIDTH;
      store_upto(out, fresh ? sum[r][v] : load_upto(out, left) + sum[r][v], left);
    }
}

#define GRADIENT_ARGUMENTS steps, x, x_pitch, dy, valid, dw, n, fresh
#define GRADIENT_ROWS(vectors)                                             \
  switch (rows) {                                                          \
    case 6: T(gradient_tile)(6, vectors, GRADIENT_ARGUMENTS); return;      \
    case 4: T(gradient_tile)(4, vectors, GRADIENT_ARGUMENTS); return;      \
    case 2: T(gradient_tile)(2, vectors, GRADIENT_ARGUMENTS); return;      \
    default: T(gradient_tile)(1, vectors, GRADIENT_ARGUMENTS); return;     \
  }

static void T(gradient_tile_any)(int rows, int vectors, int64_t steps, const packed_t *x, int64_t x_pitch,
                                 const packed_t *dy, int64_t valid, float *dw, int64_t n, int fresh) {
  switch (vectors) {
    case 1: GRADIENT_ROWS(1)
    case 2: GRADIENT_ROWS(2)
#if DK_PANEL > 2
    case 3: GRADIENT_ROWS(3)
    case 4: GRADIENT_ROWS(4)
#endif
  }
}
#undef GRADIENT_ARGUMENTS
#undef GRADIENT_ROWS

static void T(weight_gradient)(const dk_geometry *g, int64_t begin, int64_t end, const void *x,
                               const void *dy, int accumulate, void *scratch, float *dw) {
  int64_t input[DK_MAX_TAPS * DK_BLOCK], output[DK_BLOCK];
  const int64_t k = g->in_channels, n = g->out_channels, x_pitch = T(staged_pitch)(k);
  const int64_t positions = g->images * g->grid_h * g->grid_w;
  packed_t *staged_dy = scratch, *staged_x = staged_dy + DK_STEPS * round_up(n);
  for (int64_t block = 0; block < positions; block += DK_STEPS * STEP) {
    const int64_t count = positions - block < DK_STEPS * STEP ? positions - block : DK_STEPS * STEP;
    const int64_t steps = T(steps)(count);
    const int fresh = !accumulate && block == 0;
    gather(g, block, block + count, input, output);
    for (int64_t s = 0; s < steps; ++s)  // rows in their order: memory is read as it lies
      for (int64_t column = 0; column < n; column += DK_COLUMNS) {
        const int64_t width = panel_columns(n, column), left = n - column;
        T(stage)(dy, output + s * STEP, count - s * STEP, column, left < width ? left : width,
                 staged_dy + column * steps + s * width);
      }
    for (int t = 0; t < g->taps; ++t) {
      // This tap's rows of dw that lie in [begin, end), as channels of the input.
      const int64_t base = g->weight_tap[t] * k;
      const int64_t first = begin > base ? begin - base : 0;
      const int64_t last = end < base + k ? end - base : k;
      if (first >= last) continue;
      for (int64_t s = 0; s < steps; ++s)
        T(stage)(x, input + t * DK_BLOCK + s * STEP, count - s * STEP, first, last - first,
                 staged_x + s * x_pitch);
      for (int64_t column = 0; column < n; column += DK_COLUMNS) {
        const int64_t width = panel_columns(n, column);
        const int64_t valid = n - column < width ? n - column : width;
        for (int64_t channel = first; channel < last;) {
          const int height = tile_rows(last - channel);
          T(gradient_tile_any)(height, (int)(width / DK_WIDTH), steps, staged_x + channel - first, x_pitch,
                               staged_dy + column * steps, valid, dw + (base + channel) * n + column, n,
                               fresh);
          channel += height;
        }
      }
    }
  }
}

#endif

static void T(column_sums)(const void *vx, int64_t rows, int64_t n, int64_t begin, int64_t end, int accumulate,
                           float *out) {
  const element *x = vx;
  int64_t column = begin;
  for (; column + 4 * DK_WIDTH <= end; column += 4 * DK_WIDTH) {  // whole lines
    vf total[4] = {};
    for (int64_t block = 0; block < rows; block += 256) {
      const int64_t stop = block + 256 < rows ? block + 256 : rows;
      vf sum[4] = {};
      for (int64_t row = block; row < stop; ++row)
        UNROLL for (int v = 0; v < 4; ++v) sum[v] += load(x + row * n + column + v * DK_WIDTH);
      UNROLL for (int v = 0; v < 4; ++v) total[v] += sum[v];
    }
    UNROLL for (int v = 0; v < 4; ++v) {
      float *to = out + column + v * DK_WIDTH;
      store(to, accumulate ? load(to) + total[v] : total[v]);
    }
  }
  for (; column < end; column += DK_WIDTH) {
    const int64_t width = end - column < DK_WIDTH ? end - column : DK_WIDTH;
    vf total = {};
    for (int64_t block = 0; block < rows; block += 256) {  // two levels keep rounding small
      const int64_t stop = block + 256 < rows ? block + 256 : rows;
      vf sum = {};
      for (int64_t row = block; row < stop; ++row) sum += load_upto(x + row * n + column, width);
      total += sum;
    }
    store_part(out + column, accumulate ? load_part(out + column, width) + total : total, width);
  }
}
#undef STEP
#undef packed_t
