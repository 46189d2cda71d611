// Matrix products over gathered rows: linear layers, convolutions and their gradients.
//
// A tile is DK_ROWS rows by up to DK_PANEL vectors of columns, held in registers over the whole
// reduction. Input rows are reached through pointers, so no image is unfolded in memory, and a row's
// arithmetic is one FMA chain whatever its neighbours, its block or its thread.

#define DK_ROWS 6
#define DK_BLOCK 192  // rows whose pointers are made at once; their inputs and outputs stay in L2

static const float dk_zeros[DK_MAX_GATHERED_CHANNELS];  // what a tap outside the image reads

INLINE int64_t round_up(int64_t n) { return (n + DK_WIDTH - 1) / DK_WIDTH * DK_WIDTH; }
INLINE int64_t panel_columns(int64_t n, int64_t column) {
  const int64_t left = round_up(n) - column;
  return left < DK_PANEL * DK_WIDTH ? left : DK_PANEL * DK_WIDTH;
}

static void pack(const float *w, int64_t taps, int64_t k, int64_t n, int transposed, float *packed) {
  for (int64_t column = 0; column < n;) {
    const int64_t width = panel_columns(n, column);
    const int64_t valid = n - column < width ? n - column : width;
    float *panel = packed + column * taps * k;
    for (int64_t t = 0; t < taps; ++t, panel += k * width) {
      const float *tap = w + t * k * n;
      if (!transposed) {
        for (int64_t i = 0; i < k; ++i) {
          memcpy(panel + i * width, tap + i * n + column, (size_t)valid * sizeof(float));
          memset(panel + i * width + valid, 0, (size_t)(width - valid) * sizeof(float));
        }
      } else {
        // Blocks of 16 rows of the source keep both sides in cache.
        for (int64_t i0 = 0; i0 < k; i0 += 16) {
          const int64_t i1 = i0 + 16 < k ? i0 + 16 : k;
          for (int64_t j = 0; j < width; ++j)
            for (int64_t i = i0; i < i1; ++i)
              panel[i * width + j] = j < valid ? tap[(column + j) * k + i] : 0.0f;
        }
      }
    }
    column += width;
  }
}

// One tile: rows x vectors; `rows` and `vectors` are constants after inlining.
INLINE void product_tile(const int rows, const int vectors, int taps, int64_t k,
                         const float *const *a, int64_t a_tap, const float *b,
                         const int32_t *weight_tap, const float *bias, int accumulate,
                         float *const *c, int64_t column, int64_t valid) {
  vf sum[DK_ROWS][DK_PANEL];
  UNROLL for (int v = 0; v < vectors; ++v) {
    const int64_t left = valid - v * DK_WIDTH;
    vf start = bias ? load_part(bias + column + v * DK_WIDTH, left < DK_WIDTH ? left : DK_WIDTH) : (vf){};
    UNROLL for (int r = 0; r < rows; ++r) sum[r][v] = start;
  }
  for (int t = 0; t < taps; ++t, a += a_tap) {
    const float *panel = b + weight_tap[t] * k * vectors * DK_WIDTH;
    const float *p[DK_ROWS];
    UNROLL for (int r = 0; r < rows; ++r) p[r] = a[r];
    for (int64_t i = 0; i < k; ++i, panel += vectors * DK_WIDTH) {
      vf w[DK_PANEL];
      UNROLL for (int v = 0; v < vectors; ++v) w[v] = load(panel + v * DK_WIDTH);
      UNROLL for (int r = 0; r < rows; ++r) {
        const vf x = splat(p[r][i]);
        UNROLL for (int v = 0; v < vectors; ++v) sum[r][v] = FMA(x, w[v], sum[r][v]);
      }
    }
  }
  UNROLL for (int r = 0; r < rows; ++r)
    UNROLL for (int v = 0; v < vectors; ++v) {
      float *out = c[r] + column + v * DK_WIDTH;
      const int64_t left = valid - v * DK_WIDTH;
      if (left >= DK_WIDTH) {
        store(out, accumulate ? load(out) + sum[r][v] : sum[r][v]);
      } else {
        store_part(out, accumulate ? load_part(out, left) + sum[r][v] : sum[r][v], left);
      }
    }
}

#define TILE_ARGUMENTS taps, k, a, a_tap, b, weight_tap, bias, accumulate, c, column, valid
#define TILE_ROWS(vectors)                                        \
  switch (rows) {                                                 \
    case 6: product_tile(6, vectors, TILE_ARGUMENTS); return;     \
    case 4: product_tile(4, vectors, TILE_ARGUMENTS); return;     \
    case 2: product_tile(2, vectors, TILE_ARGUMENTS); return;     \
    default: product_tile(1, vectors, TILE_ARGUMENTS); return;    \
  }

static void product_tile_any(int rows, int vectors, int taps, int64_t k, const float *const *a,
                             int64_t a_tap, const float *b, const int32_t *weight_tap,
                             const float *bias, int accumulate, float *const *c, int64_t column,
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

// Splits a count of rows into tile heights.
INLINE int tile_rows(int64_t left) { return left >= 6 ? 6 : left >= 4 ? 4 : left >= 2 ? 2 : 1; }

// Addresses of the input rows [taps][DK_BLOCK] and output rows of grid positions [begin, end).
static void gather(const dk_geometry *g, int64_t begin, int64_t end, const float *x, float *y,
                   const float **a, float **c) {
  int64_t column = begin % g->grid_w, row = begin / g->grid_w % g->grid_h;
  int64_t image = begin / g->grid_w / g->grid_h;
  for (int64_t i = 0; i < end - begin; ++i) {
    for (int t = 0; t < g->taps; ++t) {
      const int64_t iy = row * g->in_stride + g->dy[t], ix = column * g->in_stride + g->dx[t];
      const int inside = iy >= 0 && iy < g->in_h && ix >= 0 && ix < g->in_w;
      a[t * DK_BLOCK + i] = inside ? x + ((image * g->in_h + iy) * g->in_w + ix) * g->in_pitch : dk_zeros;
    }
    const int64_t oy = row * g->out_stride + g->out_y, ox = column * g->out_stride + g->out_x;
    c[i] = y + ((image * g->out_h + oy) * g->out_w + ox) * g->out_pitch;
    if (++column == g->grid_w) {
      column = 0;
      if (++row == g->grid_h) row = 0, ++image;
    }
  }
}

static void product(const dk_geometry *g, int64_t begin, int64_t end, const float *x,
                    const float *packed, const float *bias, int accumulate, float *y) {
  const float *a[DK_MAX_TAPS * DK_BLOCK];
  float *c[DK_BLOCK];
  const int64_t k = g->in_channels, n = g->out_channels;
  for (int64_t block = begin; block < end; block += DK_BLOCK) {
    const int64_t rows = end - block < DK_BLOCK ? end - block : DK_BLOCK;
    gather(g, block, block + rows, x, y, a, c);
    for (int64_t column = 0; column < n;) {
      const int64_t width = panel_columns(n, column);
      const int64_t valid = n - column < width ? n - column : width;
      for (int64_t r = 0; r < rows;) {
        const int height = tile_rows(rows - r);
        product_tile_any(height, (int)(width / DK_WIDTH), g->taps, k, a + r, DK_BLOCK,
                         packed + column * g->weight_taps * k, g->weight_tap, bias, accumulate,
                         c + r, column, valid);
        r += height;
      }
      column += width;
    }
  }
}

// A tile of the weight gradient: `rows` input channels by `vectors` of output channels, over `count`
// positions. x and dy are reached through pointers.
INLINE void gradient_tile(const int rows, const int vectors, int64_t count, const float *const *x,
                          int64_t channel, float *const *dy, int64_t column, int64_t valid, float *dw,
                          int64_t n, int fresh) {
  vf sum[DK_ROWS][DK_PANEL];
  UNROLL for (int r = 0; r < rows; ++r)
    UNROLL for (int v = 0; v < vectors; ++v) sum[r][v] = (vf){};
  const int whole = valid == vectors * DK_WIDTH || n < DK_WIDTH;
  for (int64_t i = 0; i < count; ++i) {
    const float *p = x[i] + channel, *q = dy[i] + column;
    vf d[DK_PANEL];
    UNROLL for (int v = 0; v < vectors; ++v) {
      const int64_t left = valid - v * DK_WIDTH;
      d[v] = whole ? load(q + v * DK_WIDTH) : load_part(q + v * DK_WIDTH, left < DK_WIDTH ? left : DK_WIDTH);
    }
    UNROLL for (int r = 0; r < rows; ++r) {
      const vf a = splat(p[r]);
      UNROLL for (int v = 0; v < vectors; ++v) sum[r][v] = FMA(a, d[v], sum[r][v]);
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

#define GRADIENT_ARGUMENTS count, x, channel, dy, column, valid, dw, n, fresh
#define GRADIENT_ROWS(vectors)                                          \
  switch (rows) {                                                       \
    case 6: gradient_tile(6, vectors, GRADIENT_ARGUMENTS); return;      \
    case 4: gradient_tile(4, vectors, GRADIENT_ARGUMENTS); return;      \
    case 2: gradient_tile(2, vectors, GRADIENT_ARGUMENTS); return;      \
    default: gradient_tile(1, vectors, GRADIENT_ARGUMENTS); return;     \
  }

static void gradient_tile_any(int rows, int vectors, int64_t count, const float *const *x, int64_t channel,
                              float *const *dy, int64_t column, int64_t valid, float *dw, int64_t n,
                              int fresh) {
  switch (vectors) {
    case 1: GRADIENT_ROWS(1)
    case 2: GRADIENT_ROWS(2)
#if DK_PANEL > 2
    case 3: GRADIENT_ROWS(3)
    case 4: GRADIENT_ROWS(4)
#endif
  }
}

static void weight_gradient(const dk_geometry *g, int64_t begin, int64_t end, const float *x,
                            const float *dy, int accumulate, float *dw) {
  const float *a[DK_MAX_TAPS * DK_BLOCK];
  float *c[DK_BLOCK];
  const int64_t k = g->in_channels, n = g->out_channels;
  const int64_t positions = g->images * g->grid_h * g->grid_w;
  for (int64_t block = 0; block < positions; block += DK_BLOCK) {
    const int64_t count = positions - block < DK_BLOCK ? positions - block : DK_BLOCK;
    gather(g, block, block + count, x, (float *)dy, a, c);
    float narrow[DK_BLOCK * DK_WIDTH];  // rows of less than a vector, padded once for all tiles
    if (n < DK_WIDTH)
      for (int64_t i = 0; i < count; ++i) {
        store(narrow + i * DK_WIDTH, load_part(c[i], n));
        c[i] = narrow + i * DK_WIDTH;
      }
    for (int t = 0; t < g->taps; ++t) {
      // This tap's rows of dw that lie in [begin, end), as channels of the input.
      const int64_t base = g->weight_tap[t] * k;
      const int64_t first = begin > base ? begin - base : 0;
      const int64_t last = end < base + k ? end - base : k;
      for (int64_t column = 0; column < n;) {
        const int64_t width = panel_columns(n, column);
        const int64_t valid = n - column < width ? n - column : width;
        for (int64_t channel = first; channel < last;) {
          const int height = tile_rows(last - channel);
          gradient_tile_any(height, (int)(width / DK_WIDTH), count, a + t * DK_BLOCK, channel, c, column,
                            valid, dw + (base + channel) * n + column, n, !accumulate && block == 0);
          channel += height;
        }
        column += width;
      }
    }
  }
}

static void column_sums(const float *x, int64_t rows, int64_t n, int64_t begin, int64_t end,
                        int accumulate, float *out) {
  for (int64_t column = begin; column < end; column += DK_WIDTH) {
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
