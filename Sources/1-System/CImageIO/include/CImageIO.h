#ifndef CIMAGEIO_H
#define CIMAGEIO_H

#include <stddef.h>
#include <stdint.h>

// libjpeg and libpng behind int, size_t and pointers. Pixels are RGB, 8 bits, row by row.
// Every function returns 0, or -1 after writing one line to `message`, which holds `capacity` bytes.

/// jpeg_read_header
int cimage_jpeg_size(
    const unsigned char *bytes, size_t count, int *width, int *height, char *message,
    size_t capacity);

/// jpeg_read_scanlines. Greyscale is repeated; CMYK and YCCK are taken as inverted, as Adobe writes them.
int cimage_jpeg_decode(
    const unsigned char *bytes, size_t count, unsigned char *rgb, int width, int height,
    char *message, size_t capacity);

/// png_read_info
int cimage_png_size(
    const unsigned char *bytes, size_t count, int *width, int *height, char *message,
    size_t capacity);

/// png_read_image. Any colour type and bit depth; alpha is dropped.
int cimage_png_decode(
    const unsigned char *bytes, size_t count, unsigned char *rgb, int width, int height,
    char *message, size_t capacity);

/// The most bytes that `cimage_png_encode` needs for an image of this size (PNG_IMAGE_PNG_SIZE_MAX).
size_t cimage_png_limit(int width, int height);

/// png_image_write_to_memory, compressed, into memory of `limit` bytes.
int cimage_png_encode(
    const unsigned char *rgb, int width, int height, unsigned char *bytes, size_t limit,
    size_t *count, char *message, size_t capacity);

/// png_write_row into memory of `limit` bytes, without compression or filters: writing and reading back are
/// hardly more than copies.
int cimage_png_store(
    const unsigned char *rgb, int width, int height, unsigned char *bytes, size_t limit,
    size_t *count, char *message, size_t capacity);

// Weighted sums of 8-bit RGB pixels along one axis. Output i has the weights start[i]..<start[i + 1], scaled by
// 2^22, of the samples from first[i] on; a sum is rounded to the nearest level and clipped.

/// Along x: [rows, width, 3] -> [rows, outputs, 3]. Returns 0, or -1 if there is no memory.
int cimage_resample_rows(
    const unsigned char *in, size_t width, size_t rows, unsigned char *out, size_t outputs,
    const int32_t *first, const int32_t *start, const int32_t *weights);

/// Along y: rows of `count` bytes -> [outputs, count].
void cimage_resample_columns(
    const unsigned char *in, size_t count, unsigned char *out, size_t outputs,
    const int32_t *first, const int32_t *start, const int32_t *weights);

#endif
