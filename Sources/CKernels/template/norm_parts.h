// What group norm sums, whatever the type of its results.

// Sums of f(x) a channel over the rows of one image, in two levels that keep rounding small:
// sum[c] = sum of (x - shift[c])^power.
INLINE void channel_sums(const float *x, int64_t rows, int64_t channels, const float *shift, int power,
                         float *sum) {
  FOR_VECTORS(0, channels) {
    const vf s = shift ? load_upto(shift + i, part) : (vf){};
    vf total = {};
    for (int64_t block = 0; block < rows; block += 64) {
      const int64_t stop = block + 64 < rows ? block + 64 : rows;
      vf a = {};
      for (int64_t row = block; row < stop; ++row) {
        const vf v = load_upto(x + row * channels + i, part) - s;
        a = power == 2 ? FMA(v, v, a) : a + v;
      }
      total += a;
    }
    store_upto(sum + i, total, part);
  }
}

// Replaces channel values by their mean over each group, `count` elements a group.
INLINE void group_means(float *value, int64_t channels, int64_t groups, double count) {
  const int64_t width = channels / groups;
  for (int64_t g = 0; g < groups; ++g) {
    double sum = 0;
    for (int64_t c = 0; c < width; ++c) sum += (double)value[g * width + c];
    for (int64_t c = 0; c < width; ++c) value[g * width + c] = (float)(sum / count);
  }
}
