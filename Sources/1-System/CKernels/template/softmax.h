// Softmax over rows of any length, and its gradient: attention among all pixels of an image.

static void T(softmax)(float *scores, int64_t columns, int64_t begin, int64_t end, float scale, void *vy) {
  element *y = vy;
  for (int64_t row = begin; row < end; ++row) {
    float *s = scores + row * columns;
    vf most = splat(-__builtin_inff());
    int64_t whole = 0;
    for (; whole + DK_WIDTH <= columns; whole += DK_WIDTH) most = at_least(load(s + whole), most);
    float top = max_lanes(most);
    for (; whole < columns; ++whole) top = s[whole] > top ? s[whole] : top;
    const vf largest = splat(scale * top);
    vf sum = {};
    FOR_VECTORS(0, columns) {
      const vf e = exp_of(FMA(splat(scale), load_upto(s + i, part), -largest));
      store_upto(s + i, e, part);
      sum += load_upto(s + i, part);  // lanes behind the end count nothing
    }
    const vf factor = splat(1.0f / sum_lanes(sum));
    FOR_VECTORS(0, columns) {
      const vf p = factor * load_upto(s + i, part);
      store_upto(s + i, p, part);
      if (y) store_upto(y + row * columns + i, p, part);
    }
  }
}

static void T(softmax_gradient)(const float *p, const float *dp, int64_t columns, int64_t begin, int64_t end,
                                float scale, void *vds) {
  element *ds = vds;
  for (int64_t row = begin; row < end; ++row) {
    const int64_t at = row * columns;
    vf sum = {};
    FOR_VECTORS(at, at + columns) sum = FMA(load_upto(p + i, part), load_upto(dp + i, part), sum);
    const vf mean = splat(sum_lanes(sum));
    FOR_VECTORS(at, at + columns)
    store_upto(ds + i, scale * load_upto(p + i, part) * (load_upto(dp + i, part) - mean), part);
  }
}
