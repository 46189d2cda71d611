/// Streaming XXH3 checksums by libxxhash.
///
/// The shim hides the size and alignment of `XXH3_state_t`, which Swift need not know.
#ifndef CCHECKSUM_H
#define CCHECKSUM_H

#include <stddef.h>
#include <stdint.h>

typedef struct dc_xxh3 dc_xxh3;

/// A new 128-bit state (`XXH3_128bits_reset`), or NULL if there is no memory.
dc_xxh3 *dc_xxh3_create(void);
/// Adds `size` bytes (`XXH3_128bits_update`). Returns 0 on success.
int dc_xxh3_update(dc_xxh3 *state, const void *bytes, size_t size);
/// The digest so far in canonical (big-endian) order, as `xxh128sum` prints it.
void dc_xxh3_digest(const dc_xxh3 *state, uint8_t digest[16]);
/// Frees a state (`XXH3_freeState`).
void dc_xxh3_free(dc_xxh3 *state);

#endif
