// Weight gradients of bf16 on tiles, as dy^T x: the reduction runs over positions, so one side must be
// transposed, and dy is transposed once for all taps.
//
// A block of dy becomes tiles of 16 output channels by 32 positions; for each tap and strip of 32 input
// channels, a block of x becomes pairs of positions and stays in L1 while all of dy passes by. The sums, of
// the transposed gradient, move between tiles and scratch; the last step transposes them into dw. A strip is
// summed whole even where a caller wants some of its rows, over 32 positions at a time in their order: bits
// do not depend on how the rows are split.

#define GATHERED 128                         // positions
#define BLOCK_CHUNKS 8                       // of TILE_DEPTH positions: two gatherings
#define BLOCK_POSITIONS (BLOCK_CHUNKS * TILE_DEPTH)
#define STRIP 32                             // input channels
#define SUMS_OF_PAIR (2 * TILE_WORDS)        // floats: 16 output channels by a strip

INLINE int64_t strips_of(int64_t k) { return (k + STRIP - 1) / STRIP; }
INLINE int64_t tiles_of(int64_t n) { return (n + TILE_COLUMNS - 1) / TILE_COLUMNS; }

/// Cutting a range elsewhere makes both sides sum the same strip.
static int64_t amx_gradient_grain_bf16(const dk_geometry *g) {
  return g->in_channels % STRIP ? g->in_channels : STRIP;
}

// The strip, counted over all taps, that row `row` of dw lies in.
INLINE int64_t strip_of(int64_t k, int64_t row) { return row / k * strips_of(k) + row % k / STRIP; }

static int64_t amx_weight_gradient_scratch_bf16(const dk_geometry *g, int64_t rows) {
  // A range may cut a strip at its begin and end, and the narrower last strip of a tap in its middle.
  const int64_t k = g->in_channels, met = strip_of(k, rows) + 3, all = g->weight_taps * strips_of(k);
  const int64_t strips = met < all ? met : all;
  const int64_t words = tiles_of(g->out_channels) * (BLOCK_CHUNKS * TILE_WORDS + strips * SUMS_OF_PAIR);
  return words * (int64_t)sizeof(uint32_t) + 64;
}

INLINE __m512i low16(__m512i a, __m512i b) { return _mm512_unpacklo_epi16(a, b); }
INLINE __m512i high16(__m512i a, __m512i b) { return _mm512_unpackhi_epi16(a, b); }
INLINE __m512i low32(__m512i a, __m512i b) { return _mm512_unpacklo_epi32(a, b); }
INLINE __m512i high32(__m512i a, __m512i b) { return _mm512_unpackhi_epi32(a, b); }
INLINE __m512i low64(__m512i a, __m512i b) { return _mm512_unpacklo_epi64(a, b); }
INLINE __m512i high64(__m512i a, __m512i b) { return _mm512_unpackhi_epi64(a, b); }

// Lane j holds 16 bytes from p[j step].
INLINE __m512i four_lanes(const char *const *p, int step, int64_t offset, __mmask8 mask) {
  __m512i v = _mm512_castsi128_si512(_mm_maskz_loadu_epi16(mask, p[0] + offset));
  v = _mm512_inserti32x4(v, _mm_maskz_loadu_epi16(mask, p[step] + offset), 1);
  v = _mm512_inserti32x4(v, _mm_maskz_loadu_epi16(mask, p[2 * step] + offset), 2);
  return _mm512_inserti32x4(v, _mm_maskz_loadu_epi16(mask, p[3 * step] + offset), 3);
}

// Eight elements at `offset` bytes of 32 rows become eight rows of 32. Each lane transposes its own 8 x 8.
INLINE void transpose_rows(const char *const *rows, int64_t offset, __mmask8 mask, uint32_t *to) {
  __m512i r[8], a[8], b[8];
  UNROLL for (int i = 0; i < 8; ++i) r[i] = four_lanes(rows + i, 8, offset, mask);
  UNROLL for (int i = 0; i < 8; i += 2) a[i] = low16(r[i], r[i + 1]), a[i + 1] = high16(r[i], r[i + 1]);
  UNROLL for (int i = 0; i < 8; i += 4) {
    b[i] = low32(a[i], a[i + 2]), b[i + 1] = high32(a[i], a[i + 2]);
    b[i + 2] = low32(a[i + 1], a[i + 3]), b[i + 3] = high32(a[i + 1], a[i + 3]);
  }
  UNROLL for (int i = 0; i < 4; ++i) {
    _mm512_storeu_si512(to + 2 * i * TILE_COLUMNS, low64(b[i], b[i + 4]));
    _mm512_storeu_si512(to + (2 * i + 1) * TILE_COLUMNS, high64(b[i], b[i + 4]));
  }
}

// Addresses of a chunk's rows, `count` of them there; the others, and those outside the image, are zeros.
INLINE void find_rows(const dk_bf16 *from, const int64_t *places, int64_t count, int64_t column,
                      const char **rows) {
  const __m512i zeros = _mm512_set1_epi64((int64_t)(uintptr_t)dk_zeros);
  const __m512i first = _mm512_set1_epi64((int64_t)(uintptr_t)(from + column));
  const uint32_t valid = count < TILE_DEPTH ? (1u << count) - 1 : ~0u;
  UNROLL for (int i = 0; i < TILE_DEPTH; i += 8) {
    const __mmask8 here = (__mmask8)(valid >> i);
    const __m512i place = _mm512_maskz_loadu_epi64(here, places + i);
    const __mmask8 there = _mm512_mask_cmpge_epi64_mask(here, place, _mm512_setzero_si512());
    _mm512_storeu_si512(rows + i, _mm512_mask_add_epi64(zeros, there, first, _mm512_slli_epi64(place, 1)));
  }
}

// Prefetches the cache lines `ahead` bytes behind these rows: many short pieces, which the hardware does not.
INLINE void fetch_rows(const char *const *rows, int64_t ahead) {
  for (int i = 0; i < TILE_DEPTH; ++i) _mm_prefetch(rows[i] + ahead, _MM_HINT_T0);
}

// One chunk of dy: columns [0, n) as tiles `pitch` words apart. The next chunk lies `ahead` bytes behind.
static void stage_transposed(const dk_bf16 *dy, const int64_t *places, int64_t count, int64_t n,
                             int64_t ahead, uint32_t *to, int64_t pitch) {
  for (int64_t column = 0; column < n; column += TILE_COLUMNS, to += pitch) {
    const char *rows[TILE_DEPTH];
    find_rows(dy, places, count, column, rows);
    if (column % (2 * TILE_COLUMNS) == 0) fetch_rows(rows, ahead);
    const int64_t left = n - column;
    const unsigned mask = left < TILE_COLUMNS ? (1u << left) - 1 : 0xffff;
    transpose_rows(rows, 0, (__mmask8)mask, to);
    transpose_rows(rows, 16, (__mmask8)(mask >> 8), to + TILE_WORDS / 2);
  }
}

// One chunk of a strip of x as two tiles of pairs, `pitch` words apart: in the first one, channels
// 0-3, 8-11, 16-19 and 24-27; in the second one, the others.
static void stage_pairs(const dk_bf16 *x, const int64_t *places, int64_t count, int64_t channel, int64_t k,
                        int64_t ahead, uint32_t *to, int64_t pitch) {
  const char *rows[TILE_DEPTH];
  find_rows(x, places, count, channel, rows);
  if (ahead) fetch_rows(rows, ahead);
  const __mmask32 mask = k - channel < STRIP ? (1u << (k - channel)) - 1 : ~0u;
  for (int i = 0; i < TILE_ROWS; ++i, to += TILE_COLUMNS) {
    const __m512i a = _mm512_maskz_loadu_epi16(mask, rows[2 * i]);
    const __m512i b = _mm512_maskz_loadu_epi16(mask, rows[2 * i + 1]);
    _mm512_storeu_si512(to, low16(a, b));
    _mm512_storeu_si512(to + pitch, high16(a, b));
  }
}

// One or two tiles of output channels by a strip, over `chunks` chunks.
INLINE void gradient_block(tile_registers *tiles, const int rows, int64_t chunks, const uint32_t *dy,
                           const uint32_t *x, int fresh, float *sums) {
  const int64_t strip = BLOCK_CHUNKS * TILE_WORDS;  // from one tile's chunks to the next one's
  if (fresh) {
    tile_zero(tiles, 0), tile_zero(tiles, 1);
    if (rows > 1) tile_zero(tiles, 2), tile_zero(tiles, 3);
  } else {
    tile_load(tiles, 0, sums, TILE_BYTES);
    tile_load(tiles, 1, sums + TILE_WORDS, TILE_BYTES);
    if (rows > 1) tile_load(tiles, 2, sums + 2 * TILE_WORDS, TILE_BYTES);
    if (rows > 1) tile_load(tiles, 3, sums + 3 * TILE_WORDS, TILE_BYTES);
  }
  for (int64_t i = 0; i < chunks; ++i, dy += TILE_WORDS, x += TILE_WORDS) {
    tile_load(tiles, 4, dy, TILE_BYTES);
    tile_load(tiles, 6, x, TILE_BYTES);
    tile_dot(tiles, 0, 4, 6);
    tile_load(tiles, 7, x + strip, TILE_BYTES);
    tile_dot(tiles, 1, 4, 7);
    if (rows > 1) {
      tile_load(tiles, 5, dy + strip, TILE_BYTES);
      tile_dot(tiles, 2, 5, 6);
      tile_dot(tiles, 3, 5, 7);
    }
  }
  tile_store(tiles, 0, sums, TILE_BYTES);
  tile_store(tiles, 1, sums + TILE_WORDS, TILE_BYTES);
  if (rows > 1) tile_store(tiles, 2, sums + 2 * TILE_WORDS, TILE_BYTES);
  if (rows > 1) tile_store(tiles, 3, sums + 3 * TILE_WORDS, TILE_BYTES);
}

static void gradient_strip(tile_registers *tiles, int64_t count, int64_t chunks, const uint32_t *dy,
                           const uint32_t *x, int fresh, float *sums) {
  for (; count > 1; count -= 2, dy += 2 * BLOCK_CHUNKS * TILE_WORDS, sums += 2 * SUMS_OF_PAIR)
    gradient_block(tiles, 2, chunks, dy, x, fresh, sums);
  if (count) gradient_block(tiles, 1, chunks, dy, x, fresh, sums);
}

// Sums [16 output channels][16 columns] of one tile into rows of dw, those of channels [first, last).
// Column 4 q + i of the tile is channel `channel` + 8 q + i. `dw` is where channel 0 lies.
static void store_transposed(const float *sums, int64_t channel, int64_t first, int64_t last, int64_t valid,
                             int accumulate, float *dw, int64_t n) {
  const char *rows[TILE_ROWS];
  for (int i = 0; i < TILE_ROWS; ++i) rows[i] = (const char *)(sums + i * TILE_COLUMNS);
  for (int q = 0; q < 4; ++q, channel += 8) {
    __m512i r[4], out[4];
    UNROLL for (int i = 0; i < 4; ++i) r[i] = four_lanes(rows + i, 4, 16 * q, 0xff);
    const __m512i a = low32(r[0], r[1]), b = high32(r[0], r[1]), c = low32(r[2], r[3]), d = high32(r[2], r[3]);
    out[0] = low64(a, c), out[1] = high64(a, c), out[2] = low64(b, d), out[3] = high64(b, d);
    UNROLL for (int i = 0; i < 4; ++i) {
      if (channel + i < first || channel + i >= last) continue;
      float *to = dw + (channel + i) * n;
      const vf sum = (vf)out[i];
      store_upto(to, accumulate ? load_upto(to, valid) + sum : sum, valid);
    }
  }
}

static void amx_weight_gradient_bf16(const dk_geometry *g, int64_t begin, int64_t end, const void *x,
                                     const void *dy, int accumulate, void *scratch, float *dw) {
  const int64_t k = g->in_channels, n = g->out_channels, strips = strips_of(k), count = tiles_of(n);
  const int64_t positions = g->images * g->grid_h * g->grid_w;
  if (positions == 0 || begin >= end) return;
  const int64_t first_strip = strip_of(k, begin);
  int64_t input[BLOCK_POSITIONS / GATHERED][DK_MAX_TAPS * DK_BLOCK], output[DK_BLOCK];
  uint32_t staged_x[2 * BLOCK_CHUNKS * TILE_WORDS] __attribute__((aligned(64)));
  uint32_t *staged_dy = (uint32_t *)(((uintptr_t)scratch + 63) / 64 * 64);
  float *sums = (float *)(staged_dy + count * BLOCK_CHUNKS * TILE_WORDS);
  // The likely distance of the rows that follow; a wrong guess costs only a fetch.
  const int64_t dy_ahead = TILE_DEPTH * g->out_pitch * g->out_stride * g->out_stride * 2;
  const int64_t x_ahead =
      (BLOCK_POSITIONS * g->in_pitch * g->in_stride * g->in_stride - (strips - 1) * STRIP) * 2;
  tile_registers tiles;
  tile_configure(&tiles);
  for (int64_t block = 0; block < positions; block += BLOCK_POSITIONS) {
    const int64_t here = positions - block < BLOCK_POSITIONS ? positions - block : BLOCK_POSITIONS;
    const int64_t chunks = (here + TILE_DEPTH - 1) / TILE_DEPTH;
    for (int64_t at = 0; at < here; at += GATHERED) {
      const int64_t gathered = here - at < GATHERED ? here - at : GATHERED;
      gather(g, block + at, block + at + gathered, input[at / GATHERED], output);
      for (int64_t p = 0; p < gathered; p += TILE_DEPTH)
        stage_transposed(dy, output + p, gathered - p, n, dy_ahead,
                         staged_dy + (at + p) / TILE_DEPTH * TILE_WORDS, BLOCK_CHUNKS * TILE_WORDS);
    }
    for (int64_t strip = 0; strip < strips; ++strip) {
      // Fetched by the first tap: the next strip, or the first one of the next block.
      int64_t ahead = strip + 1 < strips ? STRIP * (int64_t)sizeof(dk_bf16) : x_ahead;
      for (int t = 0; t < g->taps; ++t) {
        const int64_t row = g->weight_tap[t] * k + strip * STRIP;
        const int64_t next = strip + 1 < strips ? row + STRIP : (g->weight_tap[t] + 1) * k;
        if (next <= begin || row >= end) continue;
        for (int64_t p = 0; p < here; p += TILE_DEPTH)
          stage_pairs(x, input[p / GATHERED] + t * DK_BLOCK + p % GATHERED, here - p, strip * STRIP, k,
                      ahead, staged_x + p / TILE_DEPTH * TILE_WORDS, BLOCK_CHUNKS * TILE_WORDS);
        ahead = 0;
        gradient_strip(&tiles, count, chunks, staged_dy, staged_x, block == 0,
                       sums + (strip_of(k, row) - first_strip) * count * SUMS_OF_PAIR);
      }
    }
  }
  tile_release(&tiles);
  for (int t = 0; t < g->taps; ++t) {
    const int64_t base = g->weight_tap[t] * k;
    const int64_t first = begin > base ? begin - base : 0, last = end < base + k ? end - base : k;
    for (int64_t strip = first / STRIP; first < last && strip < strips_of(last); ++strip) {
      const float *from =
          sums + (strip_of(k, base) + strip - first_strip) * count * SUMS_OF_PAIR;
      for (int64_t tile = 0; tile < count; ++tile, from += SUMS_OF_PAIR) {
        const int64_t column = tile * TILE_COLUMNS, left = n - column;
        const int64_t valid = left < TILE_COLUMNS ? left : TILE_COLUMNS;
        float *to = dw + base * n + column;
        store_transposed(from, strip * STRIP, first, last, valid, accumulate, to, n);
        store_transposed(from + TILE_WORDS, strip * STRIP + 4, first, last, valid, accumulate, to, n);
      }
    }
  }
}
