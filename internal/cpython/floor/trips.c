//go:build cgo && (linux || darwin)

// What it costs to give work to another thread and get it back, asleep or spinning, without any Python.
#include <pthread.h>
#include <stdlib.h>

#include "../park.h"
#include "floor.h"

typedef struct side {
  parker parker;
  uint32_t turn; // atomic: 1 when it is this side's
} side;

struct trips {
  side there, back;
  pthread_t thread;
  int spin, over;
};

static void give(side *s) {
  __atomic_store_n(&s->turn, 1, __ATOMIC_SEQ_CST);
  parker_wake(&s->parker);
}

static void await(side *s, int spin) {
  for (int i = 0; spin && !__atomic_load_n(&s->turn, __ATOMIC_ACQUIRE); i++) {
    if (i % POLLS == POLLS - 1) sched_yield();
    else cpu_relax();
  }
  while (!__atomic_load_n(&s->turn, __ATOMIC_ACQUIRE)) {
    parker_announce(&s->parker);
    if (__atomic_load_n(&s->turn, __ATOMIC_SEQ_CST)) break;
    parker_sleep(&s->parker, -1);
  }
  parker_cancel(&s->parker);
  __atomic_store_n(&s->turn, 0, __ATOMIC_RELAXED);
}

static void *answer(void *arg) {
  trips *t = arg;
  for (;;) {
    await(&t->there, t->spin);
    if (t->over) return NULL;
    give(&t->back);
  }
}

trips *trips_new(int spin) {
  trips *t = calloc(1, sizeof *t);
  t->spin = spin;
  parker_init(&t->there.parker);
  parker_init(&t->back.parker);
  if (!pthread_create(&t->thread, NULL, answer, t)) return t;
  free(t);
  return NULL;
}

void trips_run(trips *t, int n) {
  for (int i = 0; i < n; i++) {
    give(&t->there);
    await(&t->back, t->spin);
  }
}

void trips_free(trips *t) {
  t->over = 1;
  give(&t->there);
  pthread_join(t->thread, NULL);
  free(t);
}

void floor_nothing(void) {}

// For callgrind, which counts from one call of it to the next. Must not be inlined, or be the same code as another.
__attribute__((noinline)) void floor_mark(void) { __asm__ volatile("" ::: "memory"); }
