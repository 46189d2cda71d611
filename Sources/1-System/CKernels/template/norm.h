// Group norm with optional Swish, and layer norm.

// One image: y = act(gamma (x - mean) rstd + beta). `statistics` [2, channels] receives mean and rstd,
// repeated over each group; `scratch` [channels].
static void T(group_norm)(const float *x, int64_t rows, int64_t channels, int64_t groups,
                          const float *gamma, const float *beta, float epsilon, int swish,
                          float *statistics, float *scratch, void *vy) {
  element *y = vy;
  float *mean = statistics, *rstd = statistics + channels;
  const double count = (double)(rows * (channels / groups));
  channel_sums(x, rows, channels, NULL, 1, mean);
  group_means(mean, channels, groups, count);
  channel_sums(x, rows, channels, mean, 2, rstd);
  group_means(rstd, channels, groups, count);
  FOR_VECTORS(0, channels) {
    const vf r = 1.0f / root(load_upto(rstd + i, part) + epsilon);
    store_upto(rstd + i, r, part);
    store_upto(scratch + i, r * load_upto(gamma + i, part), part);
  }
  for (int64_t row = 0; row < rows; ++row)
    FOR_VECTORS(0, channels) {
      const vf d = load_upto(x + row * channels + i, part) - load_upto(mean + i, part);
      const vf z = FMA(d, load_upto(scratch + i, part), load_upto(beta + i, part));
      store_upto(y + row * channels + i, swish ? z * sigmoid_of(z) : z, part);
    }
}

// The sums of dz and dz xhat over rows, of `vectors` of channels from `first` on (constant after inlining), the
// last one of `part` lanes.
INLINE void T(gradient_sums)(const int vectors, int64_t part, const float *x, const element *dy,
                             int64_t rows, int64_t channels, int64_t first, const float *gamma,
                             const float *beta, int swish, const float *statistics, float *sums) {
  vf m[2], r[2], g[2], b[2], plain[2], product[2];
  UNROLL for (int v = 0; v < vectors; ++v) {
    const int64_t at = first + v * DK_WIDTH;
    m[v] = load_upto(statistics + at, part), r[v] = load_upto(statistics + channels + at, part);
    g[v] = load_upto(gamma + at, part), b[v] = load_upto(beta + at, part);
    plain[v] = product[v] = (vf){};
  }
  for (int64_t block = 0; block < rows; block += 64) {
    const int64_t stop = block + 64 < rows ? block + 64 : rows;
    vf some[2], weighted[2];
    UNROLL for (int v = 0; v < vectors; ++v) some[v] = weighted[v] = (vf){};
    for (int64_t row = block; row < stop; ++row)
      UNROLL for (int v = 0; v < vectors; ++v) {
        const int64_t at = row * channels + first + v * DK_WIDTH;
        const vf xhat = (load_upto(x + at, part) - m[v]) * r[v];
        vf dz = load_upto(dy + at, part);
        if (swish) dz *= T(silu_slope)(FMA(xhat, g[v], b[v]));
        some[v] += dz;
        weighted[v] = FMA(dz, xhat, weighted[v]);
      }
    UNROLL for (int v = 0; v < vectors; ++v) plain[v] += some[v], product[v] += weighted[v];
  }
  UNROLL for (int v = 0; v < vectors; ++v) {
    store_upto(sums + first + v * DK_WIDTH, plain[v], part);
    store_upto(sums + channels + first + v * DK_WIDTH, product[v], part);
  }
}

// One image. `sums` [2, channels] receives sum dz and sum dz xhat, the image's share of the gradients
// of beta and gamma; `scratch` has [2, channels]. dz, the gradient before Swish, is computed twice instead of being
// stored: an exponential costs less than a pass over memory.
static void T(group_norm_gradient)(const float *x, const void *vdy, const float *addend, int64_t rows,
                                   int64_t channels, int64_t groups, const float *gamma,
                                   const float *beta, int swish, const float *statistics,
                                   float *scratch, float *sums, float *dx) {
  const element *dy = vdy;
  const float *mean = statistics, *rstd = statistics + channels;
  float *first = scratch, *second = scratch + channels;
  int64_t c = 0;
  for (; c + 2 * DK_WIDTH <= channels; c += 2 * DK_WIDTH)
    T(gradient_sums)(2, DK_WIDTH, x, dy, rows, channels, c, gamma, beta, swish, statistics, sums);
  FOR_VECTORS(c, channels)
  T(gradient_sums)(1, part, x, dy, rows, channels, i, gamma, beta, swish, statistics, sums);
  FOR_VECTORS(0, channels) {
    const vf g = load_upto(gamma + i, part);
    store_upto(first + i, g * load_upto(sums + i, part), part);
    store_upto(second + i, g * load_upto(sums + channels + i, part), part);
  }
  const double count = (double)(rows * (channels / groups));
  group_means(first, channels, groups, count);
  group_means(second, channels, groups, count);
  for (int64_t row = 0; row < rows; ++row)
    FOR_VECTORS(0, channels) {
      const int64_t at = row * channels + i;
      const vf r = load_upto(rstd + i, part), g = load_upto(gamma + i, part);
      const vf xhat = (load_upto(x + at, part) - load_upto(mean + i, part)) * r;
      vf dz = load_upto(dy + at, part);
      if (swish) dz *= T(silu_slope)(FMA(xhat, g, load_upto(beta + i, part)));
      const vf d = g * dz - load_upto(first + i, part);
      vf out = r * FMA(-xhat, load_upto(second + i, part), d);
      if (addend) out += load_upto(addend + at, part);
      store_upto(dx + at, out, part);
    }
}

// Rows [begin, end): y = (x - mean) rstd; rstd is saved per row.
static void T(layer_norm)(const float *x, int64_t channels, int64_t begin, int64_t end, float epsilon,
                          float *rstd, void *vy) {
  element *y = vy;
  for (int64_t row = begin; row < end; ++row) {
    const float *in = x + row * channels;
    vf sum = {}, squares = {};
    FOR_VECTORS(0, channels) sum += load_upto(in + i, part);
    const float mean = sum_lanes(sum) / (float)channels;
    FOR_VECTORS(0, channels) {
      vf v = load_upto(in + i, part) - mean;
      if (part < DK_WIDTH) v = load_part((const float *)&v, part);
      squares = FMA(v, v, squares);
    }
    const float scale = 1.0f / __builtin_elementwise_sqrt(sum_lanes(squares) / (float)channels + epsilon);
    rstd[row] = scale;
    FOR_VECTORS(0, channels)
    store_upto(y + row * channels + i, (load_upto(in + i, part) - mean) * scale, part);
  }
}

// dx = rstd (dy - mean(dy) - y mean(dy y))
static void T(layer_norm_gradient)(const void *vy, const float *rstd, const void *vdy,
                                   const float *addend, int64_t channels, int64_t begin, int64_t end,
                                   float *dx) {
  const element *y = vy, *dy = vdy;
  for (int64_t row = begin; row < end; ++row) {
    const element *out = y + row * channels, *d = dy + row * channels;
    vf plain = {}, product = {};
    FOR_VECTORS(0, channels) {
      const vf v = load_upto(d + i, part);
      plain += v;
      product = FMA(v, load_upto(out + i, part), product);
    }
    const float a = sum_lanes(plain) / (float)channels, b = sum_lanes(product) / (float)channels;
    FOR_VECTORS(0, channels) {
      const vf v = load_upto(d + i, part) - a - load_upto(out + i, part) * b;
      const vf more = addend ? load_upto(addend + row * channels + i, part) : (vf){};
      store_upto(dx + row * channels + i, FMA(splat(rstd[row]), v, more), part);
    }
  }
}
