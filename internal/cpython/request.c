//go:build cgo && (linux || darwin)

#include "request.h"

#include "function.h"

#define MOMENT_NS 1000 // of spinning for events

// Returns NULL when memory is out.
request *request_new(uint64_t handle) {
  request *r = aligned_alloc(_Alignof(request), sizeof *r);
  if (!r) return NULL;
  memset(r, 0, sizeof *r);
  r->handle = handle;
  r->in = (buf){r->in_local, 0, BUF_GIVEN, r->in_local};
  r->out = (buf){r->out_local, 0, BUF_GIVEN, r->out_local};
  stats_add(STAT_REQUESTS, 1);
  return r;
}

// A request keeps the lane of a Python thread until it is used again, for the sake of late interrupts.
static void let_go_of_lane(request *r) {
  if (r->holds_lane) lane_release(r->lane);
  r->holds_lane = 0;
  r->lane = NULL;
}

void request_free(request *r) {
  let_go_of_lane(r);
  buf_free(&r->in);
  buf_free(&r->out);
  free(r->blobs.items);
  free(r->kept.handles);
  free(r);
  stats_add(STAT_REQUESTS, -1);
}

// Makes room for n more bytes; a process without memory for it ends, as Go programs do.
void request_room(buf *b, size_t n) {
  if (buf_reserve(b, n) < 0) abort();
}

static int settled(void *r) {
  return (__atomic_load_n(&((request *)r)->state, __ATOMIC_ACQUIRE) & (ST_DONE | ST_SUSPENDED)) != 0;
}

// Where requests call Go, a caller that spins takes their callbacks, at less cost than anybody else.
static int calls_go(lane *l) { return __atomic_load_n(&l->calls_go, __ATOMIC_RELAXED); }

// Whether callers have to take turns: one that spins has its result before those that have waited for longer, and is back at once. Those
// that wait for Go functions are in nobody's way.
static int crowded(lane *l, int64_t callers) {
  int few = park_spinners.few;
  return callers > few && !calls_go(l) && callers - __atomic_load_n(&l->suspended, __ATOMIC_RELAXED) > few;
}

// Only one spins for what a lane has done, and only while that promises to be quicker than a wake-up. lane_stop_spinning is due then.
static int may_spin_for(lane *l) {
  if (!park_spin_ns) return 0;
  if (!gauge_hopeful(&l->caller)) {
    gauge_skip(&l->caller);
    return 0;
  }
  if (__atomic_exchange_n(&l->spinner, 1, __ATOMIC_ACQUIRE)) return 0;
  if (spinner_enter()) return 1;
  __atomic_store_n(&l->spinner, 0, __ATOMIC_RELEASE);
  return 0;
}

void lane_stop_spinning(lane *l, int found) {
  gauge_note(&l->caller, found ? 0 : 4 * SPIN_GAP_NS);
  spinner_leave();
  __atomic_store_n(&l->spinner, 0, __ATOMIC_RELEASE);
}

// A goroutine that takes a lane's events, when there were none for a while. Whether it may spin for more, in place of all that wait for
// one. lane_stop_spinning is due then.
int lane_may_spin_for_events(lane *l) { return !calls_go(l) && may_spin_for(l); }

static int left_some(void *l) { return __atomic_load_n(&((lane *)l)->events, __ATOMIC_RELAXED) != NULL; }

// Where lane_may_spin_for_events says so: for a moment only, so that other goroutines get their turns. Returns whether there are events.
int lane_spin_for_events(lane *l) { return gauge_spin(&l->caller, MOMENT_NS, left_some, l) >= 0; }

static void spin_for_result(lane *l, request *r) {
  int found = gauge_spin(&l->caller, park_spin_ns, settled, r) >= 0;
  __builtin_prefetch(&r->out);
  __builtin_prefetch(r->out_local);
  lane_stop_spinning(l, found);
}

// Any thread. Queues a request for a lane and waits for it a moment, unless callers of the lane are many. Unless it is done, an event
// follows. Both are given as numbers, which cgo does not look into for pointers to Go's memory.
int request_submit(uintptr_t to, uintptr_t what, int chain, int64_t callers) {
  lane *l = (lane *)to;
  request *r = (request *)what;
  let_go_of_lane(r);
  r->interrupted = 0;
  r->out.len = 0;
  r->offered = NULL;
  r->copied = 0;
  if (r->timed) {
    r->times = (times){0};
    r->since = now_ns();
  }
  __atomic_store_n(&r->state, 0, __ATOMIC_RELAXED);
  lane *own = lane_current();
  if (own == l) { // within an inline function or Attach: this is the thread that would run it
    r->chain = 1;
    lane_run(l, r, 0);
    return SUBMIT_DONE;
  }
  int result = thread_detach() ? SUBMIT_DETACHED : SUBMITTED;
  int spins = l->is_main && !crowded(l, callers) && may_spin_for(l);
  if (spins) r->state = ST_SPINNING;
  if (lane_push(l, r, chain) < 0) {
    if (spins) lane_stop_spinning(l, 1);
    return result | SUBMIT_CLOSED;
  }
  if (spins) spin_for_result(l, r);
  uint32_t seen = __atomic_load_n(&r->state, __ATOMIC_ACQUIRE);
  if (!(seen & ST_DONE)) seen = __atomic_fetch_or(&r->state, ST_PARKED, __ATOMIC_SEQ_CST);
  if (seen & ST_DONE) result |= SUBMIT_DONE;
  if (spins && seen & ST_SUSPENDED && r->offered) result |= SUBMIT_CALLBACK;
  return result;
}

// Any thread. Lets go of the interpreter where the thread is a Python thread in the middle of an inline function or of Attach.
// Returns whether thread_reattach is due.
int thread_detach(void) {
  lane *own = lane_current();
  if (!own || !own->attached) return 0;
  detach(own);
  return 1;
}

// After SUBMIT_DETACHED or thread_detach, on the same thread.
void thread_reattach(void) { attach(lane_current()); }

// On a Python thread in the middle of an inline function, of Attach or of a write, which stays there for ever. Detaches it, and
// returns Go's number for its context, or 0.
uint64_t thread_give_up(void) {
  lane *l = lane_current();
  if (l && l->attached) detach(l);
  return l ? l->context->handle : 0;
}

void registry_changed(void) { __atomic_fetch_add(&registry_version, 1, __ATOMIC_SEQ_CST); }
