#ifndef CIMAGEIO_INTERNAL_H
#define CIMAGEIO_INTERNAL_H

#include "include/CImageIO.h"

/// Writes the reason as one line, and returns -1.
int cimage_fail(const char *why, char *message, size_t capacity);

#endif
