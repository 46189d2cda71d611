#include "include/CChecksum.h"

#include <string.h>
#include <xxhash.h>

static XXH3_state_t *state_of(dc_xxh3 *state) { return (XXH3_state_t *)(void *)state; }

dc_xxh3 *dc_xxh3_create(void) {
  XXH3_state_t *state = XXH3_createState();
  if (state && XXH3_128bits_reset(state) != XXH_OK) {
    XXH3_freeState(state);
    return NULL;
  }
  return (dc_xxh3 *)(void *)state;
}

int dc_xxh3_update(dc_xxh3 *state, const void *bytes, size_t size) {
  return XXH3_128bits_update(state_of(state), bytes, size) == XXH_OK ? 0 : -1;
}

void dc_xxh3_digest(const dc_xxh3 *state, uint8_t digest[16]) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(
      &canonical, XXH3_128bits_digest((const XXH3_state_t *)(const void *)state));
  memcpy(digest, canonical.digest, 16);
}

void dc_xxh3_free(dc_xxh3 *state) { XXH3_freeState(state_of(state)); }
