// Tells the address sanitizer which memory of a pool is free. It does nothing in ordinary builds.
#include "include/CKernels.h"

#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>

void dk_mark_usable(void *block, int64_t size, int64_t usable) {
  __asan_unpoison_memory_region(block, (size_t)usable);
  __asan_poison_memory_region((char *)block + usable, (size_t)(size - usable));
}
#else
void dk_mark_usable(void *block, int64_t size, int64_t usable) { (void)block, (void)size, (void)usable; }
#endif
