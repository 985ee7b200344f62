//go:build cgo && (linux || darwin)

#include <pthread.h>

#include "codec.h"
#include "stats.h"

typedef struct slot {
  PyObject *object; // owned; NULL when free
  uint32_t generation;
  uint32_t next_free;
} slot;

struct refs {
  pthread_mutex_t lock;
  slot *slots;
  uint32_t len, cap, free; // slot 0 is never used; free is the head of the list of free ones
  int closed;
};

refs *refs_new(void) {
  refs *t = calloc(1, sizeof *t);
  if (!t) return NULL;
  pthread_mutex_init(&t->lock, NULL);
  t->len = 1;
  return t;
}

static uint32_t free_slot(refs *t) {
  uint32_t i = t->free;
  if (i) {
    t->free = t->slots[i].next_free;
    return i;
  }
  if (t->len >= t->cap) {
    uint32_t cap = t->cap ? t->cap * 2 : 16;
    slot *slots = realloc(t->slots, cap * sizeof *slots);
    if (!slots) return 0;
    t->slots = slots;
    t->cap = cap;
  }
  t->slots[t->len].generation = 1;
  return t->len++;
}

// Attached. Keeps a reference of its own. Returns the handle, or 0 with an error set.
uint64_t refs_add(refs *t, PyObject *o) {
  pthread_mutex_lock(&t->lock);
  int closed = t->closed;
  uint32_t i = closed ? 0 : free_slot(t);
  uint64_t handle = 0;
  if (i) {
    Py_IncRef(o);
    t->slots[i].object = o;
    handle = (uint64_t)t->slots[i].generation << 32 | i;
    stats_add(STAT_REFS, 1);
  }
  pthread_mutex_unlock(&t->lock);
  if (closed) PyErr_SetString(PyExc(RuntimeError), "the context is closed: Go can hold none of its objects any more");
  else if (!handle) PyErr_NoMemory();
  return handle;
}

static slot *find(refs *t, uint64_t handle) {
  uint32_t i = (uint32_t)handle;
  if (i == 0 || i >= t->len || t->slots[i].generation != handle >> 32) return NULL;
  return t->slots[i].object ? &t->slots[i] : NULL;
}

// Attached. Returns a new reference, or NULL for a stale handle (no Python error is set).
PyObject *refs_get(refs *t, uint64_t handle) {
  pthread_mutex_lock(&t->lock);
  slot *s = find(t, handle);
  PyObject *o = s ? s->object : NULL;
  if (o) Py_IncRef(o);
  pthread_mutex_unlock(&t->lock);
  return o;
}

// Attached. Gives up the table's reference to the caller, or returns NULL for a stale handle.
PyObject *refs_take(refs *t, uint64_t handle) {
  pthread_mutex_lock(&t->lock);
  slot *s = find(t, handle);
  PyObject *o = s ? s->object : NULL;
  if (o) {
    s->object = NULL;
    s->generation++;
    s->next_free = t->free;
    t->free = (uint32_t)handle;
    stats_add(STAT_REFS, -1);
  }
  pthread_mutex_unlock(&t->lock);
  return o;
}

// Attached. The handle of the first object behind slot i, or 0.
static uint64_t next_handle(refs *t, uint32_t i) {
  uint64_t handle = 0;
  pthread_mutex_lock(&t->lock);
  while (++i < t->len && !handle)
    if (t->slots[i].object) handle = (uint64_t)t->slots[i].generation << 32 | i;
  pthread_mutex_unlock(&t->lock);
  return handle;
}

// Attached. Drops every reference; a finalizer or another thread may add more meanwhile, so it goes on until none is left.
void refs_clear(refs *t) {
  for (uint64_t handle = 0; (handle = next_handle(t, (uint32_t)handle)) || (handle = next_handle(t, 0));) Py_DecRef(refs_take(t, handle));
}

// Attached. Takes no references from here on, and drops those there are: threads that Python started may outlive the context.
void refs_close(refs *t) {
  pthread_mutex_lock(&t->lock);
  t->closed = 1;
  pthread_mutex_unlock(&t->lock);
  refs_clear(t);
}

void refs_free(refs *t) {
  if (!t) return;
  pthread_mutex_destroy(&t->lock);
  free(t->slots);
  free(t);
}
