#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "internal.h"

int cimage_fail(const char *why, char *message, size_t capacity) {
  snprintf(message, capacity, "%s", why);
  return -1;
}

// A progressive file of more scans than this is made to keep a reader busy; encoders write about ten.
enum { scan_limit = 500 };

typedef struct {
  struct jpeg_error_mgr manager;
  jmp_buf escape;
  char text[JMSG_LENGTH_MAX];
} jpeg_errors;

static void jpeg_failed(j_common_ptr info) {
  jpeg_errors *errors = (jpeg_errors *)info->err;
  info->err->format_message(info, errors->text);
  longjmp(errors->escape, 1);
}

// Warnings that leave every pixel whole are passed over. Others, a file that ends early or a bad code, mean
// that the decoder makes up a part of the image.
static void jpeg_warned(j_common_ptr info, int level) {
  if (level >= 0) return;
  switch (info->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA:  // bytes between markers
    case JWRN_ADOBE_XFORM:      // an unknown number in Adobe's marker
    case JWRN_JFIF_MAJOR:       // JFIF of version 0 or 2
    case JWRN_NOT_SEQUENTIAL:   // numbers that a sequential scan does not use
    case JWRN_BOGUS_PROGRESSION:  // scans in another order than is usual
      return;
    default:
      jpeg_failed(info);
  }
}

static void jpeg_progress(j_common_ptr info) {
  const struct jpeg_decompress_struct *decoder = (const struct jpeg_decompress_struct *)info;
  if (info->is_decompressor && decoder->input_scan_number > scan_limit) {
    jpeg_errors *errors = (jpeg_errors *)info->err;
    snprintf(errors->text, sizeof errors->text, "more than %d scans", scan_limit);
    longjmp(errors->escape, 1);
  }
}

static void jpeg_begin(
    struct jpeg_decompress_struct *decoder, jpeg_errors *errors,
    struct jpeg_progress_mgr *progress) {
  decoder->err = jpeg_std_error(&errors->manager);
  errors->manager.error_exit = jpeg_failed;
  errors->manager.emit_message = jpeg_warned;
  progress->progress_monitor = jpeg_progress;
}

int cimage_jpeg_size(
    const unsigned char *bytes, size_t count, int *width, int *height, char *message,
    size_t capacity) {
  struct jpeg_decompress_struct decoder;
  jpeg_errors errors;
  struct jpeg_progress_mgr progress;
  memset(&decoder, 0, sizeof decoder);
  jpeg_begin(&decoder, &errors, &progress);
  if (setjmp(errors.escape)) {
    jpeg_destroy_decompress(&decoder);
    return cimage_fail(errors.text, message, capacity);
  }
  jpeg_create_decompress(&decoder);
  jpeg_mem_src(&decoder, bytes, count);
  jpeg_read_header(&decoder, TRUE);
  *width = (int)decoder.image_width;
  *height = (int)decoder.image_height;
  jpeg_destroy_decompress(&decoder);
  return 0;
}

// As Pillow rounds: white less ink, and the ink is 255 less what the file holds.
static void row_of_inks(const unsigned char *cmyk, unsigned char *rgb, size_t pixels) {
  for (size_t i = 0; i < pixels; i++) {
    const int key = cmyk[4 * i + 3];
    for (int c = 0; c < 3; c++) {
      const int ink = (255 - cmyk[4 * i + c]) * key + 128;
      rgb[3 * i + c] = (unsigned char)(key - (((ink >> 8) + ink) >> 8));
    }
  }
}

int cimage_jpeg_decode(
    const unsigned char *bytes, size_t count, unsigned char *rgb, int width, int height,
    char *message, size_t capacity) {
  struct jpeg_decompress_struct decoder;
  jpeg_errors errors;
  struct jpeg_progress_mgr progress;
  unsigned char *volatile row = NULL;
  memset(&decoder, 0, sizeof decoder);
  jpeg_begin(&decoder, &errors, &progress);
  if (setjmp(errors.escape)) {
    jpeg_destroy_decompress(&decoder);
    free(row);
    return cimage_fail(errors.text, message, capacity);
  }
  jpeg_create_decompress(&decoder);
  decoder.progress = &progress;
  jpeg_mem_src(&decoder, bytes, count);
  jpeg_read_header(&decoder, TRUE);
  const int inks =
      decoder.jpeg_color_space == JCS_CMYK || decoder.jpeg_color_space == JCS_YCCK;
  decoder.out_color_space = inks ? JCS_CMYK : JCS_RGB;
  decoder.dct_method = JDCT_ISLOW;  // the accurate one
  jpeg_start_decompress(&decoder);
  const size_t line = 3 * (size_t)width;
  if ((int)decoder.output_width != width || (int)decoder.output_height != height)
    snprintf(errors.text, sizeof errors.text, "the size changed"), longjmp(errors.escape, 1);
  if (inks && !(row = malloc(4 * (size_t)width)))
    snprintf(errors.text, sizeof errors.text, "out of memory"), longjmp(errors.escape, 1);
  while (decoder.output_scanline < decoder.output_height) {
    unsigned char *to = rgb + line * decoder.output_scanline;
    JSAMPROW target = inks ? row : to;
    jpeg_read_scanlines(&decoder, &target, 1);
    if (inks) row_of_inks(row, to, (size_t)width);
  }
  jpeg_finish_decompress(&decoder);
  jpeg_destroy_decompress(&decoder);
  free(row);
  return 0;
}
