// Operations that move numbers between the lanes of vectors.

#if DK_WIDTH == 16
#define LOW_HALVES(a, b) \
  __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGH_HALVES(a, b) \
  __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#elif DK_WIDTH == 8
#define LOW_HALVES(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define HIGH_HALVES(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#else
#define LOW_HALVES(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define HIGH_HALVES(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#endif

// Transposes a block of DK_WIDTH rows. Interleaving the first half of the rows with the second half moves one bit of
// a number's row index to its column index. After log2(DK_WIDTH) rounds the two indices are exchanged.
INLINE void transpose_block(vf a[DK_WIDTH]) {
  vf b[DK_WIDTH];
  UNROLL for (int step = 1; step < DK_WIDTH; step *= 2) {
    UNROLL for (int i = 0; i < DK_WIDTH / 2; ++i) {
      b[2 * i] = LOW_HALVES(a[i], a[i + DK_WIDTH / 2]);
      b[2 * i + 1] = HIGH_HALVES(a[i], a[i + DK_WIDTH / 2]);
    }
    UNROLL for (int i = 0; i < DK_WIDTH; ++i) a[i] = b[i];
  }
}
#undef LOW_HALVES
#undef HIGH_HALVES

// Interleaves DK_WIDTH elements of a with those of b, which makes pairs.
INLINE vu weave(vh a, vh b) {
#if DK_WIDTH == 16
  return (vu)__builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8, 24, 9,
                                     25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#else
  return __builtin_convertvector(a, vu) | __builtin_convertvector(b, vu) << 16;
#endif
}
