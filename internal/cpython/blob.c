//go:build cgo && (linux || darwin)

#include "blob.h"

#include "request.h"

static int room(void **items, size_t len, size_t *cap, size_t size) {
  if (len < *cap) return 0;
  size_t more = *cap ? *cap * 2 : 4;
  void *fresh = realloc(*items, more * size);
  if (!fresh) return -1;
  *items = fresh;
  *cap = more;
  return 0;
}

// Any thread, before the request is submitted. Returns 0, or -1 when memory is out.
int blobs_add(blobs *b, uintptr_t p, size_t len, int text) {
  if (room((void **)&b->items, b->len, &b->cap, sizeof *b->items) < 0) return -1;
  b->items[b->len++] = (blob){(const void *)p, len, text, NULL};
  return 0;
}

// Attached, no error set, and none afterwards. Copies what the request refers to, before begin_request looks whether its
// caller has given up, and may have changed the memory meanwhile. It may not have let go of the memory: it waits until r->copied. No
// Python code runs.
void blobs_take(request *r) {
  if (!r->blobs.len) return;
  for (size_t i = 0; i < r->blobs.len; i++) {
    blob *b = &r->blobs.items[i];
    b->object = (b->text ? PyUnicode_FromStringAndSize : PyBytes_FromStringAndSize)(b->p, (Py_ssize_t)b->len);
    if (!b->object) PyErr_Clear();
  }
  context *c = r->lane->context;
  pthread_mutex_lock(&c->lock);
  r->copied = 1;
  pthread_cond_broadcast(&c->calm);
  pthread_mutex_unlock(&c->lock);
}

// Any thread, not attached, with r started. Returns once what r refers to is copied, which is the first that it does.
void blobs_wait(request *r) {
  if (!r->blobs.len) return;
  context *c = r->lane->context;
  pthread_mutex_lock(&c->lock);
  while (!r->copied) pthread_cond_wait(&c->calm, &c->lock);
  pthread_mutex_unlock(&c->lock);
}

// Attached; an error may be set and stays.
void blobs_drop(blobs *b) {
  for (size_t i = 0; i < b->len; i++) {
    Py_DecRef(b->items[i].object);
    b->items[i].object = NULL;
  }
}

// Attached. Keeps bytes or a text where they are until Go has read the result of the request. Returns 0, or -1 with an error set.
int keep(request *r, PyObject *o) {
  context *c = r->lane->context;
  if (room((void **)&r->kept.handles, r->kept.len, &r->kept.cap, sizeof *r->kept.handles) < 0)
    return PyErr_NoMemory(), -1;
  uint64_t handle = refs_add(c->refs, o);
  if (!handle) return -1;
  __atomic_fetch_add(&c->reading, 1, __ATOMIC_SEQ_CST);
  r->kept.handles[r->kept.len++] = handle;
  return 0;
}

// Any thread, not attached. Go has read the result.
void request_read(request *r) {
  context *c = r->lane->context;
  for (size_t i = 0; i < r->kept.len; i++) context_drop(c, r->kept.handles[i]);
  pthread_mutex_lock(&c->lock);
  if (__atomic_sub_fetch(&c->reading, (int)r->kept.len, __ATOMIC_SEQ_CST) == 0) pthread_cond_broadcast(&c->calm);
  pthread_mutex_unlock(&c->lock);
  r->kept.len = 0;
}
