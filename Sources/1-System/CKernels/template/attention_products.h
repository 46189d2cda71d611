// The products of window attention and the transposition they need, on f32.

// c[m][n] (+)= sum over k of a(m, k) b[k][n], a tile of `rows` by `vectors`, both constants after inlining.
// `along`: a(m, k) = a[m * a_pitch + k]; otherwise a[k * a_pitch + m].
INLINE void tile(const int rows, const int vectors, const int along, const float *a, int64_t a_pitch,
                 const float *b, int64_t b_pitch, int64_t count, int accumulate, float *c,
                 int64_t c_pitch) {
  vf sum[DK_TILE][DK_WIDE];
  const float *p[DK_TILE];
  UNROLL for (int r = 0; r < rows; ++r) {
    p[r] = along ? a + r * a_pitch : a + r;
    UNROLL for (int v = 0; v < vectors; ++v)
      sum[r][v] = accumulate ? load(c + r * c_pitch + v * DK_WIDTH) : (vf){};
  }
  for (int64_t k = 0; k < count; ++k) {
    vf x[DK_WIDE];
    UNROLL for (int v = 0; v < vectors; ++v) x[v] = load(b + k * b_pitch + v * DK_WIDTH);
    UNROLL for (int r = 0; r < rows; ++r) {
      const vf y = splat(along ? p[r][k] : p[r][k * a_pitch]);
      UNROLL for (int v = 0; v < vectors; ++v) sum[r][v] = FMA(y, x[v], sum[r][v]);
    }
  }
  UNROLL for (int r = 0; r < rows; ++r)
    UNROLL for (int v = 0; v < vectors; ++v) store(c + r * c_pitch + v * DK_WIDTH, sum[r][v]);
}

#define TILE(rows, vectors)                                                             \
  tile(rows, vectors, along, a, a_pitch, b, b_pitch, count, accumulate, c, c_pitch);    \
  height = rows;                                                                        \
  break
#define TILE_OF(vectors)                                      \
  for (int64_t m = 0, height; m < rows; m += height) {        \
    switch (rows - m < DK_TILE ? rows - m : DK_TILE) {        \
      case DK_TILE: TILE(DK_TILE, vectors);                   \
      default: TILE(4, vectors);                              \
      case 2:                                                 \
      case 3: TILE(2, vectors);                               \
      case 1: TILE(1, vectors);                               \
    }                                                         \
    a += along ? height * a_pitch : height;                   \
    c += height * c_pitch;                                    \
  }

INLINE void tiles(const int vectors, const int along, const float *a, int64_t a_pitch, const float *b,
                  int64_t b_pitch, int64_t rows, int64_t count, int accumulate, float *c,
                  int64_t c_pitch) {
  TILE_OF(vectors)
}
#undef TILE
#undef TILE_OF

// Scores s[key][query] of a strip, from rows x[key] and the strip's qt[channel][query].
static void score_product(int vectors, const float *x, int64_t depth, const float *qt, int64_t keys,
                          int64_t channels, float *s) {
  if (vectors == 1) tiles(1, 1, x, depth, qt, DK_STRIP, keys, channels, 0, s, DK_STRIP);
  else tiles(2, 1, x, depth, qt, DK_STRIP, keys, channels, 0, s, DK_STRIP);
}

#define CHANNEL_PRODUCT(along, rows, count)                                                    \
  for (int64_t i = 0; i < depth;) {                                                            \
    const int64_t left = (depth - i) / DK_WIDTH;                                               \
    const int64_t vectors = left == 1 ? 1 : DK_WIDE == 3 && left % 2 ? 3 : 2;                  \
    if (vectors == 1) tiles(1, along, s, DK_STRIP, x + i, depth, rows, count, accumulate, y + i, depth); \
    else if (vectors == 2) tiles(2, along, s, DK_STRIP, x + i, depth, rows, count, accumulate, y + i, depth); \
    else tiles(DK_WIDE, along, s, DK_STRIP, x + i, depth, rows, count, accumulate, y + i, depth); \
    i += vectors * DK_WIDTH;                                                                   \
  }
// y[query] (+)= sum over keys of s[key][query] x[key].
static void query_product(const float *s, const float *x, int64_t depth, int64_t queries, int64_t keys,
                          int accumulate, float *y) {
  CHANNEL_PRODUCT(0, queries, keys)
}
// y[key] (+)= sum over queries of s[key][query] x[query].
static void key_product(const float *s, const float *x, int64_t depth, int64_t queries, int64_t keys,
                        int accumulate, float *y) {
  CHANNEL_PRODUCT(1, keys, queries)
}
#undef CHANNEL_PRODUCT

// ---- rows of queries to lanes

// xt[channel][query] of x[query][depth], for `vectors` vectors of queries.
static void transpose(int vectors, const float *x, int64_t depth, float *xt) {
  for (int v = 0; v < vectors; ++v, x += DK_WIDTH * depth)
    for (int64_t c = 0; c < depth; c += DK_WIDTH) {
      vf a[DK_WIDTH];
      UNROLL for (int i = 0; i < DK_WIDTH; ++i) a[i] = load(x + i * depth + c);
      transpose_block(a);
      UNROLL for (int i = 0; i < DK_WIDTH; ++i) store(xt + (c + i) * DK_STRIP + v * DK_WIDTH, a[i]);
    }
}
