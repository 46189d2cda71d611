// The tile registers as arrays. Where the CPU would raise an exception, this traps.

typedef struct {
  tile_configuration set;
  uint32_t data[8][TILE_ROWS][TILE_COLUMNS];
} tile_registers;

static inline void tile_require(int holds) {
  if (!holds) __builtin_trap();
}

static void emulated_configure(tile_registers *tiles, const void *from) {
  const uint8_t *bytes = from;  // read by the offsets of the manual, not by the struct's
  tile_require(bytes[0] == 1 && bytes[1] == 0);
  for (int i = 2; i < 16; ++i) tile_require(bytes[i] == 0);
  memset(tiles, 0, sizeof *tiles);
  for (int i = 0; i < 16; ++i) {
    const int row_bytes = bytes[16 + 2 * i] | bytes[17 + 2 * i] << 8, rows = bytes[48 + i];
    tile_require(i < 8 ? row_bytes <= 64 && rows <= 16 && !row_bytes == !rows : !row_bytes && !rows);
    tiles->set.row_bytes[i] = (uint16_t)row_bytes, tiles->set.rows[i] = (uint8_t)rows;
  }
  tiles->set.palette = 1;
}

static inline void tile_require_set(const tile_registers *tiles, int c) {
  tile_require(tiles->set.palette == 1 && c >= 0 && c < 8 && tiles->set.rows[c]);
}

static void emulated_zero(tile_registers *tiles, int c) {
  tile_require_set(tiles, c);
  memset(tiles->data[c], 0, sizeof tiles->data[c]);
}

static void emulated_load(tile_registers *tiles, int c, const void *base, int64_t stride) {
  emulated_zero(tiles, c);
  for (int row = 0; row < tiles->set.rows[c]; ++row)
    memcpy(tiles->data[c][row], (const char *)base + row * stride, tiles->set.row_bytes[c]);
}

static void emulated_store(const tile_registers *tiles, int c, void *base, int64_t stride) {
  tile_require_set(tiles, c);
  for (int row = 0; row < tiles->set.rows[c]; ++row)
    memcpy((char *)base + row * stride, tiles->data[c][row], tiles->set.row_bytes[c]);
}

// Not inlined: its arithmetic stays between the two writes of MXCSR around its call.
static __attribute__((noinline)) void emulated_rows(uint32_t (*c)[TILE_COLUMNS], int rows, int columns,
                                                    uint32_t (*a)[TILE_COLUMNS], int pairs,
                                                    uint32_t (*b)[TILE_COLUMNS]) {
  const vu upper = 0xffff0000u - (vu){};
  for (int m = 0; m < rows; ++m) {
    vf even = {}, odd = {}, sum;
    for (int k = 0; k < pairs; ++k) {
      vu w;
      memcpy(&w, b[k], sizeof w);
      const vu x = a[m][k] - (vu){};
      even = FMA((vf)(x << 16), (vf)(w << 16), even);
      odd = FMA((vf)(x & upper), (vf)(w & upper), odd);
    }
    memcpy(&sum, c[m], sizeof sum);
    sum += even + odd;
    memset(c[m], 0, sizeof sum);
    memcpy(c[m], &sum, (size_t)columns * sizeof(float));
  }
  memset(c[rows], 0, (size_t)(TILE_ROWS - rows) * sizeof c[0]);
}

// TDPBF16PS reads no MXCSR: it rounds to the nearest, takes subnormal numbers for zeros and makes none.
static void emulated_dot(tile_registers *tiles, int c, int a, int b) {
  const tile_configuration *set = &tiles->set;
  tile_require_set(tiles, a), tile_require_set(tiles, b), tile_require_set(tiles, c);
  tile_require(c != a && c != b && a != b);
  tile_require(set->rows[c] == set->rows[a] && set->row_bytes[c] == set->row_bytes[b]);
  tile_require(set->row_bytes[a] == 4 * set->rows[b] && set->row_bytes[c] % 4 == 0);
  const unsigned control = _mm_getcsr();
  _mm_setcsr(0x1f80 | _MM_FLUSH_ZERO_ON | 0x40);  // exceptions masked; FTZ; DAZ
  emulated_rows(tiles->data[c], set->rows[c], set->row_bytes[c] / 4, tiles->data[a], set->rows[b],
                tiles->data[b]);
  _mm_setcsr(control);
}

#define tile_configure(tiles) emulated_configure(tiles, &whole_tiles)
#define tile_release(tiles) memset(&(tiles)->set, 0, sizeof (tiles)->set)
#define tile_zero(tiles, c) emulated_zero(tiles, c)
#define tile_load(tiles, c, base, stride) emulated_load(tiles, c, base, stride)
#define tile_store(tiles, c, base, stride) emulated_store(tiles, c, base, stride)
#define tile_dot(tiles, c, a, b) emulated_dot(tiles, c, a, b)
