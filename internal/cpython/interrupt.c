//go:build cgo && (linux || darwin)

// Interrupts aim at a request. Whether it still runs is decided under the lane's lock, so that one that comes too late
// is withdrawn and never hits the next request; the lock does what the interpreter's own would do, and also works where
// there is none (free-threaded builds).
#include "context.h"

// With the lane's lock. Puts off an interrupt that r, which is no longer on top, was not hit by yet: what runs meanwhile must not
// get it. Returns whether there is one, which then is to be withdrawn from the thread.
static int put_off(request *r) {
  if (!r) return 0;
  int struck = r->struck;
  if (struck || r->asked == ASKED) {
    r->asked = ANSWERED;
    r->interrupted = 1;
  }
  r->struck = 0;
  return struck;
}

// Attached, on the lane's thread. Returns whether the request was interrupted before it began.
int begin_request(lane *l, request *r) {
  pthread_mutex_lock(&l->lock);
  r->suspended = r->struck = r->hit = r->asked = 0;
  r->below = l->current;
  int struck = put_off(r->below); // in an inline function, Attach or a write that let go of the interpreter
  l->current = r;
  int interrupted = r->interrupted;
  pthread_mutex_unlock(&l->lock);
  if (struck) PyThreadState_SetAsyncExc(l->ident, NULL);
  return interrupted;
}

// Attached to the interpreter, with the lane's lock.
static void set_exception(lane *l, request *r) {
  r->struck = r->hit = 1;
  r->asked = ANSWERED;
  PyThreadState_SetAsyncExc(l->ident, l->context->interp->interrupted);
}

// Attached, with the lane's lock. The request below is on top again, and gets an interrupt that came meanwhile, if it goes on now.
static void go_on(lane *l, request *below) {
  l->current = below;
  if (!below || !below->interrupted || below->suspended) return;
  below->interrupted = 0;
  set_exception(l, below);
}

// Attached, on the lane's thread; an error may be set and stays. Withdraws an interrupt that was not delivered yet.
void end_request(lane *l, request *r) {
  pthread_mutex_lock(&l->lock);
  if (r->struck) PyThreadState_SetAsyncExc(l->ident, NULL);
  go_on(l, r->below);
  pthread_mutex_unlock(&l->lock);
}

// Attached, on the lane's thread. Code that runs between begin and end of an interlude belongs to no request: an interrupt
// does not reach it, and callbacks that it makes leave the suspended request below alone.
request *begin_interlude(lane *l) {
  pthread_mutex_lock(&l->lock);
  request *below = l->current;
  int struck = put_off(below);
  l->current = NULL;
  pthread_mutex_unlock(&l->lock);
  if (struck) PyThreadState_SetAsyncExc(l->ident, NULL);
  return below;
}

void end_interlude(lane *l, request *below) {
  pthread_mutex_lock(&l->lock);
  go_on(l, below);
  pthread_mutex_unlock(&l->lock);
}

// Attached, on the lane's thread. The current request, marked as waiting for a callback; may be NULL.
request *suspend_request(lane *l) {
  pthread_mutex_lock(&l->lock);
  request *r = l->current;
  if (r) r->suspended = 1;
  int struck = put_off(r);
  pthread_mutex_unlock(&l->lock);
  if (struck) PyThreadState_SetAsyncExc(l->ident, NULL);
  return r;
}

// Attached, on the lane's thread. Returns whether the request was interrupted while it waited. One that ran a function inline did
// not: it was at the top, where interrupts strike, or below others, whose end delivered them.
int resume_request(lane *l, request *r) {
  if (!r || !r->suspended) return 0;
  pthread_mutex_lock(&l->lock);
  r->suspended = 0;
  int interrupted = r->interrupted;
  r->interrupted = 0;
  r->hit |= interrupted;
  pthread_mutex_unlock(&l->lock);
  return interrupted;
}

#define MOST_TRIES 1000 // in three seconds

static void pause_before(int try) { nanosleep(&(struct timespec){.tv_nsec = 500000 * (1 + try / 100)}, NULL); }

#define PATIENT_TRIES 10 // for a loop

// Attached to the interpreter with another thread state than the lane's, with the lane's lock. Interrupts r, which is on top. Where
// an event loop runs, that is asked to cancel what it runs, and given a few milliseconds to come to it. Returns whether that settled the
// matter.
static int strike(lane *l, request *r, int try) {
  if (try == 1) r->asked = NOT_ASKED;
  if (r->asked == ANSWERED || r->asked == OWED) return 1;
  if (ring(l)) r->asked = ASKED;
  if ((r->asked == ASKED && try <= PATIENT_TRIES) || has_to_wait(l, try == MOST_TRIES)) return 0;
  set_exception(l, r);
  return 1;
}

// Attached, on the lane's thread, in a loop that was rung at. Returns whether it is for the request that is on top.
int answer(lane *l) {
  pthread_mutex_lock(&l->lock);
  request *r = l->current;
  int is_for_it = r && !r->suspended && (r->asked == ASKED || r->asked == OWED);
  if (is_for_it) {
    r->asked = ANSWERED;
    r->hit = 1;
  }
  pthread_mutex_unlock(&l->lock);
  return is_for_it;
}

// Attached, on the lane's thread. An interrupt that is raised in a task leaves it to the loop to cancel the whole of what that runs.
void owe(lane *l) {
  pthread_mutex_lock(&l->lock);
  if (l->current) l->current->asked = OWED;
  pthread_mutex_unlock(&l->lock);
}

// Attached, on the lane's thread. Whether an interrupt was raised in what is on top.
int is_hit(lane *l) {
  pthread_mutex_lock(&l->lock);
  int hit = l->current && l->current->hit;
  pthread_mutex_unlock(&l->lock);
  return hit;
}

// Any thread; attached to the interpreter with a thread state of its own, or, with no try, not. A request that holds the top of its
// thread can only be struck when attached, and may have to wait; any other is marked, and raises when it is next on top.
// Returns whether that settled the matter. The lock is taken last: who waits for it attached does not stand still.
static int aim(lane *l, request *r, int try) {
  if (try) hold_still(l);
  pthread_mutex_lock(&l->lock);
  int on_top = l->current == r && !r->suspended;
  if (!on_top) r->interrupted = 1;
  int settled = !on_top || (try && strike(l, r, try));
  pthread_mutex_unlock(&l->lock);
  if (try) let_go_on(l);
  return settled;
}

// Attached, on the lane's thread, where CPython has no use for an interrupt that was raised: in a __del__, or another function that
// it calls in the middle of something. It is raised again behind that. Returns whether it was one.
int strike_again(lane *l) {
  pthread_mutex_lock(&l->lock);
  request *r = l->current;
  int again = r && r->hit && !r->suspended && !has_to_wait(l, 1);
  if (again) set_exception(l, r);
  pthread_mutex_unlock(&l->lock);
  return again;
}

static void calm_down(context *c) {
  pthread_mutex_lock(&c->lock);
  if (--c->interrupters == 0) pthread_cond_broadcast(&c->calm);
  pthread_mutex_unlock(&c->lock);
}

// Any thread. Lets one more thread enter the context's interpreter from outside, unless it is ending.
static PyThreadState *enter(context *c) {
  pthread_mutex_lock(&c->lock);
  int ended = c->ended;
  if (!ended) c->interrupters++;
  pthread_mutex_unlock(&c->lock);
  PyThreadState *state = ended ? NULL : PyThreadState_New(c->interp->state);
  if (state) PyEval_RestoreThread(state);
  else if (!ended) calm_down(c);
  return state;
}

static void leave(context *c, PyThreadState *state) {
  PyThreadState_Clear(state);
  PyThreadState_DeleteCurrent();
  calm_down(c);
}

// Any thread that is not a Python thread. What runs in the context's interpreter lets go of the lock, and whoever waits for it may
// have it, in whatever interpreter.
void context_yield(context *c) {
  PyThreadState *state = enter(c);
  if (state) leave(c, state);
}

// Any thread, with r started and kept from reuse. Does what request_interrupt does as far as no lock of an interpreter is
// needed: a request that waits for a callback raises once it goes on. Returns whether that settled the matter.
int request_mark(request *r) { return aim(__atomic_load_n(&r->lane, __ATOMIC_ACQUIRE), r, 0); }

// Any thread that is not a Python thread, with r started and kept from reuse. Raises the interrupt in r at the next
// bytecode, or once it goes on after its callback; does nothing when r is done. Waits for the interpreter's lock, which
// code inside C may keep for long.
void request_interrupt(request *r) {
  lane *l = __atomic_load_n(&r->lane, __ATOMIC_ACQUIRE);
  for (int try = 1; try <= MOST_TRIES && !request_mark(r); try++) { // in vain: the caller comes back later
    PyThreadState *state = enter(l->context);
    if (!state) return;
    int settled = aim(l, r, try);
    leave(l->context, state);
    if (settled) return;
    pause_before(try + 1);
  }
}

// Attached. As request_interrupt, for what is on top of the context's thread, or was when a try before returned its handle and
// serial. *settled is 0 when it has to wait. On the thread itself there is no try.
static uint64_t strike_top(lane *l, uint64_t handle, uint64_t *serial, int *settled, int try) {
  *settled = 1;
  if (try) hold_still(l);
  pthread_mutex_lock(&l->lock);
  request *r = l->current;
  while (r && handle && (r->handle != handle || r->serial != *serial)) r = r->below;
  if (r) {
    handle = r->handle;
    *serial = r->serial;
    if (r != l->current || r->suspended) r->interrupted = 1;
    else if (!try) set_exception(l, r);
    else *settled = strike(l, r, try);
  }
  pthread_mutex_unlock(&l->lock);
  if (try) let_go_on(l);
  return handle;
}

// Any thread, also a Python thread in the middle of an inline function, of Attach or of a write. Interrupts what is on top of
// the context's thread. Returns its handle and serial, or 0 when the context is idle. The context's own thread uses its own
// thread state: of two that a thread has, CPython would interrupt the wrong one.
uint64_t context_interrupt(context *c, uint64_t *serial) {
  lane *own = lane_current();
  int was_attached = own && own->attached;
  uint64_t handle = 0;
  int settled = 0;
  if (own == c->main) {
    if (!was_attached) attach(own);
    handle = strike_top(own, 0, serial, &settled, 0);
    if (!was_attached) detach(own);
    return handle;
  }
  if (was_attached) detach(own);
  for (int try = 1; try <= MOST_TRIES && !settled; try++) {
    PyThreadState *state = enter(c);
    if (!state) break;
    handle = strike_top(c->main, handle, serial, &settled, try);
    leave(c, state);
    if (!settled) pause_before(try + 1);
  }
  if (was_attached) attach(own);
  return handle;
}
