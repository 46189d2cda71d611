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

// A name as bytes: libarchive has none where it cannot bring a name in UTF-8 to the locale's letters.
static const char *bytes_or_utf8(const char *bytes, const char *utf8) { return bytes ? bytes : utf8; }

static const char *path_of(struct archive_entry *entry) {
  return bytes_or_utf8(archive_entry_pathname(entry), archive_entry_pathname_utf8(entry));
}

int carchive_next_place(
    void *archive, const char **name, const char **target, size_t *size, size_t *offset) {
  struct archive_entry *entry;
  int status = archive_read_next_header(archive, &entry);
  if (status == ARCHIVE_EOF) return 0;
  if (status < ARCHIVE_WARN) return -1;
  *name = path_of(entry);
  *size = (size_t)archive_entry_size(entry);
  *offset = (size_t)archive_filter_bytes(archive, 0);
  if (!*name) return -1;
  *target = bytes_or_utf8(archive_entry_hardlink(entry), archive_entry_hardlink_utf8(entry));
  if (*target) return carchive_hard_link;
  switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
      return archive_entry_sparse_count(entry) == 0 ? carchive_file : carchive_other;
    case AE_IFLNK:
      *target = bytes_or_utf8(archive_entry_symlink(entry), archive_entry_symlink_utf8(entry));
      return *target ? carchive_symbolic_link : carchive_other;
    case AE_IFDIR:
      return carchive_folder;
    default:
      return carchive_other;
  }
}

int carchive_next(void *archive, const char **name, size_t *size) {
  struct archive_entry *entry;
  int status = archive_read_next_header(archive, &entry);
  if (status == ARCHIVE_EOF) return 0;
  if (status < ARCHIVE_WARN) return -1;
  *name = path_of(entry);
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
