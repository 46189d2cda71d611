/// XXH3 over libxxhash: streaming.
///
/// A shim because `XXH3_state_t` has an alignment and a size that Swift need not know.
#ifndef CCHECKSUM_H
#define CCHECKSUM_H

#include <stddef.h>
#include <stdint.h>

typedef struct dc_xxh3 dc_xxh3;

/// A fresh 128-bit state (`XXH3_128bits_reset`), or NULL where memory is out.
dc_xxh3 *dc_xxh3_create(void);
/// Takes in `size` bytes (`XXH3_128bits_update`). Zero on success.
int dc_xxh3_update(dc_xxh3 *state, const void *bytes, size_t size);
/// The digest so far in canonical (big-endian) order, as `xxh128sum` prints it.
void dc_xxh3_digest(const dc_xxh3 *state, uint8_t digest[16]);
void dc_xxh3_free(dc_xxh3 *state);

#endif
