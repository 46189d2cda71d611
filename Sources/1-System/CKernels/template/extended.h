// The table of a level that differs from the level below, DK_EXTENDS, only in kernels for bf16. It is made at its first
// use, since C has no constant copies of other tables.
#include <pthread.h>

const dk_table *DK_EXTENDS(void);

static dk_table DK_NAME(table_);

static void DK_NAME(make_)(void) {
  DK_NAME(table_) = *DK_EXTENDS();
  DK_NAME(table_).name = DK_LABEL;
  extend_bf16(&DK_NAME(table_).bf16);
}

const dk_table *DK_NAME(dk_table_)(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, DK_NAME(make_));
  return &DK_NAME(table_);
}
