// The addresses of the rows of a product.

#define DK_BLOCK 256  // rows whose addresses are computed at once; their inputs and outputs stay in L2
#define DK_COLUMNS (DK_PANEL * DK_WIDTH)

static const float dk_zeros[DK_MAX_GATHERED_CHANNELS];  // what a tap outside the image reads

INLINE int64_t round_up(int64_t n) { return (n + DK_WIDTH - 1) / DK_WIDTH * DK_WIDTH; }
INLINE int64_t panel_columns(int64_t n, int64_t column) {
  const int64_t left = round_up(n) - column;
  return left < DK_COLUMNS ? left : DK_COLUMNS;
}

// Whether the rows follow each other as in a plain matrix product.
INLINE int is_flat(const dk_geometry *g) {
  return g->taps == 1 && g->dy[0] == 0 && g->dx[0] == 0 && g->in_stride == 1 && g->out_stride == 1 &&
         g->out_y == 0 && g->out_x == 0 && g->in_h == g->grid_h && g->in_w == g->grid_w &&
         g->out_h == g->grid_h && g->out_w == g->grid_w;
}

// For grid positions [begin, end): the first element of each tap's input row, [taps][DK_BLOCK], -1 outside
// the image; and of the output row.
static void gather(const dk_geometry *g, int64_t begin, int64_t end, int64_t *input, int64_t *output) {
  if (is_flat(g)) {
    for (int64_t i = 0; i < end - begin; ++i)
      input[i] = (begin + i) * g->in_pitch, output[i] = (begin + i) * g->out_pitch;
    return;
  }
  int64_t column = begin % g->grid_w, row = begin / g->grid_w % g->grid_h;
  int64_t image = begin / g->grid_w / g->grid_h;
  for (int64_t i = 0; i < end - begin; ++i) {
    for (int t = 0; t < g->taps; ++t) {
      const int64_t iy = row * g->in_stride + g->dy[t], ix = column * g->in_stride + g->dx[t];
      const int inside = iy >= 0 && iy < g->in_h && ix >= 0 && ix < g->in_w;
      input[t * DK_BLOCK + i] = inside ? ((image * g->in_h + iy) * g->in_w + ix) * g->in_pitch : -1;
    }
    const int64_t oy = row * g->out_stride + g->out_y, ox = column * g->out_stride + g->out_x;
    output[i] = ((image * g->out_h + oy) * g->out_w + ox) * g->out_pitch;
    if (++column == g->grid_w) {
      column = 0;
      if (++row == g->grid_h) row = 0, ++image;
    }
  }
}

// Splits a count of rows into tile heights.
INLINE int tile_rows(int64_t left) { return left >= 6 ? 6 : left >= 4 ? 4 : left >= 2 ? 2 : 1; }
#define DK_ROWS 6
