#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

int cimage_png_size(
    const unsigned char *bytes, size_t count, int *width, int *height, char *message,
    size_t capacity) {
  png_image image = {.version = PNG_IMAGE_VERSION};
  int ok = png_image_begin_read_from_memory(&image, bytes, count);
  *width = image.width;
  *height = image.height;
  if (!ok) cimage_fail(image.message, message, capacity);
  png_image_free(&image);
  return ok ? 0 : -1;
}

int cimage_png_decode(
    const unsigned char *bytes, size_t count, unsigned char *rgb, int width, int height,
    char *message, size_t capacity) {
  png_image image = {.version = PNG_IMAGE_VERSION};
  unsigned char *rgba = NULL;
  int ok = png_image_begin_read_from_memory(&image, bytes, count);
  if (ok && (image.width != (png_uint_32)width || image.height != (png_uint_32)height)) {
    png_image_free(&image);
    return cimage_fail("the size changed", message, capacity);
  }
  // If they were read as RGB, transparent pixels would be blended with a background.
  int transparent = ok && (image.format & PNG_FORMAT_FLAG_ALPHA) != 0;
  size_t pixels = (size_t)width * height;
  if (transparent && !(rgba = malloc(pixels * 4))) {
    png_image_free(&image);
    return cimage_fail("out of memory", message, capacity);
  }
  image.format = transparent ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB;
  image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;  // otherwise 16 bits without a gamma chunk count as linear light
  ok = ok && png_image_finish_read(&image, NULL, transparent ? rgba : rgb, 0, NULL);
  if (!ok) cimage_fail(image.message, message, capacity);
  for (size_t i = 0; ok && transparent && i < pixels; i++) memcpy(rgb + 3 * i, rgba + 4 * i, 3);
  png_image_free(&image);
  free(rgba);
  return ok ? 0 : -1;
}

int cimage_png_write(
    const char *path, const unsigned char *rgb, int width, int height, char *message,
    size_t capacity) {
  png_image image = {
      .version = PNG_IMAGE_VERSION, .width = width, .height = height, .format = PNG_FORMAT_RGB};
  int ok = png_image_write_to_file(&image, path, 0, rgb, 0, NULL);
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

static void warned(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
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
