#define _GNU_SOURCE

#include "include/CMappedFiles.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

// A place is free where `start` is 0 and being written where it is 1.
enum { place_count = 4096, writing = 1 };

typedef struct {
  _Atomic(uintptr_t) start;
  size_t count;
  char *path;
} place;

static place places[place_count];
static atomic_uint next_place;
static char speaker[64] = "diffit: ";
static struct sigaction before;
static pthread_mutex_t installing = PTHREAD_MUTEX_INITIALIZER;

// From here to `failed` only functions that signal-safety(7) lists.
static void say(const char *text) {
  size_t count = strlen(text);
  while (count > 0) {
    ssize_t written = write(STDERR_FILENO, text, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text += written;
    count -= (size_t)written;
  }
}

// A launcher ends a job as soon as one rank has failed, and does not read again what pipes still hold.
static void drain(void) {
  const struct timespec pause = {.tv_nsec = 2000000};
  for (int i = 0; i < 500; i++) {
    int unread = 0;
    if (ioctl(STDERR_FILENO, FIONREAD, &unread) != 0 || unread <= 0) return;
    nanosleep(&pause, NULL);
  }
}

static void failed(int number, siginfo_t *info, void *context) {
  (void)context;
  const uintptr_t at = (uintptr_t)info->si_addr;
  // Another process may send the signal, too; then there is no address.
  for (int i = 0; i < place_count && info->si_code > 0; i++) {
    const uintptr_t start = atomic_load_explicit(&places[i].start, memory_order_acquire);
    if (start <= writing || at < start || at - start >= places[i].count) continue;
    say(speaker);
    say(places[i].path ? places[i].path : "a mapped file");
    say(": it was cut short, or its disk failed, while it was being read; check whether another process writes "
        "to it, restore it and start again\n");
    drain();
    _exit(1);
  }
  sigaction(SIGBUS, &before, NULL);
  raise(number);
}

static void install(void) {
  struct sigaction now;
  if (sigaction(SIGBUS, NULL, &now) != 0) return;
  if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == failed) return;
  pthread_mutex_lock(&installing);
  struct sigaction own = {.sa_flags = SA_SIGINFO};
  own.sa_sigaction = failed;
  sigemptyset(&own.sa_mask);
  struct sigaction old;
  if (sigaction(SIGBUS, &own, &old) == 0 &&
      !((old.sa_flags & SA_SIGINFO) && old.sa_sigaction == failed))
    before = old;
  pthread_mutex_unlock(&installing);
}

int cmapped_add(const void *start, size_t count, const char *path) {
  install();
  for (int i = 0; i < place_count; i++) {
    const int number = (int)(atomic_fetch_add(&next_place, 1) % place_count);
    uintptr_t free_place = 0;
    place *own = &places[number];
    if (!atomic_compare_exchange_strong(&own->start, &free_place, writing)) continue;
    own->count = count;
    own->path = strdup(path);
    atomic_store_explicit(&own->start, (uintptr_t)start, memory_order_release);
    return number;
  }
  return -1;
}

void cmapped_remove(int number) {
  if (number < 0 || number >= place_count) return;
  place *own = &places[number];
  atomic_store(&own->start, writing);
  free(own->path);
  own->path = NULL;
  atomic_store_explicit(&own->start, 0, memory_order_release);
}

void cmapped_speaker(const char *text) {
  strncpy(speaker, text, sizeof speaker - 1);
  speaker[sizeof speaker - 1] = 0;
}
