//go:build cgo && (linux || darwin)

// A lane's queue and loop: the one place where requests are taken, run and completed.
#include "context.h"

#include "_cgo_export.h"

#define CROWD 64                // requests on top of one another before others have to be patient
#define CROWD_PATIENCE 1000000  // ns that one waits when the stack is crowded
#define PATIENCE 1000000        // ns that one waits when a finished callback below should go on first
#define PATIENCE_LIMIT 5000000
#define LATELY 64               // requests ago

__thread lane *tls_lane;
static pthread_key_t lane_key; // releases the lane of a thread that Python started when the thread ends
static pthread_once_t lane_once = PTHREAD_ONCE_INIT;

static void make_lane_key(void) { pthread_key_create(&lane_key, (void (*)(void *))lane_release); }

void lane_set_current(lane *l) {
  tls_lane = l;
  if (l && l->is_main) return;
  pthread_once(&lane_once, make_lane_key);
  pthread_setspecific(lane_key, l);
}

// Below this address a thread has too little stack left to run another request.
static uintptr_t stack_floor(void) {
  size_t size = 512 << 10;
  uintptr_t top = (uintptr_t)&size;
#ifdef __linux__
  pthread_attr_t attr;
  void *low;
  if (pthread_getattr_np(pthread_self(), &attr) == 0) {
    if (pthread_attr_getstack(&attr, &low, &size) == 0) top = (uintptr_t)low + size;
    pthread_attr_destroy(&attr);
  }
#elif defined(__APPLE__)
  top = (uintptr_t)pthread_get_stackaddr_np(pthread_self());
  size = pthread_get_stacksize_np(pthread_self());
#endif
  size_t margin = size / 4 < (512 << 10) ? size / 4 : 512 << 10;
  return top - size + margin;
}

// Attached, on the lane's own thread. Returns NULL when memory is out. The context owns its main lane, for as long as it lives
// itself; any other lane belongs to its thread and keeps the context.
lane *lane_new(context *c, int is_main) {
  lane *l = aligned_alloc(_Alignof(lane), sizeof *l);
  if (!l) return NULL;
  memset(l, 0, sizeof *l);
  l->refcount = 1;
  l->context = c;
  l->is_main = is_main;
  l->ident = PyThread_get_thread_ident();
  l->state = PyThreadState_Get();
  l->stack_floor = stack_floor();
  l->patience = PATIENCE;
  parker_init(&l->parker);
  pthread_mutex_init(&l->lock, NULL);
  if (!is_main) context_hold(c);
  stats_add(STAT_LANES, 1);
  return l;
}

void lane_free(lane *l) {
  if (!l) return;
  pthread_mutex_destroy(&l->lock);
  free(l);
  stats_add(STAT_LANES, -1);
}

void lane_hold(lane *l) {
  if (l->is_main) context_hold(l->context);
  else __atomic_fetch_add(&l->refcount, 1, __ATOMIC_RELAXED);
}

void lane_release(lane *l) {
  context *c = l->context;
  if (!l->is_main) {
    if (__atomic_fetch_sub(&l->refcount, 1, __ATOMIC_ACQ_REL) != 1) return;
    lane_free(l);
  }
  context_release(c);
}

void attach(lane *l) {
  PyEval_RestoreThread(l->state);
  l->attached = 1;
}

void detach(lane *l) {
  l->attached = 0;
  PyEval_SaveThread();
}

// Any thread, attached or not. Returns 0, or -1 when the lane takes nothing any more.
int lane_push(lane *l, request *r, int chain) {
  request **box = chain ? &l->chain_inbox : &l->inbox;
  request *head = __atomic_load_n(box, __ATOMIC_RELAXED);
  do {
    if (head == CLOSED) return -1;
    r->next = head;
    r->chain = chain;
  } while (!__atomic_compare_exchange_n(box, &head, r, 1, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
  parker_wake(&l->parker);
  return 0;
}

// Takes everything out of a box and puts it, oldest first, behind what was taken before.
static void take_all(request **box, request *leave, request **first, request **last) {
  if (__atomic_load_n(box, __ATOMIC_RELAXED) == CLOSED) return;
  request *newest = __atomic_exchange_n(box, leave, __ATOMIC_ACQ_REL), *oldest = NULL;
  for (request *r = newest; r;) {
    request *next = r->next;
    r->next = oldest;
    oldest = r;
    r = next;
  }
  if (!oldest) return;
  if (*first) (*last)->next = oldest;
  else *first = oldest;
  *last = newest;
}

// Another thread wrote what is fetched here: all at once takes as long as one after another would take each.
static void prefetch(request *r) {
  __builtin_prefetch(&r->state, 1);
  __builtin_prefetch(&r->in, 1);
  __builtin_prefetch(&r->blobs, 1);
  __builtin_prefetch(&r->handle, 1);
  __builtin_prefetch(r->in_local);
  __builtin_prefetch(r->out_local, 1);
}

static request *take(request **box, request **first, request **last) {
  if (!*first) {
    request *newest = __atomic_load_n(box, __ATOMIC_RELAXED);
    if (!newest) return NULL;
    if (newest != CLOSED) prefetch(newest);
    take_all(box, NULL, first, last);
  }
  request *r = *first;
  if (r) *first = r->next;
  return r;
}

// A request that belongs to no suspended frame may run now: nothing below is ready to go on, and the stack is not
// crowded; or it has been patient for long enough that the frame on top may be waiting for it.
static int admits(lane *l) {
  if (!l->is_main || l->unmoved) return 0;
  return l->overdue || (l->depth < CROWD && __atomic_load_n(&l->resumable, __ATOMIC_ACQUIRE) == 0);
}

static request *next_request(lane *l) {
  request *r = take(&l->chain_inbox, &l->chain, &l->chain_last);
  if (r || !admits(l)) return r;
  return take(&l->inbox, &l->ready, &l->ready_last);
}

static int more_waits(lane *l) {
  request *head = __atomic_load_n(&l->inbox, __ATOMIC_RELAXED);
  return l->ready || (head && head != CLOSED);
}

// Detached. Tells Go of what e is a part of. Where more requests wait, a goroutine takes all events as long as there are some:
// this thread then need not enter Go, which costs as much as a small request, and a wait for one of its processors.
void lane_tell(lane *l, event *e, uintptr_t what) {
  if (!l->is_main || (!__atomic_load_n(&l->taker, __ATOMIC_RELAXED) && !more_waits(l))) {
    goEvent(what);
    return;
  }
  e->what = what;
  e->next = __atomic_load_n(&l->events, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n(&l->events, &e->next, e, 1, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
  }
  if (__atomic_exchange_n(&l->taker, 1, __ATOMIC_SEQ_CST)) return;
  lane_hold(l);
  goEvent((uintptr_t)l | EVENT_MANY);
}

// Notes whether a request waited for a Go function.
static void note_call(lane *l, int waited) {
  int now = waited ? LATELY : l->calls_go > 0 ? l->calls_go - 1 : 0;
  if (now != l->calls_go) __atomic_store_n(&l->calls_go, now, __ATOMIC_RELAXED);
}

// Detached, or alone. The result is in r->out; after this r belongs to Go.
static void complete(lane *l, request *r) {
  uint32_t seen = __atomic_fetch_or(&r->state, ST_DONE, __ATOMIC_SEQ_CST);
  note_call(l, seen & ST_SUSPENDED);
  if (seen & (ST_PARKED | ST_ABANDONED)) {
    uintptr_t what = (uintptr_t)r | (seen & ST_ABANDONED ? EVENT_ABANDONED : EVENT_DONE);
    if (!lane_post(l, what)) lane_tell(l, &r->end, what);
  }
  __atomic_store_n(&l->served, l->served + 1, __ATOMIC_RELEASE);
}

// The lane's thread. Gives an event to the goroutine that spins for it after a callback. Returns whether there is one.
int lane_post(lane *l, uintptr_t what) {
  uintptr_t expected = SOMEBODY;
  return __atomic_compare_exchange_n(&l->posted, &expected, what, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

static int too_deep(lane *l) {
  char here;
  if ((uintptr_t)&here >= l->stack_floor) return 0;
  PyErr_Format(PyExc(RecursionError), "Go and Python call each other too deep: %d calls are suspended on this thread",
               l->depth);
  return 1;
}

// Attached. Runs the request on top of whatever is suspended.
static void run_attached(lane *l, request *r) {
  context *c = l->context;
  hidden below;
  request *waiting = r->chain ? NULL : l->current; // for others: what hide and show run is not its code
  if (waiting) begin_interlude(l);
  int failed = hide(l, r, waiting, &below);
  want w = {.how = WANT_NONE};
  l->depth++;
  struct lent *lent = NULL;
  PyObject *namespace_below = l->namespace;
  l->namespace = NULL;
  reader in = {.p = r->in.p, .end = r->in.p + r->in.len, .lent = &lent, .blobs = &r->blobs,
               .keys = keys_of(l)};
  PyObject *value = NULL;
  int interrupted = begin_request(l, r);
  if (interrupted) raise_interrupted(c->interp);
  else if (!failed && !too_deep(l)) value = perform(c, l, &in, &w);
  interp_end_child(c->interp, value);
  write_result(c, r, &r->out, value, w, &lent); // may run Python code too, which can be interrupted
  blobs_drop(&r->blobs);
  Py_DecRef(l->namespace);
  l->namespace = namespace_below;
  end_request(l, r);
  l->depth--;
  show(l, &below);
  if (waiting) end_interlude(l, waiting);
}

// The run is over; the time of its callbacks, and of the lock that they gave up, is known.
static void note_times(times *t, int64_t submitted, int64_t taken, int64_t begun) {
  t->running = now_ns() - begun - t->callbacks - t->lock;
  t->queued = taken - submitted;
  t->lock += begun - taken;
}

// Attached. Whether no other thread can want the interpreter's lock. One that is about to aim an interrupt at it can, and waits for as
// long as this thread spins. Thread states go while they have the lock only, so that those in the list are there.
static int alone(lane *l) {
  context *c = l->context;
  return c->mode == MODE_OWNGIL && !api_free_threaded && !PyThreadState_Next(PyInterpreterState_ThreadHead(c->interp->state));
}

// Attached or detached, and left as it was; at the bottom of the thread, attached if it is alone and detached if not. A request that
// was abandoned before it started never runs.
void lane_run(lane *l, request *r, int at_bottom) {
  int was_attached = l->attached;
  if (!l->is_main) { // an interrupt may look at the lane when the thread is gone
    lane_hold(l);
    r->holds_lane = 1;
  }
  __atomic_store_n(&r->lane, l, __ATOMIC_RELEASE);
  int abandoned = __atomic_load_n(&r->state, __ATOMIC_SEQ_CST) & ST_ABANDONED;
  int64_t taken = r->timed ? now_ns() : 0;
  if (!abandoned && !was_attached) attach(l);
  int64_t begun = r->timed ? now_ns() : 0;
  if (!abandoned && !(__atomic_fetch_or(&r->state, ST_STARTED, __ATOMIC_SEQ_CST) & ST_ABANDONED)) {
    blobs_take(r); // before anything else runs: whoever gives r up waits for it
    if (!r->chain) {
      l->overdue = 0;
      l->kept_since = 0;
    }
    if (l->is_main && __atomic_load_n(&l->context->drops_len, __ATOMIC_RELAXED)) context_drop_refs(l->context);
    if (r->timed & TRACED) goRun(r->handle, 1);
    run_attached(l, r);
    if (r->timed & TRACED) goRun(r->handle, 0);
    if (r->timed) note_times(&r->times, r->since, taken, begun);
  }
  if (!abandoned && (at_bottom ? !alone(l) : !was_attached)) detach(l);
  complete(l, r);
}

static int work_waiting(lane *l, callback *until) {
  context *c = l->context;
  if (until && __atomic_load_n(&until->done, __ATOMIC_SEQ_CST)) return 1;
  request *head = __atomic_load_n(&l->chain_inbox, __ATOMIC_SEQ_CST);
  if (head && head != CLOSED) return 1;
  if (!l->is_main) return 0;
  head = __atomic_load_n(&l->inbox, __ATOMIC_SEQ_CST);
  if (((head && head != CLOSED) || l->ready) && admits(l)) return 1;
  if (__atomic_load_n(&c->drops_len, __ATOMIC_SEQ_CST)) return 1;
  return !until && __atomic_load_n(&c->closing, __ATOMIC_SEQ_CST);
}

typedef struct waiting {
  lane *lane;
  callback *until;
} waiting;

static int work_for(void *w) { return work_waiting(((waiting *)w)->lane, ((waiting *)w)->until); }

// How long an ordinary request is to be kept waiting yet, at that time; -1 where there is none to be let through then.
static int64_t patience(lane *l, int64_t now) {
  if (!l->is_main || l->unmoved || admits(l) || !more_waits(l)) {
    l->kept_since = 0;
    return -1;
  }
  if (!l->kept_since) l->kept_since = now;
  int64_t left = l->kept_since + (__atomic_load_n(&l->resumable, __ATOMIC_SEQ_CST) ? l->patience : CROWD_PATIENCE) - now;
  return left > 0 ? left : 0;
}

// An ordinary request was kept waiting for long enough.
static void let_through(lane *l) {
  l->overdue = 1;
  if (__atomic_load_n(&l->resumable, __ATOMIC_RELAXED) && l->patience < PATIENCE_LIMIT) l->patience *= 2;
}

// Attached or detached; detached when it returns -1. Returns how long it took until there was work, as gauge_spin does, or -1 when it
// is time to sleep.
static int64_t spin_for_work(lane *l, callback *until) {
  waiting w = {l, until};
  int64_t most = l->is_main && l->context->spin_ns ? l->context->spin_ns : gauge_hopeful(&l->gap) ? park_spin_ns : 0;
  if (l->attached) {
    int64_t brief = most < park_spin_ns ? most : park_spin_ns;
    int64_t spun = gauge_spin(&l->gap, brief, work_for, &w);
    if (spun >= 0) return spun;
    detach(l);
    most -= brief;
  }
  return gauge_spin(&l->gap, most, work_for, &w);
}

// Attached or detached. Sleeps detached, and returns when there may be work.
static void wait_for_work(lane *l, callback *until) {
  int64_t start = now_ns(), spun = spin_for_work(l, until);
  if (spun >= 0) {
    gauge_note(&l->gap, spun);
    if (patience(l, start + spun) == 0) let_through(l);
    return;
  }
  parker_announce(&l->parker);
  if (work_waiting(l, until)) {
    parker_cancel(&l->parker);
  } else {
    int64_t now = now_ns(), left = patience(l, now);
    if (left) parker_sleep(&l->parker, left);
    else parker_cancel(&l->parker);
    if (left >= 0 && now_ns() - now >= left) let_through(l);
  }
  gauge_note(&l->gap, now_ns() - start);
}

// Detached. The loop of every lane: at the bottom of a context's thread until the context closes (until is NULL), and
// within each suspended callback until its answer is there. At the bottom, the lock of an interpreter that has no other thread is kept
// from one request to the next.
void lane_serve(lane *l, callback *until) {
  context *c = l->context;
  for (;;) {
    if (until && __atomic_load_n(&until->done, __ATOMIC_ACQUIRE)) break;
    if (!until && __atomic_load_n(&c->closing, __ATOMIC_ACQUIRE)) break;
    request *r = next_request(l);
    if (r) {
      lane_run(l, r, !until);
      continue;
    }
    if (l->is_main && __atomic_load_n(&c->drops_len, __ATOMIC_RELAXED)) {
      if (!l->attached) attach(l);
      context_drop_refs(c);
      if (until || !alone(l)) detach(l);
      continue;
    }
    wait_for_work(l, until);
  }
  if (until) l->patience = PATIENCE;
  else if (l->attached) detach(l);
}

static void refuse_all(lane *l, request *r) {
  while (r) {
    request *next = r->next;
    r->out.len = 0;
    complete(l, r);
    r = next;
  }
}

// Detached, on a thread that Python started, when it waits for no callback any more. Requests of a chain that came too
// late for it go to the context's thread.
void lane_forward(lane *l) {
  take_all(&l->chain_inbox, NULL, &l->chain, &l->chain_last);
  request *r = l->chain;
  l->chain = NULL;
  while (r) {
    request *next = r->next;
    r->next = NULL;
    if (lane_push(l->context->main, r, 0) < 0) refuse_all(l, r);
    r = next;
  }
}

// Detached, on the lane's thread, when it ends: what is queued fails (an empty result means closed), and nothing is
// taken from here on.
void lane_close(lane *l) {
  take_all(&l->chain_inbox, CLOSED, &l->chain, &l->chain_last);
  take_all(&l->inbox, CLOSED, &l->ready, &l->ready_last);
  refuse_all(l, l->chain);
  refuse_all(l, l->ready);
  l->chain = l->ready = NULL;
}
