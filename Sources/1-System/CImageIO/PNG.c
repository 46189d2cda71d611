#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

// Where a file in memory is read from, and what stopped it.
typedef struct {
  const unsigned char *bytes;
  size_t count, position;
  char failure[128];
} source;

static void take(png_structp png, png_bytep to, size_t count) {
  source *from = png_get_io_ptr(png);
  if (count > from->count - from->position) png_error(png, "it ends early");
  memcpy(to, from->bytes + from->position, count);
  from->position += count;
}

static void read_failed(png_structp png, png_const_charp text) {
  source *from = png_get_error_ptr(png);
  snprintf(from->failure, sizeof from->failure, "%s", text);
  png_longjmp(png, 1);
}

static void warned(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

// Chunks of text, colour spaces and the like are passed over: libpng takes the memory that the length of a chunk
// asks for before it looks whether the file has so much.
static void prepare(png_structp png, source *from) {
  static const png_byte exif[5] = "eXIf";
  png_set_read_fn(png, from, take);
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, exif, 1);
}

int cimage_png_size(
    const unsigned char *bytes, size_t count, int *width, int *height, char *message,
    size_t capacity) {
  source from = {.bytes = bytes, .count = count};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &from, read_failed, warned);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info) {
    png_destroy_read_struct(&png, NULL, NULL);
    return cimage_fail("out of memory", message, capacity);
  }
  if (setjmp(png_jmpbuf(png))) {
    png_destroy_read_struct(&png, &info, NULL);
    return cimage_fail(from.failure, message, capacity);
  }
  prepare(png, &from);
  png_read_info(png, info);
  *width = (int)png_get_image_width(png, info);
  *height = (int)png_get_image_height(png, info);
  png_destroy_read_struct(&png, &info, NULL);
  return 0;
}

// The pixels as they are stored, like Pillow: colour spaces (gAMA, iCCP) are not applied, alpha is dropped,
// of 16 bits the upper 8 are kept.
int cimage_png_decode(
    const unsigned char *bytes, size_t count, unsigned char *rgb, int width, int height,
    char *message, size_t capacity) {
  source from = {.bytes = bytes, .count = count};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &from, read_failed, warned);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  png_bytep *volatile rows = NULL;
  if (!info) {
    png_destroy_read_struct(&png, NULL, NULL);
    return cimage_fail("out of memory", message, capacity);
  }
  if (setjmp(png_jmpbuf(png))) {
    png_destroy_read_struct(&png, &info, NULL);
    free(rows);
    return cimage_fail(from.failure, message, capacity);
  }
  prepare(png, &from);
  png_read_info(png, info);
  png_set_strip_16(png);
  png_set_expand_gray_1_2_4_to_8(png);
  if (png_get_color_type(png, info) == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
  png_set_strip_alpha(png);
  png_set_gray_to_rgb(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  const size_t line = 3 * (size_t)width;
  if (png_get_image_width(png, info) != (png_uint_32)width ||
      png_get_image_height(png, info) != (png_uint_32)height || png_get_rowbytes(png, info) != line)
    png_error(png, "the size changed");
  if (!(rows = malloc((size_t)height * sizeof *rows))) png_error(png, "out of memory");
  for (int y = 0; y < height; y++) rows[y] = rgb + line * y;
  png_read_image(png, rows);
  png_destroy_read_struct(&png, &info, NULL);
  free(rows);
  return 0;
}

size_t cimage_png_limit(int width, int height) {
  const png_image image = {
      .version = PNG_IMAGE_VERSION, .width = width, .height = height, .format = PNG_FORMAT_RGB};
  return PNG_IMAGE_PNG_SIZE_MAX(image);
}

int cimage_png_encode(
    const unsigned char *rgb, int width, int height, unsigned char *bytes, size_t limit,
    size_t *count, char *message, size_t capacity) {
  png_image image = {
      .version = PNG_IMAGE_VERSION, .width = width, .height = height, .format = PNG_FORMAT_RGB};
  png_alloc_size_t size = limit;
  const int ok = png_image_write_to_memory(&image, bytes, &size, 0, rgb, 0, NULL);
  *count = ok ? size : 0;
  return ok ? 0 : cimage_fail(image.message, message, capacity);
}

typedef struct {
  unsigned char *bytes;
  size_t count, capacity;
  int has_failed;
  char failure[128];
} sink;

static void put(png_structp png, png_bytep bytes, size_t count) {
  sink *to = png_get_io_ptr(png);
  if (count > to->capacity - to->count) png_error(png, "it is larger than it can be");
  memcpy(to->bytes + to->count, bytes, count);
  to->count += count;
}

static void flush(png_structp png) { (void)png; }

static void failed(png_structp png, png_const_charp text) {
  sink *to = png_get_error_ptr(png);
  to->has_failed = 1;
  snprintf(to->failure, sizeof to->failure, "%s", text);
  png_longjmp(png, 1);
}

int cimage_png_store(
    const unsigned char *rgb, int width, int height, unsigned char *bytes, size_t limit,
    size_t *count, char *message, size_t capacity) {
  sink to = {.bytes = bytes, .capacity = limit};
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &to, failed, warned);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info) {
    png_destroy_write_struct(&png, NULL);
    return cimage_fail("out of memory", message, capacity);
  }
  if (setjmp(png_jmpbuf(png)) == 0) {
    png_set_write_fn(png, &to, put, flush);
    png_set_IHDR(
        png, info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
        PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(png, 0);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE);
    png_write_info(png, info);
    for (int y = 0; y < height; y++) png_write_row(png, rgb + 3 * (size_t)width * y);
    png_write_end(png, info);
  }
  png_destroy_write_struct(&png, &info);
  *count = to.count;
  return to.has_failed ? cimage_fail(to.failure, message, capacity) : 0;
}
