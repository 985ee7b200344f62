//go:build cgo && (linux || darwin)

// A callback is a suspension point: the Python frame stays on the C stack, the Go function runs on a goroutine, and the
// thread serves other requests until the answer is there.
#include "context.h"

#include "_cgo_export.h"

// Detached. Marks the request as waiting for a callback, the first time it does, and offers the callback to the caller,
// if that spins for the result: it starts a goroutine at less cost than this thread. Returns whether the caller takes it.
static int offer(request *r, callback *cb) {
  if (!r || __atomic_load_n(&r->state, __ATOMIC_RELAXED) & ST_SUSPENDED) return 0;
  r->offered = cb;
  uint32_t seen = __atomic_fetch_or(&r->state, ST_SUSPENDED, __ATOMIC_SEQ_CST);
  return cb && (seen & (ST_SPINNING | ST_PARKED)) == ST_SPINNING;
}

// Detached. Gives the callback to the goroutine that ran the last one, when it spins for the next; else to a new one.
static void hand_over(lane *l, callback *cb) {
  lane_hold(l);
  if (lane_post(l, (uintptr_t)cb)) offer(cb->request, NULL);
  else if (!offer(cb->request, cb)) lane_tell(l, &cb->begin, (uintptr_t)cb);
}

// Attached, behind an inline function on a thread that Python started: nobody there looks for what others asked for in its chain.
static void forward_chain(lane *l) {
  if (l->is_main || l->suspended || !__atomic_load_n(&l->chain_inbox, __ATOMIC_RELAXED)) return;
  detach(l);
  lane_forward(l);
  attach(l);
}

static const char *const movers[] = {"gevent", "eventlet", "playwright.sync_api"};

// Attached, no error set. Whether the interpreter has a module that goes on with a frame below others, by moving the C stack of those out
// of the way. A callback is on that stack, with Go writing to it, so that no code that might do so may run on top of it. To import
// one changes how many modules there are.
static int moves_stacks(interp *in) {
  size_t n = (size_t)PyDict_Size(in->modules), looked_at = __atomic_load_n(&in->looked_at, __ATOMIC_RELAXED);
  if (n != looked_at / 2) {
    looked_at = 2 * n;
    for (size_t i = 0; i < sizeof movers / sizeof *movers; i++) looked_at |= PyDict_GetItemString(in->modules, movers[i]) != NULL;
    PyErr_Clear();
    __atomic_store_n(&in->looked_at, looked_at, __ATOMIC_RELAXED);
  }
  return looked_at & 1;
}

// Attached. Runs the Go function of cb with its arguments and waits for the answer. One that is inline when it is ready runs
// here if it need not wait. Returns 0, or -1 with the interrupt raised.
int callback_run(lane *l, callback *cb, int is_inline) {
  cb->lane = l;
  request *timed = l->current && l->current->timed ? l->current : NULL;
  int64_t start = timed ? now_ns() : 0, over = 0;
  if (is_inline) {
    cb->request = l->current;
    if (is_inline == INLINE_READY) is_inline = goReady(cb);
    else goInline(cb);
  }
  if (is_inline) {
    if (timed) over = now_ns();
    forward_chain(l);
  } else {
    stats_add(STAT_CALLBACKS, 1);
    cb->request = suspend_request(l);
    int unmoved = moves_stacks(l->context->interp);
    detach(l);
    __atomic_store_n(&l->suspended, l->suspended + 1, __ATOMIC_RELAXED);
    l->unmoved += unmoved;
    hand_over(l, cb);
    lane_serve(l, cb);
    __atomic_fetch_sub(&l->resumable, 1, __ATOMIC_SEQ_CST);
    l->unmoved -= unmoved;
    __atomic_store_n(&l->suspended, l->suspended - 1, __ATOMIC_RELAXED);
    if (!l->suspended && !l->is_main) lane_forward(l);
    if (timed) over = now_ns();
    attach(l);
    stats_add(STAT_CALLBACKS, -1);
  }
  if (timed) {
    timed->times.callbacks += over - start;
    timed->times.lock += now_ns() - over;
  }
  if (!resume_request(l, cb->request)) return 0;
  raise_interrupted(l->context->interp);
  return -1;
}

// Any thread. The answer is in cb->answer; from here on cb is gone.
static void finish(lane *l, callback *cb) {
  __atomic_fetch_add(&l->resumable, 1, __ATOMIC_SEQ_CST);
  __atomic_store_n(&cb->done, 1, __ATOMIC_SEQ_CST);
  parker_wake(&l->parker);
}

typedef struct next_event {
  lane *lane;
  uint32_t served;
} next_event;

// There is an event, or the request that made the last callback is over, so that none will come.
static int settled(void *what) {
  next_event *n = what;
  return __atomic_load_n(&n->lane->posted, __ATOMIC_ACQUIRE) != SOMEBODY ||
         __atomic_load_n(&n->lane->served, __ATOMIC_ACQUIRE) != n->served;
}

// A goroutine's thread. Answers cb, which is gone then, and returns the lane's next event if one comes soon, or 0.
uintptr_t callback_finish(callback *cb) {
  lane *l = cb->lane;
  next_event next = {l, __atomic_load_n(&l->served, __ATOMIC_ACQUIRE)};
  uintptr_t expected = NOBODY, event = 0;
  int hopeful = l->is_main && park_spin_ns && gauge_hopeful(&l->answers);
  int mine = hopeful && __atomic_compare_exchange_n(&l->posted, &expected, SOMEBODY, 0, __ATOMIC_SEQ_CST,
                                                    __ATOMIC_RELAXED);
  finish(l, cb);
  if (mine) {
    gauge_note(&l->answers, gauge_spin(&l->answers, park_spin_ns, settled, &next) < 0 ? 4 * SPIN_GAP_NS : 0);
    event = __atomic_exchange_n(&l->posted, NOBODY, __ATOMIC_SEQ_CST);
    if (event == SOMEBODY) event = 0;
  } else if (!hopeful) {
    gauge_skip(&l->answers);
  }
  lane_release(l);
  return event;
}
