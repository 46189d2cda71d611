// AMX tiles: eight registers of 16 rows of 64 bytes, or with DK_TILES_EMULATED plain C that does to the bit
// what the instructions do, so that all that is built on tiles is tested on CPUs without them.
//
// Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, chapter "Programming with
// Intel AMX", and volume 2: LDTILECFG, TILELOADD, TILESTORED, TILEZERO, TDPBF16PS, TILERELEASE.
//
// Palette 1 is configured as documented and CPUID leaf 0x1D, which describes it, is never read: hypervisors
// hide it. Tile numbers are part of the instructions, so they are literals and these are macros.

#include <stddef.h>

#define TILE_ROWS 16
#define TILE_BYTES 64                                    // of a row
#define TILE_WORDS (TILE_ROWS * TILE_BYTES / (int)sizeof(uint32_t))
#define TILE_COLUMNS 16                                  // f32 or pairs of bf16 in a row
#define TILE_DEPTH 32                                    // elements that one dot product reduces

/// The operand of LDTILECFG.
typedef struct {
  uint8_t palette, start_row, reserved[14];
  uint16_t row_bytes[16];  // of tiles 0...7; the rest is reserved
  uint8_t rows[16];
} tile_configuration;
_Static_assert(sizeof(tile_configuration) == 64 && offsetof(tile_configuration, row_bytes) == 16 &&
                   offsetof(tile_configuration, rows) == 48,
               "the layout is the CPU's");

static const tile_configuration whole_tiles __attribute__((aligned(64))) = {
    .palette = 1,
    .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
    .rows = {16, 16, 16, 16, 16, 16, 16, 16},
};

#if DK_TILES_EMULATED
#include "tiles_emulated.h"
#else

/// Each thread has its own registers. The operating system saves them from their configuration to their release, so
/// a kernel configures and releases them in each call.
typedef struct {
  char none;
} tile_registers;

#define tile_configure(tiles) ((void)(tiles), _tile_loadconfig(&whole_tiles))
#define tile_release(tiles) ((void)(tiles), _tile_release())
#define tile_zero(tiles, c) ((void)(tiles), _tile_zero(c))
/// Row i comes from `base` + i `stride` bytes; stride 0 repeats one row.
#define tile_load(tiles, c, base, stride) ((void)(tiles), _tile_loadd(c, base, stride))
#define tile_store(tiles, c, base, stride) ((void)(tiles), _tile_stored(c, base, stride))
/// c[m][n] += sum over k of a[m][k] b[k][n]: the rows of `a` are 32 bf16, those of `b` 16 pairs (k, k + 1).
#define tile_dot(tiles, c, a, b) ((void)(tiles), _tile_dpbf16ps(c, a, b))
#endif
