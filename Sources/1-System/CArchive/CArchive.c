#define _GNU_SOURCE  // memfd_create

#include "include/CArchive.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <sys/mman.h>

static void *open_tar(
    const char *path, int gzip, size_t block, char *message, size_t capacity) {
  struct archive *archive = archive_read_new();
  if (!archive) {
    snprintf(message, capacity, "out of memory");
    return NULL;
  }
  if (gzip) archive_read_support_filter_gzip(archive);
  archive_read_support_format_tar(archive);
  if (archive_read_open_filename(archive, path, block) != ARCHIVE_OK) {
    snprintf(message, capacity, "%s", carchive_message(archive));
    archive_read_free(archive);
    return NULL;
  }
  return archive;
}

void *carchive_open(const char *path, char *message, size_t capacity) {
  return open_tar(path, 1, 1 << 16, message, capacity);
}

void *carchive_open_tar(const char *path, size_t block, char *message, size_t capacity) {
  return open_tar(path, 0, block, message, capacity);
}

int carchive_next_place(void *archive, const char **name, size_t *size, size_t *offset) {
  struct archive_entry *entry;
  int status = archive_read_next_header(archive, &entry);
  if (status == ARCHIVE_EOF) return 0;
  if (status < ARCHIVE_WARN) return -1;
  *name = archive_entry_pathname(entry);
  *size = (size_t)archive_entry_size(entry);
  *offset = (size_t)archive_filter_bytes(archive, 0);
  if (!*name) return -1;
  int plain = archive_entry_filetype(entry) == AE_IFREG && !archive_entry_hardlink(entry) &&
              archive_entry_sparse_count(entry) == 0;
  return plain ? 1 : 2;
}

int carchive_next(void *archive, const char **name, size_t *size) {
  struct archive_entry *entry;
  int status = archive_read_next_header(archive, &entry);
  if (status == ARCHIVE_EOF) return 0;
  if (status < ARCHIVE_WARN) return -1;
  *name = archive_entry_pathname(entry);
  *size = (size_t)archive_entry_size(entry);
  return *name ? 1 : -1;
}

int carchive_read(void *archive, void *bytes, size_t count, size_t *got) {
  *got = 0;
  while (*got < count) {
    la_ssize_t read = archive_read_data(archive, (char *)bytes + *got, count - *got);
    if (read < 0) return -1;
    if (read == 0) break;
    *got += (size_t)read;
  }
  return 0;
}

const char *carchive_message(void *archive) {
  const char *text = archive_error_string(archive);
  return text ? text : "unknown error";
}

int carchive_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

void carchive_close(void *archive) { archive_read_free(archive); }
