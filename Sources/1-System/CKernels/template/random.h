// Philox 4x32-10 (Salmon et al., SC 2011), one block per lane.

// High and low words of a 32 x 32 bit product.
INLINE void multiply_wide(vu a, uint32_t b, vu *high, vu *low) {
  const vu64 product = __builtin_convertvector(a, vu64) * (uint64_t)b;
  *high = __builtin_convertvector(product >> 32, vu);
  *low = a * b;
}

// DK_WIDTH Philox 4x32-10 blocks with consecutive first counter words.
INLINE void philox(uint32_t first, const uint32_t counter[3], const uint32_t key[2], vu word[4]) {
  vu c0, c1 = counter[0] - (vu){}, c2 = counter[1] - (vu){}, c3 = counter[2] - (vu){};
  for (int i = 0; i < DK_WIDTH; ++i) c0[i] = first + (uint32_t)i;
  uint32_t k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; ++round) {
    vu high0, low0, high1, low1;
    multiply_wide(c0, 0xD2511F53u, &high0, &low0);
    multiply_wide(c2, 0xCD9E8D57u, &high1, &low1);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  word[0] = c0, word[1] = c1, word[2] = c2, word[3] = c3;
}
