// What the parts of the encoder share.
#ifndef PY_ENCODE_H
#define PY_ENCODE_H

#include "context.h"

// misfit.c. All of these return -1.
HIDDEN int refuse(encoder *e, const char *format, ...);
HIDDEN int beyond(encoder *e, const char *what, uint64_t most, const char *option);
HIDDEN int too_deep(encoder *e, int most);
HIDDEN int no_memory(encoder *e);
HIDDEN int refuse_raised(encoder *e, const char *reason);
HIDDEN int at_key(encoder *e, PyObject *key);

// encode.c
HIDDEN int encode_str(encoder *e, PyObject *o);
HIDDEN int encode_tuple(encoder *e, PyObject *o);
HIDDEN int encode_container(encoder *e, PyObject *o, PyObject *type);

// encode_object.c
HIDDEN int encode_object(encoder *e, PyObject *o, PyObject *type);
HIDDEN int encode_converted(encoder *e, PyObject *o, PyObject *type);

// Takes room for n more bytes and n more items into account. Returns 0, or -1 where that is beyond a limit.
static inline int more_bytes(encoder *e, uint64_t n) {
  uint64_t most = e->context->limits.bytes, have = e->out->len - e->before + e->apart;
  if (e->unlimited || (n <= most && have <= most - n)) return 0;
  return beyond(e, "bytes", most, "Bytes");
}

static inline int more_items(encoder *e, uint64_t n) {
  uint64_t most = e->context->limits.items;
  if (e->unlimited || (n <= most && e->items <= most - n)) {
    e->items += n;
    return more_bytes(e, n);
  }
  return beyond(e, "items", most, "Items");
}

// Goes one level deeper. Returns 0, or -1 where that is beyond the limit; e->depth-- ends it.
static inline int deeper(encoder *e) {
  int most = e->unlimited ? MAX_DEPTH : e->context->limits.depth;
  if (e->depth < most) {
    e->depth++;
    return 0;
  }
  return too_deep(e, most);
}

// Goes on to what is in the place of an object, which is no level of its own. Returns 0, or -1 where there is no end to that;
// e->hops-- ends it.
static inline int farther(encoder *e) {
  if (e->hops == MAX_DEPTH) return too_deep(e, MAX_DEPTH);
  e->hops++;
  return 0;
}

#endif
