// The sums of group norm, which do not depend on the type of its results.

// `vectors` of channels from `first` on (constant after inlining), the last one of `part` lanes.
INLINE void sum_channels(const int vectors, int64_t part, const float *x, int64_t rows, int64_t channels,
                         int64_t first, const float *shift, const int power, float *sum) {
  vf from[4], total[4];
  UNROLL for (int v = 0; v < vectors; ++v) {
    from[v] = shift ? load_upto(shift + first + v * DK_WIDTH, part) : (vf){};
    total[v] = (vf){};
  }
  for (int64_t block = 0; block < rows; block += 64) {
    const int64_t stop = block + 64 < rows ? block + 64 : rows;
    vf some[4];
    UNROLL for (int v = 0; v < vectors; ++v) some[v] = (vf){};
    for (int64_t row = block; row < stop; ++row)
      UNROLL for (int v = 0; v < vectors; ++v) {
        const vf d = load_upto(x + row * channels + first + v * DK_WIDTH, part) - from[v];
        some[v] = power == 2 ? FMA(d, d, some[v]) : some[v] + d;
      }
    UNROLL for (int v = 0; v < vectors; ++v) total[v] += some[v];
  }
  UNROLL for (int v = 0; v < vectors; ++v) store_upto(sum + first + v * DK_WIDTH, total[v], part);
}

// Sums per channel over the rows of one image, in two levels that keep rounding errors small:
// sum[c] = sum of (x - shift[c])^power. Whole cache lines at a time.
INLINE void channel_sums(const float *x, int64_t rows, int64_t channels, const float *shift,
                         const int power, float *sum) {
  int64_t c = 0;
  for (; c + 4 * DK_WIDTH <= channels; c += 4 * DK_WIDTH)
    sum_channels(4, DK_WIDTH, x, rows, channels, c, shift, power, sum);
  FOR_VECTORS(c, channels) sum_channels(1, part, x, rows, channels, i, shift, power, sum);
}

// Replaces channel values by their mean over each group, which has `count` elements.
INLINE void group_means(float *value, int64_t channels, int64_t groups, double count) {
  const int64_t width = channels / groups;
  for (int64_t g = 0; g < groups; ++g) {
    double sum = 0;
    for (int64_t c = 0; c < width; ++c) sum += (double)value[g * width + c];
    for (int64_t c = 0; c < width; ++c) value[g * width + c] = (float)(sum / count);
  }
}
