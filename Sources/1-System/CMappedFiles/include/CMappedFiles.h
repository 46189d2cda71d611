#ifndef CMAPPEDFILES_H
#define CMAPPEDFILES_H

#include <stddef.h>

// What a signal handler has to know about mapped files. Where another process shortens a file that is mapped, or
// its disk fails, touching the lost pages raises SIGBUS. The handler here names the file in one line on standard
// error and ends the process with exit code 1; a fault elsewhere goes to whoever handled the signal before.

/// Remembers that `count` bytes from `start` on are a file, and makes sure that the handler is in place (other
/// libraries install their own, too). `path` is copied. Returns a number for `cmapped_remove`; -1 where there is no
/// room, so that the handler will not know the file.
int cmapped_add(const void *start, size_t count, const char *path);

/// Forgets a file before its memory is given back; nothing for -1.
void cmapped_remove(int number);

/// What the handler's line begins with, such as `diffit: rank 1: `; `text` is copied, up to 63 bytes.
void cmapped_speaker(const char *text);

#endif
