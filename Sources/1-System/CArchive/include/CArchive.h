#ifndef CARCHIVE_H
#define CARCHIVE_H

#include <stddef.h>
#include <stdint.h>

// The streaming reader of libarchive for .tar and .tar.gz, behind int, size_t and pointers; a file in memory
// for what it unpacks; and the functions of zlib that the entries of a .zip need.

/// archive_read_open_filename. Null after writing one line to `message`, which holds `capacity` bytes.
void *carchive_open(const char *path, char *message, size_t capacity);

/// The same for a .tar that is not compressed, read in blocks of `block` bytes.
void *carchive_open_tar(const char *path, size_t block, char *message, size_t capacity);

/// What `carchive_next_place` found.
enum {
  carchive_file = 1,
  carchive_hard_link,
  carchive_symbolic_link,
  carchive_folder,
  /// A sparse file, a device and the like.
  carchive_other
};

/// archive_read_next_header, and archive_filter_bytes. Returns what the entry is, with its path and, of a link, the
/// path that it leads to (both valid until the next call), its size in bytes and the index of its first byte in the
/// archive; 0 after the last entry; -1 on an error.
int carchive_next_place(
    void *archive, const char **name, const char **target, size_t *size, size_t *offset);

/// archive_read_next_header. Returns 1 with the entry's path (valid until the next call) and size in bytes,
/// 0 after the last entry, and -1 on an error.
int carchive_next(void *archive, const char **name, size_t *size);

/// archive_read_data. Reads the current entry until `count` bytes are there or it ends. Returns 0, or -1 on an error.
int carchive_read(void *archive, void *bytes, size_t count, size_t *got);

/// archive_error_string, after a function returned -1.
const char *carchive_message(void *archive);

/// memfd_create, which Swift does not see. Returns the descriptor of a file in memory, which is in no file
/// system; -1 and errno on an error.
int carchive_memory_file(const char *name);

/// archive_read_free
void carchive_close(void *archive);

/// inflateInit2 for deflate data without a header. Returns null if there is no memory.
void *carchive_inflate_open(void);

/// inflate. Continues with `count` bytes of `source` until `capacity` bytes are produced or the stream ends, and
/// stores how many bytes it used and produced. Returns 0, or -1 if the source is damaged or ends too early.
int carchive_inflate(
    void *state, const void *source, size_t count, size_t *used, void *bytes, size_t capacity,
    size_t *got);

/// inflateEnd
void carchive_inflate_close(void *state);

/// crc32_z. `crc` is 0 at the start, or the result for the bytes before.
uint32_t carchive_crc32(uint32_t crc, const void *bytes, size_t count);

#endif
