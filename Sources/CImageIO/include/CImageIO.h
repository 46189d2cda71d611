#ifndef CIMAGEIO_H
#define CIMAGEIO_H

#include <stddef.h>

// libturbojpeg and libpng behind int, size_t and pointers. Pixels are RGB, 8 bits, row by row.
// Every function returns 0, or -1 after writing one line to `message`, which holds `capacity` bytes.

/// tjDecompressHeader3
int cimage_jpeg_size(
    const unsigned char *bytes, size_t count, int *width, int *height, char *message,
    size_t capacity);

/// tjDecompress2. Greyscale is repeated; CMYK and YCCK are taken as inverted, as Adobe writes them.
int cimage_jpeg_decode(
    const unsigned char *bytes, size_t count, unsigned char *rgb, int width, int height,
    char *message, size_t capacity);

/// png_image_begin_read_from_memory
int cimage_png_size(
    const unsigned char *bytes, size_t count, int *width, int *height, char *message,
    size_t capacity);

/// png_image_finish_read. Any colour type and bit depth; alpha is dropped.
int cimage_png_decode(
    const unsigned char *bytes, size_t count, unsigned char *rgb, int width, int height,
    char *message, size_t capacity);

/// png_image_write_to_file
int cimage_png_write(
    const char *path, const unsigned char *rgb, int width, int height, char *message,
    size_t capacity);

#endif
