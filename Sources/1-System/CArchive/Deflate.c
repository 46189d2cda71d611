#define ZLIB_CONST

#include <stdlib.h>
#include <zlib.h>

#include "include/CArchive.h"

// zlib counts in unsigned int.
static uInt piece(size_t count) { return count < (1u << 30) ? (uInt)count : 1u << 30; }

void *carchive_inflate_open(void) {
  z_stream *stream = calloc(1, sizeof *stream);
  // Negative window bits mean deflate data without the header of zlib or gzip, which is what archives contain.
  if (stream && inflateInit2(stream, -MAX_WBITS) != Z_OK) {
    free(stream);
    return NULL;
  }
  return stream;
}

int carchive_inflate(
    void *state, const void *source, size_t count, size_t *used, void *bytes, size_t capacity,
    size_t *got) {
  z_stream *stream = state;
  *used = *got = 0;
  for (;;) {
    uInt in = piece(count - *used), out = piece(capacity - *got);
    stream->next_in = (const Bytef *)source + *used;
    stream->avail_in = in;
    stream->next_out = (Bytef *)bytes + *got;
    stream->avail_out = out;
    int status = inflate(stream, Z_NO_FLUSH);
    *used += in - stream->avail_in;
    *got += out - stream->avail_out;
    if (status == Z_STREAM_END || *got == capacity) return 0;
    if (status != Z_OK) return -1;  // Z_BUF_ERROR: nothing is left to read, so the data ends too early
  }
}

void carchive_inflate_close(void *state) {
  if (state) inflateEnd(state);
  free(state);
}

uint32_t carchive_crc32(uint32_t crc, const void *bytes, size_t count) {
  return (uint32_t)crc32_z(crc, bytes, count);
}
