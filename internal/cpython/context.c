//go:build cgo && (linux || darwin)

// The life of a context and its thread.
#include "context.h"

#include <stdio.h>

#include "_cgo_export.h"
#include "verb.h"

static pthread_mutex_t workers_lock = PTHREAD_MUTEX_INITIALIZER;
static context *workers; // a list
static int leaving, uncollected; // workers that end, and that ended since garbage was collected; atomic
#define MOST_UNCOLLECTED 64

static void add_worker(context *c) {
  pthread_mutex_lock(&workers_lock);
  c->next_worker = workers;
  workers = c;
  pthread_mutex_unlock(&workers_lock);
}

static void remove_worker(context *c) {
  pthread_mutex_lock(&workers_lock);
  context **p = &workers;
  while (*p != c) p = &(*p)->next_worker;
  *p = c->next_worker;
  pthread_mutex_unlock(&workers_lock);
}

// The worker context of that serial number, or else the only one there is, held; or NULL. For threads of the main interpreter that
// nobody can be asked about.
context *context_worker(uint64_t serial) {
  pthread_mutex_lock(&workers_lock);
  context *c = workers;
  while (c && c->serial != serial) c = c->next_worker;
  if (!c && workers && !workers->next_worker) c = workers;
  if (c) context_hold(c);
  pthread_mutex_unlock(&workers_lock);
  return c;
}

void context_hold(context *c) { __atomic_fetch_add(&c->refcount, 1, __ATOMIC_RELAXED); }

// Any thread. The last one to let go frees the memory; Python's part is long gone by then.
void context_release(context *c) {
  if (__atomic_fetch_sub(&c->refcount, 1, __ATOMIC_ACQ_REL) != 1) return;
  lane_free(c->main);
  refs_free(c->refs);
  free(c->drops);
  goFreed(c->handle);
  pthread_mutex_destroy(&c->lock);
  pthread_cond_destroy(&c->calm);
  free(c);
  stats_add(STAT_CONTEXTS, -1);
}

// Any thread, not attached. Lets the object of a handle go, soon, on the context's thread.
void context_drop(context *c, uint64_t handle) {
  pthread_mutex_lock(&c->lock);
  if (!c->ended) {
    if (c->drops_len == c->drops_cap) {
      size_t cap = c->drops_cap ? c->drops_cap * 2 : 64;
      uint64_t *drops = realloc(c->drops, cap * sizeof *drops);
      if (drops) {
        c->drops = drops;
        c->drops_cap = cap;
      }
    }
    if (c->drops_len < c->drops_cap) {
      c->drops[c->drops_len] = handle;
      __atomic_store_n(&c->drops_len, c->drops_len + 1, __ATOMIC_SEQ_CST);
    }
  }
  pthread_mutex_unlock(&c->lock);
  parker_wake(&c->main->parker);
}

// Attached. New reference to the namespace, or NULL where the context has let go of it. A thread that Python started may ask while
// that goes on.
PyObject *context_namespace(context *c) {
  int others = lane_current() != c->main;
  if (others) pthread_mutex_lock(&c->lock);
  PyObject *namespace = c->namespace;
  Py_IncRef(namespace);
  if (others) pthread_mutex_unlock(&c->lock);
  return namespace;
}

// Attached, on the context's thread.
void context_drop_refs(context *c) {
  pthread_mutex_lock(&c->lock);
  uint64_t *drops = c->drops;
  size_t n = c->drops_len;
  c->drops = NULL;
  c->drops_cap = 0;
  __atomic_store_n(&c->drops_len, 0, __ATOMIC_SEQ_CST);
  pthread_mutex_unlock(&c->lock);
  request *below = begin_interlude(c->main);
  for (size_t i = 0; i < n; i++) Py_DecRef(refs_take(c->refs, drops[i]));
  end_interlude(c->main, below);
  free(drops);
}

// Any thread. No new requests begin; the thread ends once the running one is over.
void context_close(context *c) {
  __atomic_store_n(&c->closing, 1, __ATOMIC_SEQ_CST);
  parker_wake(&c->main->parker);
}

// Detached. From here on nobody enters the interpreter from outside.
static void wait_for_interrupters(context *c) {
  pthread_mutex_lock(&c->lock);
  c->ended = 1;
  while (c->interrupters || c->reading) pthread_cond_wait(&c->calm, &c->lock);
  pthread_mutex_unlock(&c->lock);
}

static void call_quietly(PyObject *f) {
  Py_DecRef(PyObject_CallNoArgs(f));
  PyErr_Clear();
}

// Attached. The last of the workers that end at the same time collects the garbage of all: a collection looks at all that lives
// in the interpreter, and one for each would keep hundreds of contexts from ending within their grace.
static void collect(context *c) {
  if (c->mode == MODE_WORKER) {
    int others = __atomic_sub_fetch(&leaving, 1, __ATOMIC_SEQ_CST);
    if (__atomic_add_fetch(&uncollected, 1, __ATOMIC_SEQ_CST) < MOST_UNCOLLECTED && others) return;
    __atomic_store_n(&uncollected, 0, __ATOMIC_SEQ_CST);
  }
  call_quietly(c->interp->collect);
}

// Attached. Lets go of everything that Go holds or that is kept for speed. Finalizers that this runs may call Go.
static void let_go(context *c) {
  call_quietly(c->interp->finish);
  refs_clear(c->refs);
  converters_clear(c);
  pthread_mutex_lock(&c->lock);
  PyObject *namespace = c->namespace;
  c->namespace = NULL;
  pthread_mutex_unlock(&c->lock);
  cache_clear(&c->names);
  cache_clear(&c->codes);
  cache_clear(&c->fields);
  cache_clear(&c->attributes);
  keys_clear(&c->keys);
  Py_DecRef(c->main->variables);
  c->main->variables = NULL;
  Py_DecRef(namespace);
  collect(c);
  refs_close(c->refs); // what finalizers have given to Go meanwhile
}

// Attached on return. Returns the thread state, or NULL with c->problem filled in and nothing attached.
static PyThreadState *enter(context *c) {
  PyThreadState *state = NULL;
  if (c->mode == MODE_WORKER) {
    c->interp = main_interp();
    state = PyThreadState_New(c->interp->state);
    if (state) PyEval_RestoreThread(state);
    else snprintf(c->problem, sizeof c->problem, "out of memory for a thread state");
  } else {
    c->interp = interp_new(c->mode, &state, c->problem, sizeof c->problem);
    if (c->interp) c->interp->owner = c;
  }
  return state;
}

// Attached on entry, not on return.
static void leave(context *c, PyThreadState *state) {
  if (c->mode == MODE_WORKER) {
    PyThreadState_Clear(state);
    PyThreadState_DeleteCurrent();
  } else {
    interp_end(c->interp, state);
  }
}

// Attached. A worker has a namespace of its own; an interpreter of its own has __main__.
static int furnish(context *c) {
  if (c->mode == MODE_WORKER) {
    c->namespace = namespace_new(c->interp);
    return c->namespace ? 0 : -1;
  }
  PyObject *module = PyImport_AddModule("__main__");
  if (!module) return -1;
  c->namespace = PyModule_GetDict(module);
  Py_IncRef(c->namespace);
  return 0;
}

// Detached, the last thing that the thread does. Go lets the memory go.
static void *ended(context *c) {
  uint64_t handle = c->handle;
  stats_add(STAT_THREADS, -1);
  context_release(c);
  goEnded(handle);
  return NULL;
}

static void *context_main(void *arg) {
  context *c = arg;
  PyThreadState *state = enter(c);
  if (state) {
    c->main = lane_new(c, 1);
    c->refs = refs_new();
    if (!c->main || !c->refs || furnish(c) < 0) {
      PyErr_Clear();
      Py_DecRef(c->namespace);
      c->namespace = NULL;
      snprintf(c->problem, sizeof c->problem, "out of memory for a context");
    }
  }
  if (c->problem[0]) {
    if (state) leave(c, state);
    goStarted(c->handle);
    return ended(c);
  }
  lane *l = c->main;
  lane_set_current(l);
  if (c->mode == MODE_WORKER) add_worker(c);
  l->attached = 1;
  detach(l);
  goStarted(c->handle);
  lane_serve(l, NULL);
  lane_close(l);
  if (c->mode == MODE_WORKER) remove_worker(c);
  wait_for_interrupters(c);
  goEnding(c->handle);
  if (c->mode == MODE_WORKER) __atomic_add_fetch(&leaving, 1, __ATOMIC_SEQ_CST);
  attach(l);
  let_go(c);
  leave(c, PyThreadState_Get());
  lane_set_current(NULL);
  return ended(c);
}

// A goroutine's thread. Starts the context's thread, which reports through goStarted, and later goEnded. Returns NULL
// when no thread can be had. The caller owns a reference.
context *context_start(uint64_t handle, int mode, size_t stack_size, int64_t spin_ns) {
  context *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  c->refcount = 2;
  static uint64_t last_serial;
  c->handle = handle;
  c->serial = __atomic_add_fetch(&last_serial, 1, __ATOMIC_RELAXED);
  c->mode = mode;
  c->spin_ns = spin_ns;
  c->limits = (limits){MAX_DEPTH, UINT64_MAX, UINT64_MAX};
  pthread_mutex_init(&c->lock, NULL);
  pthread_cond_init(&c->calm, NULL);
  stats_add(STAT_CONTEXTS, 1);
  stats_add(STAT_THREADS, 1);
  pthread_attr_t attr;
  pthread_t thread;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, stack_size);
  pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
  int failed = pthread_create(&thread, &attr, context_main, c);
  pthread_attr_destroy(&attr);
  if (!failed) return c;
  stats_add(STAT_THREADS, -1);
  context_release(c);
  context_release(c);
  return NULL;
}
