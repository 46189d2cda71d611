// Max and mean pooling over the pixels of a list of taps, channel by channel.

// Channels [c, c + part) of one position; `mean` is a constant after inlining.
INLINE vf T(pooled)(const int mean, const dk_geometry *g, const element *x, const int64_t *input, int64_t part) {
  vf value = {};
  int inside = 0;
  for (int t = 0; t < g->taps; ++t, input += DK_BLOCK) {
    if (*input < 0) continue;
    const vf v = load_upto(x + *input, part);
    if (mean) value += v;
    else value = inside ? choose((v <= value) | (value != value), value, v) : v;
    ++inside;
  }
  return mean && inside ? value / (float)inside : value;
}

static void T(pool)(const dk_geometry *g, int64_t begin, int64_t end, const void *vx, int mean,
                    const float *least, void *vy) {
  const element *x = vx;
  element *y = vy;
  int64_t input[DK_MAX_TAPS * DK_BLOCK], output[DK_BLOCK];
  for (int64_t block = begin; block < end; block += DK_BLOCK) {
    const int64_t rows = end - block < DK_BLOCK ? end - block : DK_BLOCK;
    gather(g, block, block + rows, input, output);
    for (int64_t r = 0; r < rows; ++r)
      FOR_VECTORS(0, g->in_channels) {
        vf v = mean ? T(pooled)(1, g, x + i, input + r, part) : T(pooled)(0, g, x + i, input + r, part);
        if (least) v = at_least(v, load_upto(least + i, part));
        store_upto(y + output[r] + i, v, part);
      }
  }
}

static void T(pool_gradient)(const dk_geometry *g, int64_t begin, int64_t end, const void *vx, const void *vy,
                             const void *vdy, void *vdx) {
  const element *x = vx, *y = vy, *dy = vdy;
  element *dx = vdx;
  int64_t input[DK_MAX_TAPS * DK_BLOCK], output[DK_BLOCK];
  for (int64_t block = begin; block < end; block += DK_BLOCK) {
    const int64_t rows = end - block < DK_BLOCK ? end - block : DK_BLOCK;
    gather(g, block, block + rows, input, output);
    for (int64_t r = 0; r < rows; ++r)
      FOR_VECTORS(0, g->in_channels) {
        const vf largest = load_upto(y + output[r] + i, part), d = load_upto(dy + output[r] + i, part);
        vi left = (vi){} - 1;
        for (int t = 0; t < g->taps; ++t) {
          const int64_t from = input[t * DK_BLOCK + r];
          if (from < 0) continue;
          const vi hit = left & (vi)(load_upto(x + from + i, part) == largest);
          store_upto(dx + from + i, choose(hit, d, (vf){}), part);
          left &= ~hit;
        }
      }
  }
}
