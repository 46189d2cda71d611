#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>

#include "internal.h"

int cimage_fail(const char *why, char *message, size_t capacity) {
  snprintf(message, capacity, "%s", why);
  return -1;
}

// Warnings after which every pixel is right. Others, such as a file that ends early or a bad code, mean that the
// library made up a part of the image.
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
  if (!handle) return cimage_fail(tjGetErrorStr2(NULL), message, capacity);
  int space, status = jpeg_header(handle, bytes, count, width, height, &space);
  if (status != 0) cimage_fail(tjGetErrorStr2(handle), message, capacity);
  tjDestroy(handle);
  return status;
}

int cimage_jpeg_decode(
    const unsigned char *bytes, size_t count, unsigned char *rgb, int width, int height,
    char *message, size_t capacity) {
  tjhandle handle = tjInitDecompress();
  if (!handle) return cimage_fail(tjGetErrorStr2(NULL), message, capacity);
  int w = 0, h = 0, space = 0, status = jpeg_header(handle, bytes, count, &w, &h, &space);
  int inks = space == TJCS_CMYK || space == TJCS_YCCK;
  size_t pixels = (size_t)width * height;
  unsigned char *cmyk = NULL;
  if (status != 0) {
    cimage_fail(tjGetErrorStr2(handle), message, capacity);
  } else if (w != width || h != height) {
    status = cimage_fail("the size changed", message, capacity);
  } else if (inks && !(cmyk = malloc(pixels * 4))) {
    status = cimage_fail("out of memory", message, capacity);
  } else if (
      tjDecompress2(
          handle, bytes, count, inks ? cmyk : rgb, width, 0, height, inks ? TJPF_CMYK : TJPF_RGB,
          TJFLAG_ACCURATEDCT) != 0 &&
      !harmless(handle)) {
    status = cimage_fail(tjGetErrorStr2(handle), message, capacity);
  }
  if (status == 0 && inks) {
    for (size_t i = 0; i < pixels; i++) {
      // Rounded as Pillow does: white minus ink, where the ink is 255 minus the value in the file.
      int key = cmyk[4 * i + 3];
      for (int c = 0; c < 3; c++) {
        int ink = (255 - cmyk[4 * i + c]) * key + 128;
        rgb[3 * i + c] = key - (((ink >> 8) + ink) >> 8);
      }
    }
  }
  free(cmyk);
  tjDestroy(handle);
  return status;
}
