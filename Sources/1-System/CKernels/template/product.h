// Matrix products over gathered rows: linear layers, convolutions and their input gradients.
//
// A tile is DK_ROWS rows by up to DK_PANEL vectors of columns, held in registers over the whole
// reduction. Input rows are reached through pointers, so no image is unfolded in memory, and a row's
// arithmetic is one chain of multiply-adds whatever its neighbours, its block or its thread.

#define STEP T(STEP)
#define packed_t T(packed)

// Steps of a reduction over k elements.
INLINE int64_t T(steps)(int64_t k) { return (k + STEP - 1) / STEP; }

static int64_t T(packed_bytes)(int64_t taps, int64_t k, int64_t n) {
  return taps * T(steps)(k) * round_up(n) * (int64_t)sizeof(packed_t);
}

// Steps [step, step + DK_WIDTH) of a column as lanes; zeros beyond k.
INLINE vf T(column_steps)(const float *from, int64_t step, int64_t k) {
  const int64_t left = k - step * STEP;
#if DK_PAIRS
  vh low = {}, high = {};
  float whole[2 * DK_WIDTH] = {0};
  if (left < 2 * DK_WIDTH) memcpy(whole, from + 2 * step, (size_t)left * sizeof *whole);
  const float *p = left < 2 * DK_WIDTH ? whole : from + 2 * step;
  low = narrow(load(p)), high = narrow(load(p + DK_WIDTH));
  vf steps;  // neighbours are pairs already
  memcpy(&steps, &low, sizeof low);
  memcpy((char *)&steps + sizeof low, &high, sizeof high);
  return steps;
#else
  return left < DK_WIDTH ? load_part(from + step, left) : load(from + step);
#endif
}

// Rows of the panel from w [k, n]: as they are in f32, and two interleaved into one in bf16.
INLINE void T(pack_rows)(const float *w, int64_t n, int64_t k, int64_t valid, int64_t width, packed_t *to) {
  for (int64_t s = 0; s < T(steps)(k); ++s, to += width) {
    const float *from = w + s * STEP * n;
#if DK_PAIRS
    const int whole = 2 * s + 1 < k;
    FOR_VECTORS(0, valid) {
      const vf high = whole ? load_upto(from + n + i, part) : (vf){};
      const vu pairs = weave(narrow(load_upto(from + i, part)), narrow(high));
      memcpy(to + i, &pairs, (size_t)part * sizeof *to);
    }
#else
    memcpy(to, from, (size_t)valid * sizeof *to);
#endif
    memset(to + valid, 0, (size_t)(width - valid) * sizeof *to);
  }
}

// Rows of the panel from w [n, k]: columns of the panel are rows of w, so blocks are transposed.
INLINE void T(pack_columns)(const float *w, int64_t k, int64_t valid, int64_t width, packed_t *to) {
  const int64_t steps = T(steps)(k);
  for (int64_t j = 0; j < width; j += DK_WIDTH)
    for (int64_t s = 0; s < steps; s += DK_WIDTH) {
      vf block[DK_WIDTH];
      UNROLL for (int i = 0; i < DK_WIDTH; ++i)
        block[i] = j + i < valid ? T(column_steps)(w + (j + i) * k, s, k) : (vf){};
      transpose_block(block);
      const int64_t left = steps - s < DK_WIDTH ? steps - s : DK_WIDTH;
      for (int i = 0; i < left; ++i) memcpy(to + (s + i) * width + j, &block[i], sizeof block[i]);
    }
}

static void T(pack)(const float *w, int64_t taps, int64_t k, int64_t n, int transposed, int64_t begin,
                    int64_t end, void *packed) {
  const int64_t steps = T(steps)(k);
  for (int64_t column = begin; column < end;) {
    const int64_t width = panel_columns(n, column);
    const int64_t valid = n - column < width ? n - column : width;
    packed_t *panel = (packed_t *)packed + (column - begin) * taps * steps;
    for (int64_t t = 0; t < taps; ++t, panel += steps * width) {
      const float *tap = w + t * k * n;
      if (transposed) T(pack_columns)(tap + column * k, k, valid, width, panel);
      else T(pack_rows)(tap + column, n, k, valid, width, panel);
    }
    column += width;
  }
}

// Stores sums of a tile: adds what the epilogue adds, and converts.
#define STORE_TILE(name, type)                                                                        \
  static void T(name)(int rows, int64_t valid, const float *tile, const dk_epilogue *e, void *y,      \
                      const int64_t *output, int64_t column) {                                        \
    for (int r = 0; r < rows; ++r, tile += DK_COLUMNS) {                                              \
      const int64_t at = output[r] + column;                                                          \
      FOR_VECTORS(0, valid) {                                                                         \
        vf v = load(tile + i);                                                                        \
        if (e->addend) v += load_upto((const type *)e->addend + at + i, part);                        \
        if (y) store_upto((type *)y + at + i, v, part);                                               \
        if (e->activated) store_upto((type *)e->activated + at + i, gelu_of(v), part);                \
      }                                                                                               \
    }                                                                                                 \
  }
STORE_TILE(store_tile, element)
#if DK_PAIRS
STORE_TILE(store_tile_f32, float)
#endif

// One tile: rows x vectors; `rows` and `vectors` are constants after inlining.
INLINE void T(product_tile)(const int rows, const int vectors, int taps, int64_t k, const element *x,
                            const int64_t *input, const packed_t *b, const int32_t *weight_tap,
                            const dk_epilogue *e, void *y, const int64_t *output, int64_t column,
                            int64_t valid) {
  vf sum[DK_ROWS][DK_PANEL];
  UNROLL for (int v = 0; v < vectors; ++v) {
    const int64_t left = valid - v * DK_WIDTH;
    vf start = e->bias ? load_part(e->bias + column + v * DK_WIDTH, left < DK_WIDTH ? left : DK_WIDTH) : (vf){};
    UNROLL for (int r = 0; r < rows; ++r) sum[r][v] = start;
  }
  // Prefetches what the sums will be stored to and added to, while they are computed.
  const int64_t out_size = e->output == DK_F32 ? sizeof(float) : sizeof(element);
  UNROLL for (int r = 0; r < rows; ++r) {
    const int64_t first = (output[r] + column) * out_size, last = first + valid * out_size;
    for (int64_t at = first; at < last; at += 64) {
      if (y) __builtin_prefetch((char *)y + at, 1);
      if (e->addend) __builtin_prefetch((const char *)e->addend + at);
    }
  }
  const int64_t steps = T(steps)(k), whole = k / STEP;
  for (int t = 0; t < taps; ++t, input += DK_BLOCK) {
    const packed_t *panel = b + weight_tap[t] * steps * vectors * DK_WIDTH;
    const element *p[DK_ROWS];
    UNROLL for (int r = 0; r < rows; ++r) p[r] = input[r] < 0 ? (const element *)dk_zeros : x + input[r];
    for (int64_t i = 0; i < whole; ++i, panel += vectors * DK_WIDTH) {
      T(weight) w[DK_PANEL];
      UNROLL for (int v = 0; v < vectors; ++v) w[v] = T(load_weight)(panel + v * DK_WIDTH);
      UNROLL for (int r = 0; r < rows; ++r) {
        const T(input) a = T(load_input)(p[r], i);
        UNROLL for (int v = 0; v < vectors; ++v) sum[r][v] = T(multiply)(a, w[v], sum[r][v]);
      }
    }
    if (whole < steps) {
      UNROLL for (int r = 0; r < rows; ++r) {
        const T(input) a = T(last_input)(p[r], whole);
        UNROLL for (int v = 0; v < vectors; ++v)
          sum[r][v] = T(multiply)(a, T(load_weight)(panel + v * DK_WIDTH), sum[r][v]);
      }
    }
  }
  if (e->least) {
    UNROLL for (int v = 0; v < vectors; ++v) {
      const int64_t left = valid - v * DK_WIDTH;
      const vf least = load_part(e->least + column + v * DK_WIDTH, left < DK_WIDTH ? left : DK_WIDTH);
      UNROLL for (int r = 0; r < rows; ++r) sum[r][v] = at_least(sum[r][v], least);
    }
  }
  const int plain = !e->addend && !e->activated && valid == vectors * DK_WIDTH;
#if DK_PAIRS
  if (plain && e->output == DK_BF16) {
#else
  if (plain) {
#endif
    UNROLL for (int r = 0; r < rows; ++r)
      UNROLL for (int v = 0; v < vectors; ++v)
        store((element *)y + output[r] + column + v * DK_WIDTH, sum[r][v]);
    return;
  }
  float tile[DK_ROWS * DK_COLUMNS];
  UNROLL for (int r = 0; r < rows; ++r)
    UNROLL for (int v = 0; v < vectors; ++v) store(tile + r * DK_COLUMNS + v * DK_WIDTH, sum[r][v]);
#if DK_PAIRS
  if (e->output == DK_F32) {
    T(store_tile_f32)(rows, valid, tile, e, y, output, column);
    return;
  }
#endif
  T(store_tile)(rows, valid, tile, e, y, output, column);
}

#define TILE_ARGUMENTS taps, k, x, input, b, weight_tap, e, y, output, column, valid
#define TILE_ROWS(vectors)                                           \
  switch (rows) {                                                    \
    case 6: T(product_tile)(6, vectors, TILE_ARGUMENTS); return;     \
    case 4: T(product_tile)(4, vectors, TILE_ARGUMENTS); return;     \
    case 2: T(product_tile)(2, vectors, TILE_ARGUMENTS); return;     \
    default: T(product_tile)(1, vectors, TILE_ARGUMENTS); return;    \
  }

static void T(product_tile_any)(int rows, int vectors, int taps, int64_t k, const element *x,
                                const int64_t *input, const packed_t *b, const int32_t *weight_tap,
                                const dk_epilogue *e, void *y, const int64_t *output, int64_t column,
                                int64_t valid) {
  switch (vectors) {
    case 1: TILE_ROWS(1)
    case 2: TILE_ROWS(2)
#if DK_PANEL > 2
    case 3: TILE_ROWS(3)
    case 4: TILE_ROWS(4)
#endif
  }
}
#undef TILE_ARGUMENTS
#undef TILE_ROWS
#undef STORE_TILE

static void T(product)(const dk_geometry *g, int64_t begin, int64_t end, const void *x, const void *packed,
                       const dk_epilogue *e, void *y) {
  int64_t input[DK_MAX_TAPS * DK_BLOCK], output[DK_BLOCK];
  const int64_t k = g->in_channels, n = g->out_channels, panel = g->weight_taps * T(steps)(k);
  for (int64_t block = begin; block < end; block += DK_BLOCK) {
    const int64_t rows = end - block < DK_BLOCK ? end - block : DK_BLOCK;
    gather(g, block, block + rows, input, output);
    for (int64_t column = 0; column < n;) {
      const int64_t width = panel_columns(n, column);
      const int64_t valid = n - column < width ? n - column : width;
      for (int64_t r = 0; r < rows;) {
        const int height = tile_rows(rows - r);
        T(product_tile_any)(height, (int)(width / DK_WIDTH), g->taps, k, x, input + r,
                            (const packed_t *)packed + column * panel, g->weight_tap, e, y, output + r,
                            column, valid);
        r += height;
      }
      column += width;
    }
  }
}
