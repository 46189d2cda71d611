#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "include/CImageIO.h"

// Compiled for CPUs with and without AVX2; the version is chosen when the program starts. The arithmetic is on
// integers, so both give the same bytes.
#if defined(__x86_64__)
#define EACH_CPU __attribute__((target_clones("avx2", "default")))
#else
#define EACH_CPU
#endif

// Weights are integers scaled by 2^22; a sum starts with a half.
enum { BITS = 22, HALF = 1 << (BITS - 1) };

typedef int32_t eight __attribute__((vector_size(32)));
typedef uint8_t eight_bytes __attribute__((vector_size(8)));

static inline unsigned char level(int32_t sum) {
  sum >>= BITS;
  return sum < 0 ? 0 : sum > 255 ? 255 : (unsigned char)sum;
}

// Adds the three channels of a pixel in each of two rows. Each load reads a fourth byte, which is ignored; there is
// a byte behind the last pixel.
static inline __attribute__((always_inline)) void add(
    eight *sum, const unsigned char *one, const unsigned char *other, int32_t weight) {
  eight_bytes bytes;
  memcpy(&bytes, one, 4);
  memcpy((unsigned char *)&bytes + 4, other, 4);
  *sum += __builtin_convertvector(bytes, eight) * weight;
}

// Two rows at a time, which have the same weights. The last of an odd number of rows is computed twice.
EACH_CPU static void narrow_rows(
    const unsigned char *in, size_t pitch, size_t rows, unsigned char *out, size_t outputs,
    const int32_t *first, const int32_t *start, const int32_t *weights) {
  for (size_t row = 0; row < rows; row += 2) {
    size_t other = row + 1 < rows ? row + 1 : row;
    unsigned char *to = out + 3 * outputs * row, *to_other = out + 3 * outputs * other;
    for (size_t x = 0; x < outputs; x++) {
      const unsigned char *from = in + pitch * row + 3 * (size_t)first[x];
      const unsigned char *from_other = in + pitch * other + 3 * (size_t)first[x];
      const int32_t *weight = weights + start[x];
      int32_t taps = start[x + 1] - start[x], tap = 0;
      eight even = {HALF, HALF, HALF, HALF, HALF, HALF, HALF, HALF}, odd = {0};
      for (; tap + 1 < taps; tap += 2) {
        add(&even, from + 3 * tap, from_other + 3 * tap, weight[tap]);
        add(&odd, from + 3 * tap + 3, from_other + 3 * tap + 3, weight[tap + 1]);
      }
      if (tap < taps) add(&even, from + 3 * tap, from_other + 3 * tap, weight[tap]);
      even += odd;
      for (int c = 0; c < 3; c++) {
        to[3 * x + c] = level(even[c]);
        to_other[3 * x + c] = level(even[4 + c]);
      }
    }
  }
}

int cimage_resample_rows(
    const unsigned char *in, size_t width, size_t rows, unsigned char *out, size_t outputs,
    const int32_t *first, const int32_t *start, const int32_t *weights) {
  if (rows == 0) return 0;
  // The last row is copied to a buffer with one more byte, because a byte is read behind it.
  unsigned char *last = malloc(3 * width + 1);
  if (!last) return -1;
  memcpy(last, in + 3 * width * (rows - 1), 3 * width);
  last[3 * width] = 0;
  narrow_rows(in, 3 * width, rows - 1, out, outputs, first, start, weights);
  narrow_rows(
      last, 3 * width, 1, out + 3 * outputs * (rows - 1), outputs, first, start, weights);
  free(last);
  return 0;
}

EACH_CPU void cimage_resample_columns(
    const unsigned char *in, size_t count, unsigned char *out, size_t outputs,
    const int32_t *first, const int32_t *start, const int32_t *weights) {
  enum { STRIP = 64 };
  for (size_t y = 0; y < outputs; y++, out += count) {
    const unsigned char *from = in + count * (size_t)first[y];
    const int32_t *weight = weights + start[y];
    int32_t taps = start[y + 1] - start[y];
    size_t i = 0;
    for (; i + STRIP <= count; i += STRIP) {
      int32_t sums[STRIP];
      for (int k = 0; k < STRIP; k++) sums[k] = HALF;
      for (int32_t tap = 0; tap < taps; tap++) {
        const unsigned char *row = from + count * (size_t)tap + i;
        for (int k = 0; k < STRIP; k++) sums[k] += row[k] * weight[tap];
      }
      for (int k = 0; k < STRIP; k++) out[i + k] = level(sums[k]);
    }
    for (; i < count; i++) {
      int32_t sum = HALF;
      for (int32_t tap = 0; tap < taps; tap++) sum += from[count * (size_t)tap + i] * weight[tap];
      out[i] = level(sum);
    }
  }
}
