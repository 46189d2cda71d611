#include "include/CImageIO.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

static int fail(const char *why, char *message, size_t capacity) {
  snprintf(message, capacity, "%s", why);
  return -1;
}

// Warnings that leave every pixel whole. Others, a file that ends early or a bad code, mean that part
// of the picture was invented.
static int harmless(tjhandle handle) {
  const char *text = tjGetErrorStr2(handle);
  return tjGetErrorCode(handle) == TJERR_WARNING &&
         (strstr(text, "extraneous") || strstr(text, "Adobe") || strstr(text, "SOS parameters"));
}

static int jpeg_header(
    tjhandle handle, const unsigned char *bytes, size_t count, int *width, int *height, int *space) {
  int subsampling;
  int status = tjDecompressHeader3(handle, bytes, count, width, height, &subsampling, space);
  return status == 0 || harmless(handle) ? 0 : -1;
}

int cimage_jpeg_size(
    const unsigned char *bytes, size_t count, int *width, int *height, char *message,
    size_t capacity) {
  tjhandle handle = tjInitDecompress();
  if (!handle) return fail(tjGetErrorStr2(NULL), message, capacity);
  int space, status = jpeg_header(handle, bytes, count, width, height, &space);
  if (status != 0) fail(tjGetErrorStr2(handle), message, capacity);
  tjDestroy(handle);
  return status;
}

int cimage_jpeg_decode(
    const unsigned char *bytes, size_t count, unsigned char *rgb, int width, int height,
    char *message, size_t capacity) {
  tjhandle handle = tjInitDecompress();
  if (!handle) return fail(tjGetErrorStr2(NULL), message, capacity);
  int w = 0, h = 0, space = 0, status = jpeg_header(handle, bytes, count, &w, &h, &space);
  int inks = space == TJCS_CMYK || space == TJCS_YCCK;
  size_t pixels = (size_t)width * height;
  unsigned char *cmyk = NULL;
  if (status != 0) {
    fail(tjGetErrorStr2(handle), message, capacity);
  } else if (w != width || h != height) {
    status = fail("the size changed", message, capacity);
  } else if (inks && !(cmyk = malloc(pixels * 4))) {
    status = fail("out of memory", message, capacity);
  } else if (
      tjDecompress2(
          handle, bytes, count, inks ? cmyk : rgb, width, 0, height, inks ? TJPF_CMYK : TJPF_RGB,
          TJFLAG_ACCURATEDCT) != 0 &&
      !harmless(handle)) {
    status = fail(tjGetErrorStr2(handle), message, capacity);
  }
  if (status == 0 && inks) {
    for (size_t i = 0; i < pixels; i++) {
      for (int c = 0; c < 3; c++) rgb[3 * i + c] = (cmyk[4 * i + c] * cmyk[4 * i + 3] + 127) / 255;
    }
  }
  free(cmyk);
  tjDestroy(handle);
  return status;
}

int cimage_png_size(
    const unsigned char *bytes, size_t count, int *width, int *height, char *message,
    size_t capacity) {
  png_image image = {.version = PNG_IMAGE_VERSION};
  int ok = png_image_begin_read_from_memory(&image, bytes, count);
  *width = image.width;
  *height = image.height;
  if (!ok) fail(image.message, message, capacity);
  png_image_free(&image);
  return ok ? 0 : -1;
}

int cimage_png_decode(
    const unsigned char *bytes, size_t count, unsigned char *rgb, int width, int height,
    char *message, size_t capacity) {
  png_image image = {.version = PNG_IMAGE_VERSION};
  size_t pixels = (size_t)width * height;
  unsigned char *rgba = malloc(pixels * 4);
  if (!rgba) return fail("out of memory", message, capacity);
  int ok = png_image_begin_read_from_memory(&image, bytes, count);
  if (ok && (image.width != (png_uint_32)width || image.height != (png_uint_32)height)) {
    png_image_free(&image);
    free(rgba);
    return fail("the size changed", message, capacity);
  }
  image.format = PNG_FORMAT_RGBA;
  image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;  // or 16 bits without a gamma chunk count as linear light
  ok = ok && png_image_finish_read(&image, NULL, rgba, 0, NULL);
  if (!ok) fail(image.message, message, capacity);
  for (size_t i = 0; ok && i < pixels; i++) memcpy(rgb + 3 * i, rgba + 4 * i, 3);
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
  return ok ? 0 : fail(image.message, message, capacity);
}
