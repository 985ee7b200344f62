// Large bytes and texts cross by address: one copy instead of two on each way.
#ifndef PY_BLOB_H
#define PY_BLOB_H

#include <stddef.h>
#include <stdint.h>

#include "api.h"

#define BLOB_LEAST (64 << 10) // smaller ones are copied into the frame, or the result

// Bytes of Go's that a request refers to by their place in its list.
typedef struct blob {
  const void *p;
  size_t len;
  int text; // they are a str's, in UTF-8
  PyObject *object; // owned; NULL until blobs_take, and where memory was out
} blob;

typedef struct blobs {
  blob *items;
  size_t len, cap;
} blobs;

// Handles of Python's bytes and texts that a result refers to by address, until Go has read it.
typedef struct kept {
  uint64_t *handles;
  size_t len, cap;
} kept;

struct context;
struct request;

HIDDEN int blobs_add(blobs *b, uintptr_t p, size_t len, int text);
HIDDEN void blobs_take(struct request *r);
HIDDEN void blobs_wait(struct request *r);
HIDDEN void blobs_drop(blobs *b);
HIDDEN int keep(struct request *r, PyObject *o);

#endif
