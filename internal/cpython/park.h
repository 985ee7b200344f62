// Waiting: one thread sleeps, any other wakes it; and the gauge that decides whether it is worth spinning first.
#ifndef PY_PARK_H
#define PY_PARK_H

#include <sched.h>
#include <stdint.h>
#include <time.h>

static inline int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct parker {
  uint32_t asleep; // atomic; 1 while its thread sleeps or is about to
} parker;

static inline void parker_init(parker *p) { p->asleep = 0; }

// Call announce, look for work again, then sleep. A wake between the two makes sleep return at once.
static inline void parker_announce(parker *p) { __atomic_store_n(&p->asleep, 1, __ATOMIC_SEQ_CST); }
static inline void parker_cancel(parker *p) { __atomic_store_n(&p->asleep, 0, __ATOMIC_RELAXED); }

// timeout_ns < 0: none. May return early.
static inline void parker_sleep(parker *p, int64_t timeout_ns) {
  struct timespec t = {timeout_ns / 1000000000, timeout_ns % 1000000000};
  syscall(SYS_futex, &p->asleep, FUTEX_WAIT_PRIVATE, 1, timeout_ns < 0 ? NULL : &t, NULL, 0);
  parker_cancel(p);
}

// Call after the work is visible (with a sequentially consistent store).
static inline void parker_wake(parker *p) {
  if (__atomic_load_n(&p->asleep, __ATOMIC_SEQ_CST) && __atomic_exchange_n(&p->asleep, 0, __ATOMIC_SEQ_CST))
    syscall(SYS_futex, &p->asleep, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

#else
#include <pthread.h>
#include <sys/time.h>

typedef struct parker {
  uint32_t asleep;
  pthread_mutex_t lock;
  pthread_cond_t cond;
} parker;

static inline void parker_init(parker *p) {
  p->asleep = 0;
  pthread_mutex_init(&p->lock, NULL);
  pthread_cond_init(&p->cond, NULL);
}

static inline void parker_announce(parker *p) { __atomic_store_n(&p->asleep, 1, __ATOMIC_SEQ_CST); }
static inline void parker_cancel(parker *p) { __atomic_store_n(&p->asleep, 0, __ATOMIC_RELAXED); }

static inline void parker_sleep(parker *p, int64_t timeout_ns) {
  struct timeval now;
  gettimeofday(&now, NULL);
  int64_t at = (int64_t)now.tv_sec * 1000000000 + (int64_t)now.tv_usec * 1000 + timeout_ns;
  struct timespec t = {at / 1000000000, at % 1000000000};
  pthread_mutex_lock(&p->lock);
  while (__atomic_load_n(&p->asleep, __ATOMIC_SEQ_CST)) {
    if (timeout_ns < 0) pthread_cond_wait(&p->cond, &p->lock);
    else if (pthread_cond_timedwait(&p->cond, &p->lock, &t)) break;
  }
  parker_cancel(p);
  pthread_mutex_unlock(&p->lock);
}

static inline void parker_wake(parker *p) {
  if (!__atomic_load_n(&p->asleep, __ATOMIC_SEQ_CST)) return;
  pthread_mutex_lock(&p->lock);
  __atomic_store_n(&p->asleep, 0, __ATOMIC_SEQ_CST);
  pthread_cond_signal(&p->cond);
  pthread_mutex_unlock(&p->lock);
}
#endif

// How long a thread spins before it sleeps, unless its context says otherwise; 0: not at all. Set once, before the first context.
extern __attribute__((visibility("hidden"))) int64_t park_spin_ns;

// How many threads of goroutines may spin at a time: where all processors spin, nobody is left to do what they wait for. A thread
// that may not leaves its processor to other goroutines, whose requests then make a queue.
typedef struct park_places {
  int most; // it and few are set once, before the first context
  int few;  // callers of a context that need not take turns
  int taken __attribute__((aligned(64))); // atomic
} park_places;
extern __attribute__((visibility("hidden"))) park_places park_spinners;

static inline int spinner_enter(void) {
  if (__atomic_fetch_add(&park_spinners.taken, 1, __ATOMIC_RELAXED) < park_spinners.most) return 1;
  __atomic_fetch_sub(&park_spinners.taken, 1, __ATOMIC_RELAXED);
  return 0;
}

static inline void spinner_leave(void) { __atomic_fetch_sub(&park_spinners.taken, 1, __ATOMIC_RELAXED); }

#define SPIN_GAP_NS 100000 // spinning pays while the usual wait is shorter than this
#define POLLS 48           // between two yields, when the other thread has a processor of its own
#define SWITCH_NS 1000     // a yield that took longer ran somebody else
#define LOST_NS 500000     // a yield that took longer ran somebody who has no part in this, for as long as the system lets one run
#define LEAST_REST 16      // waits after such a yield that do not spin
#define MOST_REST 4096     // when it happens again and again

static inline void cpu_relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// The usual length of a wait, as a moving average. It starts at zero: the first waits spin. Several threads may note a wait at the
// same time: one of them is lost then.
typedef struct gauge {
  int64_t usual; // all of it is atomic
  int sharing; // the thread that is waited for runs on the same processor, which therefore has to be yielded at once
  int rest;    // waits that are not to spin: other programs want the processors, and a thread that sleeps gets one sooner
  int next;    // how long the next rest is, if no less than the least
} gauge;

// Whether to spin for the next wait.
static inline int gauge_hopeful(gauge *g) {
  int rest = __atomic_load_n(&g->rest, __ATOMIC_RELAXED);
  if (rest > 0) __atomic_store_n(&g->rest, rest - 1, __ATOMIC_RELAXED);
  return rest <= 0 && __atomic_load_n(&g->usual, __ATOMIC_RELAXED) < SPIN_GAP_NS;
}

// Notes how long a yield took.
static inline void gauge_yielded(gauge *g, int64_t ns) {
  int next = __atomic_load_n(&g->next, __ATOMIC_RELAXED);
  if (next < LEAST_REST) next = LEAST_REST;
  if (ns > LOST_NS) __atomic_store_n(&g->rest, next, __ATOMIC_RELAXED);
  next = ns > LOST_NS ? 2 * next : next - 1;
  __atomic_store_n(&g->next, next < MOST_REST ? next : MOST_REST, __ATOMIC_RELAXED);
}

// A long wait counts as no more than a few gaps, so that a busy spell is noticed within a few waits.
static inline void gauge_note(gauge *g, int64_t waited) {
  if (waited > 4 * SPIN_GAP_NS) waited = 4 * SPIN_GAP_NS;
  int64_t usual = __atomic_load_n(&g->usual, __ATOMIC_RELAXED);
  __atomic_store_n(&g->usual, usual + (waited - usual) / 4, __ATOMIC_RELAXED);
}

// Polls until ready, for most_ns at most. Returns for how long, as far as it looked at the clock, which takes a while; or -1 if it was
// not ready.
static inline int64_t gauge_spin(gauge *g, int64_t most_ns, int (*ready)(void *), void *what) {
  int64_t start = 0, spun = 0;
  while (most_ns) {
    for (int i = __atomic_load_n(&g->sharing, __ATOMIC_RELAXED) ? 1 : POLLS; i > 0; i--) {
      if (ready(what)) return spun;
      cpu_relax();
    }
    int64_t before = now_ns();
    if (!start) start = before;
    spun = before - start;
    if (spun > most_ns) return -1;
    sched_yield();
    int64_t yielded = now_ns() - before;
    gauge_yielded(g, yielded);
    if (!ready(what)) continue;
    __atomic_store_n(&g->sharing, yielded > SWITCH_NS, __ATOMIC_RELAXED);
    return spun;
  }
  return -1;
}

// Where a wait is not measured to its end, one that was not tried brings the next try nearer.
static inline void gauge_skip(gauge *g) {
  int64_t usual = __atomic_load_n(&g->usual, __ATOMIC_RELAXED);
  __atomic_store_n(&g->usual, usual - usual / 16, __ATOMIC_RELAXED);
}

#endif
