//go:build cgo && (linux || darwin)

// Interrupts aim at a request. Whether it still runs is decided under the lane's lock, so that one that comes too late
// is withdrawn and never hits the next request; the lock does what the interpreter's own would do, and also works where
// there is none (free-threaded builds).
#include "context.h"

// With the lane's lock. Puts off an interrupt that r, which is no longer on top, was not hit by yet: what runs meanwhile must not
// get it. Returns whether there is one, which then is to be withdrawn from the thread.
static int put_off(request *r) {
  if (!r || !r->struck) return 0;
  r->struck = 0;
  r->interrupted = 1;
  return 1;
}

// Attached, on the lane's thread. Returns whether the request was interrupted before it began.
int begin_request(lane *l, request *r) {
  pthread_mutex_lock(&l->lock);
  r->suspended = r->struck = r->hit = 0;
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

// Attached, no error set, and none afterwards. Whether a frame's code is importlib's, which an exception out of nowhere can leave
// with the lock of a module taken for ever.
static int is_importlib(PyObject *frame) {
  PyObject *code = PyFrame_GetCode(frame);
  PyObject *file = code ? PyObject_GetAttrString(code, "co_filename") : NULL;
  const char *p = file && type_of(file) == EXACT(Unicode) ? PyUnicode_AsUTF8AndSize(file, NULL) : NULL;
  int result = p && strcmp(p, "<frozen importlib._bootstrap>") == 0;
  PyErr_Clear();
  Py_DecRef(file);
  Py_DecRef(code);
  return result;
}

// Attached, no error set, and none afterwards. Whether a frame's code is asyncio's, which can lose track of a task over an
// exception out of nowhere, and wait for it for ever.
static int is_asyncio(PyObject *frame) {
  PyObject *globals = PyObject_GetAttrString(frame, "f_globals");
  PyObject *module = globals ? PyDict_GetItemString(globals, "__name__") : NULL; // borrowed
  const char *p = module && type_of(module) == EXACT(Unicode) ? PyUnicode_AsUTF8AndSize(module, NULL) : NULL;
  int result = p && strncmp(p, "asyncio.", 8) == 0;
  PyErr_Clear();
  Py_DecRef(globals);
  return result;
}

#define DEEPEST 256

// Attached, no error set, and none afterwards. Whether a frame is within an import: of a package that is not there as a whole,
// half may stay, so that it cannot be imported again.
static int is_within_import(PyObject *frame) {
  int result = 0;
  Py_IncRef(frame);
  for (int i = 0; i < DEEPEST && frame && frame != Py_None && !result; i++) {
    result = is_importlib(frame);
    PyObject *back = PyObject_GetAttrString(frame, "f_back");
    Py_DecRef(frame);
    frame = back;
  }
  PyErr_Clear();
  Py_DecRef(frame);
  return result;
}

// Attached to the lane's interpreter with another thread state, so that the lane's thread stands still. Whether an interrupt
// has to wait for what is on top; in the last try not for an import, which may never end. Without an interpreter lock the thread does
// not stand still, and cannot be looked at.
static int has_to_wait(lane *l, int last) {
  PyObject *frame = api_free_threaded ? NULL : PyThreadState_GetFrame(l->state);
  int result = frame && (is_importlib(frame) || is_asyncio(frame) || (!last && is_within_import(frame)));
  Py_DecRef(frame);
  return result;
}

#define MOST_TRIES 1000 // in three seconds

static void pause_before(int try) { nanosleep(&(struct timespec){.tv_nsec = 500000 * (1 + try / 100)}, NULL); }

// Any thread; attached to the interpreter with a thread state of its own, or not. A request that holds the top of its
// thread can only be struck when attached, and may have to wait; any other is marked, and raises when it is next on top.
// Returns whether that settled the matter.
static int aim(lane *l, request *r, int attached, int last) {
  pthread_mutex_lock(&l->lock);
  int on_top = l->current == r && !r->suspended;
  if (!on_top) r->interrupted = 1;
  int strikes = on_top && attached && !has_to_wait(l, last);
  if (strikes) set_exception(l, r);
  pthread_mutex_unlock(&l->lock);
  return !on_top || strikes;
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
int request_mark(request *r) { return aim(__atomic_load_n(&r->lane, __ATOMIC_ACQUIRE), r, 0, 0); }

// Any thread that is not a Python thread, with r started and kept from reuse. Raises the interrupt in r at the next
// bytecode, or once it goes on after its callback; does nothing when r is done. Waits for the interpreter's lock, which
// code inside C may keep for long.
void request_interrupt(request *r) {
  lane *l = __atomic_load_n(&r->lane, __ATOMIC_ACQUIRE);
  for (int try = 1; try <= MOST_TRIES && !request_mark(r); try++) { // in vain: the caller comes back later
    PyThreadState *state = enter(l->context);
    if (!state) return;
    int settled = aim(l, r, 1, try == MOST_TRIES);
    leave(l->context, state);
    if (settled) return;
    pause_before(try + 1);
  }
}

// Attached. As request_interrupt, for what is on top of the context's thread, or was when a try before returned its handle and
// serial. *settled is 0 when it has to wait.
static uint64_t strike_top(lane *l, uint64_t handle, uint64_t *serial, int *settled, int last) {
  *settled = 1;
  pthread_mutex_lock(&l->lock);
  request *r = l->current;
  while (r && handle && (r->handle != handle || r->serial != *serial)) r = r->below;
  if (r) {
    handle = r->handle;
    *serial = r->serial;
    if (r != l->current || r->suspended) r->interrupted = 1;
    else if (lane_current() != l && has_to_wait(l, last)) *settled = 0;
    else set_exception(l, r);
  }
  pthread_mutex_unlock(&l->lock);
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
    handle = strike_top(own, 0, serial, &settled, 1);
    if (!was_attached) detach(own);
    return handle;
  }
  if (was_attached) detach(own);
  for (int try = 1; try <= MOST_TRIES && !settled; try++) {
    PyThreadState *state = enter(c);
    if (!state) break;
    handle = strike_top(c->main, handle, serial, &settled, try == MOST_TRIES);
    leave(c, state);
    if (!settled) pause_before(try + 1);
  }
  if (was_attached) attach(own);
  return handle;
}
