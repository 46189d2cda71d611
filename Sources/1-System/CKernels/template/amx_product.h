// Products of bf16 on tiles.
//
// Two tiles of 16 rows times two of 16 columns are summed in registers over all taps and channels. Rows that
// lie evenly spaced in the image are loaded from where they are; others, as at the image's edges, are copied
// first, once for all columns and all taps that meet the same pixels. Each sum starts with the bias and
// takes 32 channels at a time in the order of taps and channels, whatever its neighbours: its bits depend on
// nothing but its own inputs.

#include "tiles.h"

#define STAGED_BYTES (512 * 1024)
#define STAGED_ENOUGH (256 * 1024)  // copies that share L2 with the weights

// The addresses of 16 rows of one tap: row i is at base + i stride bytes.
typedef struct {
  const char *base;
  int64_t stride;
} tile_source;

// Copied rows: their offsets in the image, and the copies.
typedef struct {
  int64_t count, pitch;  // elements from one copied row to the next
  int64_t places[DK_BLOCK / TILE_ROWS * DK_MAX_TAPS][TILE_ROWS];
  dk_bf16 rows[STAGED_BYTES / sizeof(dk_bf16)] __attribute__((aligned(64)));
} tile_copies;

// Not a multiple of 4 KiB for any usual width, so that the rows of a tile lie in different sets of L1.
INLINE int64_t copy_pitch(int64_t k) { return k + TILE_DEPTH; }
INLINE int64_t copy_bytes(int64_t k) { return TILE_ROWS * copy_pitch(k) * (int64_t)sizeof(dk_bf16); }

INLINE tile_source copied_rows(const dk_bf16 *x, int64_t k, const int64_t *places, tile_copies *copies) {
  int64_t slot = 0;
  while (slot < copies->count && (copies->places[slot][TILE_ROWS / 2] != places[TILE_ROWS / 2] ||
                                  memcmp(copies->places[slot], places, sizeof copies->places[slot])))
    ++slot;
  dk_bf16 *to = copies->rows + slot * TILE_ROWS * copies->pitch;
  const tile_source source = {(const char *)to, copies->pitch * (int64_t)sizeof *to};
  if (slot < copies->count) return source;
  memcpy(copies->places[slot], places, sizeof copies->places[slot]);
  ++copies->count;
  for (int i = 0; i < TILE_ROWS; ++i, to += copies->pitch) {
    if (places[i] < 0) memset(to, 0, (size_t)k * sizeof *to);
    else memcpy(to, x + places[i], (size_t)k * sizeof *to);
  }
  return source;
}

// The 16 rows whose first elements are `places`; -1 is a row of zeros.
static tile_source tile_rows_at(const dk_bf16 *x, int64_t k, const int64_t *places, tile_copies *copies) {
  const int64_t spacing = places[1] - places[0];
  int even = 1, outside = 1;
  for (int i = 0; i < TILE_ROWS; ++i) {
    even &= places[i] == places[0] + i * spacing;
    outside &= places[i] < 0;
  }
  if (outside) return (tile_source){(const char *)dk_zeros, 0};
  if (even && spacing > 0 && places[0] >= 0)
    return (tile_source){(const char *)(x + places[0]), spacing * (int64_t)sizeof *x};
  return copied_rows(x, k, places, copies);
}

// One block: `rows` tiles of rows by `columns` tiles of columns; both are constants after inlining.
INLINE void tile_block(tile_registers *tiles, const int rows, const int columns, const dk_geometry *g,
                       const tile_source (*from)[DK_MAX_TAPS], const uint32_t *b, int64_t width,
                       const float *bias, float *sums) {
  const int64_t chunks = g->in_channels / TILE_DEPTH, stride = width * (int64_t)sizeof *b;
  const int64_t pitch = DK_COLUMNS * (int64_t)sizeof *sums;
  tile_load(tiles, 0, bias, 0);
  if (columns > 1) tile_load(tiles, 1, bias + TILE_COLUMNS, 0);
  if (rows > 1) tile_load(tiles, 2, bias, 0);
  if (rows > 1 && columns > 1) tile_load(tiles, 3, bias + TILE_COLUMNS, 0);
  for (int t = 0; t < g->taps; ++t) {
    const char *first = from[0][t].base, *second = from[rows - 1][t].base;
    const int64_t first_stride = from[0][t].stride, second_stride = from[rows - 1][t].stride;
    const char *w = (const char *)b + g->weight_tap[t] * chunks * TILE_ROWS * stride;
    for (int64_t i = 0; i < chunks; ++i) {
      tile_load(tiles, 4, first, first_stride);
      tile_load(tiles, 6, w, stride);
      tile_dot(tiles, 0, 4, 6);
      if (columns > 1) {
        tile_load(tiles, 7, w + TILE_BYTES, stride);
        tile_dot(tiles, 1, 4, 7);
      }
      if (rows > 1) {
        tile_load(tiles, 5, second, second_stride);
        tile_dot(tiles, 2, 5, 6);
        if (columns > 1) tile_dot(tiles, 3, 5, 7);
      }
      first += TILE_BYTES, second += TILE_BYTES, w += TILE_ROWS * stride;
    }
  }
  tile_store(tiles, 0, sums, pitch);
  if (columns > 1) tile_store(tiles, 1, sums + TILE_COLUMNS, pitch);
  if (rows > 1) tile_store(tiles, 2, sums + TILE_ROWS * DK_COLUMNS, pitch);
  if (rows > 1 && columns > 1) tile_store(tiles, 3, sums + TILE_ROWS * DK_COLUMNS + TILE_COLUMNS, pitch);
}

static void tile_block_any(tile_registers *tiles, int rows, int columns, const dk_geometry *g,
                           const tile_source (*from)[DK_MAX_TAPS], const uint32_t *b, int64_t width,
                           const float *bias, float *sums) {
  if (rows > 1 && columns > 1) tile_block(tiles, 2, 2, g, from, b, width, bias, sums);
  else if (rows > 1) tile_block(tiles, 2, 1, g, from, b, width, bias, sums);
  else if (columns > 1) tile_block(tiles, 1, 2, g, from, b, width, bias, sums);
  else tile_block(tiles, 1, 1, g, from, b, width, bias, sums);
}

// Prefetches what will be added to `rows` rows of sums, while those are computed: the rows are too far apart for
// the hardware prefetcher.
static void fetch_addend(int64_t rows, const dk_epilogue *e, const int64_t *output, int64_t column) {
  if (!e->addend) return;
  const int64_t size = e->output == DK_F32 ? sizeof(float) : sizeof(dk_bf16);
  for (int64_t r = 0; r < rows; ++r) {
    const char *p = (const char *)e->addend + (output[r] + column) * size;
    _mm_prefetch(p, _MM_HINT_T0);
    if (e->output == DK_F32) _mm_prefetch(p + 64, _MM_HINT_T0);
  }
}

static void raise_sums(int rows, int64_t valid, float *sums, const float *least) {
  for (int r = 0; r < rows; ++r, sums += DK_COLUMNS)
    FOR_VECTORS(0, valid) store(sums + i, at_least(load(sums + i), load_upto(least + i, part)));
}

// Stores `rows` rows of sums.
static void store_sums(int rows, int64_t valid, const float *sums, const dk_epilogue *e, void *y,
                       const int64_t *output, int64_t column) {
  if (e->output == DK_F32) {
    store_tile_f32_bf16(rows, valid, sums, e, y, output, column);
  } else if (e->addend || e->activated || valid % DK_WIDTH) {
    store_tile_bf16(rows, valid, sums, e, y, output, column);
  } else {
    for (int r = 0; r < rows; ++r)
      for (int64_t i = 0; i < valid; i += DK_WIDTH)
        store((dk_bf16 *)y + output[r] + column + i, load(sums + r * DK_COLUMNS + i));
  }
}

// The sources of the rows [first, ...) of a block, as many as there is room to copy. Returns the end of these rows.
static int64_t find_sources(const dk_geometry *g, const dk_bf16 *x, const int64_t *input, int64_t first,
                            int64_t rows, tile_copies *copies, tile_source (*from)[DK_MAX_TAPS]) {
  const int64_t k = g->in_channels, room = copy_bytes(k);
  copies->count = 0, copies->pitch = copy_pitch(k);
  for (; first < rows; first += TILE_ROWS, ++from) {
    const int64_t used = copies->count * room;
    if (used > STAGED_ENOUGH || used + g->taps * room > STAGED_BYTES) break;
    const int64_t count = rows - first < TILE_ROWS ? rows - first : TILE_ROWS;
    for (int t = 0; t < g->taps; ++t) {
      int64_t places[TILE_ROWS];
      for (int i = 0; i < TILE_ROWS; ++i)
        places[i] = i < count ? input[t * DK_BLOCK + first + i] : -1;
      (*from)[t] = tile_rows_at(x, k, places, copies);
    }
  }
  return first < rows ? first : rows;
}

static void amx_product_bf16(const dk_geometry *g, int64_t begin, int64_t end, const void *x,
                             const void *packed, const dk_epilogue *e, void *y) {
  const int64_t k = g->in_channels, n = g->out_channels;
  if (k % TILE_DEPTH || k > DK_MAX_GATHERED_CHANNELS || g->taps * copy_bytes(k) > STAGED_BYTES) {
    product_bf16(g, begin, end, x, packed, e, y);
    return;
  }
  int64_t input[DK_MAX_TAPS * DK_BLOCK], output[DK_BLOCK];
  tile_source from[DK_BLOCK / TILE_ROWS][DK_MAX_TAPS];
  tile_copies copies;
  float sums[2 * TILE_ROWS * DK_COLUMNS] __attribute__((aligned(64)));
  tile_registers tiles;
  tile_configure(&tiles);
  for (int64_t block = begin; block < end; block += DK_BLOCK) {
    const int64_t rows = end - block < DK_BLOCK ? end - block : DK_BLOCK;
    gather(g, block, block + rows, input, output);
    for (int64_t first = 0, last; first < rows; first = last) {
      last = find_sources(g, x, input, first, rows, &copies, from);
      // Two tiles of columns at a time: their weights stay in L1 while all rows pass by.
      for (int64_t column = 0; column < n; column += 2 * TILE_COLUMNS) {
        const int64_t panel = column / DK_COLUMNS * DK_COLUMNS, width = panel_columns(n, panel);
        const int64_t valid = n - column < 2 * TILE_COLUMNS ? n - column : 2 * TILE_COLUMNS;
        const uint32_t *b = (const uint32_t *)packed + panel * g->weight_taps * (k / 2) + column - panel;
        float bias[2 * TILE_COLUMNS] __attribute__((aligned(64))) = {0};
        if (e->bias) memcpy(bias, e->bias + column, (size_t)valid * sizeof *bias);
        for (int64_t r = first; r < last; r += 2 * TILE_ROWS) {
          const int64_t count = last - r < 2 * TILE_ROWS ? last - r : 2 * TILE_ROWS;
          fetch_addend(count, e, output + r, column);
          tile_block_any(&tiles, count > TILE_ROWS ? 2 : 1, valid > TILE_COLUMNS ? 2 : 1, g,
                         (const tile_source(*)[DK_MAX_TAPS])from + (r - first) / TILE_ROWS, b, width, bias,
                         sums);
          if (e->least) raise_sums((int)count, valid, sums, e->least + column);
          store_sums((int)count, valid, sums, e, y, output + r, column);
        }
      }
    }
  }
  tile_release(&tiles);
}
