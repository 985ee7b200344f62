// The C half of the wire format (internal/wire/SPEC.md): Python objects to bytes and back, one pass each.
#ifndef PY_CODEC_H
#define PY_CODEC_H

#include "api.h"
#include "buf.h"

#define MAX_DEPTH 1000
#define MOST_FIELDS 0x3fff // whose number is a uvarint of two bytes

// The tags of SPEC.md.
enum {
  TAG_NONE, TAG_FALSE, TAG_TRUE, TAG_INT8, TAG_INT64, TAG_BIGINT, TAG_FLOAT, TAG_STR, TAG_BYTES,
  TAG_LIST, TAG_TUPLE, TAG_DICT, TAG_SET, TAG_FROZENSET, TAG_STANDARD, TAG_REF = 0x40, TAG_FUNC = 0x41, TAG_MEMORY = 0x42,
  TAG_BLOB = 0x43, TAG_KEPT = 0x44, TAG_POINTER = 0x45, TAG_MARKED = 0x46, TAG_NAMED = 0x47, TAG_KEPT_STR = 0x48
};

// Needs room for 9 bytes.
static inline void put_int(buf *b, long long v) {
  if (v >= -128 && v <= 127) {
    put_u8(b, TAG_INT8);
    put_u8(b, (uint8_t)v);
  } else {
    put_u8(b, TAG_INT64);
    put_u64(b, (uint64_t)v);
  }
}

// Why an object could not travel: the place within the value, and the reason. With raised, a Python exception is set
// instead (out of memory).
typedef struct misfit {
  char place[256];
  char reason[256];
  int raised;
  int limit; // it is beyond one of the limits
} misfit;

// What a value may be at most on its way to Go.
typedef struct limits {
  int depth;             // containers inside one another
  uint64_t bytes, items; // of the encoded value; of all its containers together
} limits;

// Where a value begins that a converter made, behind the start of the whole, and the number of the Go type.
typedef struct mark {
  size_t at;
  uint64_t type;
} mark;

typedef struct encoder {
  buf *out;
  const char *what; // "the value has", as the limits call it
  int unlimited;  // but for MAX_DEPTH
  uint64_t items; // so far
  uint64_t apart; // bytes of the value that are not in out
  size_t before;  // bytes in out that are not the value's
  struct context *context; // where an object without a counterpart is kept
  int loose;         // instances of subclasses, and what stands for a plain value, travel as that
  PyObject *names;   // of the fields that Go structs ask for, a tuple, or NULL
  int keep;          // with names: an object that has such fields may be wanted itself
  int go_errors;     // what holds a Go error travels as its number
  int in_place;      // large bytes and texts travel by address: the object lives for as long as Go reads, or is kept
  struct request *keeper; // the request that keeps it, or NULL
  int depth;      // containers around the value
  int hops;       // what was put in the place of an object on the way to it
  misfit *why;
  size_t start;    // in out, of the whole value
  mark *marks;     // of the whole value so far
  size_t marks_len, marks_cap;
  int tentative;   // the value may be taken back although it fits: encode_undo or encode_done is due
  uint64_t *added; // the handles made so far, dropped again if the value does not fit
  size_t added_len, added_cap;
} encoder;

// Field by field, and without a look at the texts: to clear all of it takes longer than most values.
static inline encoder *encoder_begin(encoder *e, buf *out, struct context *c, misfit *why) {
  why->place[0] = why->reason[0] = 0;
  why->raised = why->limit = 0;
  e->out = out;
  e->what = "the value has";
  e->context = c;
  e->why = why;
  e->items = e->apart = 0;
  e->names = NULL;
  e->keeper = NULL;
  e->unlimited = e->loose = e->keep = e->go_errors = e->in_place = e->depth = e->hops = e->tentative = 0;
  e->start = e->before = 0;
  e->marks = NULL;
  e->added = NULL;
  e->marks_len = e->marks_cap = e->added_len = e->added_cap = 0;
  return e;
}

// What keeps a Go error alive within Python: a capsule with this name, around its number.
#define GO_ERROR "go.error"

// Attached. The number of the Go error that o keeps, or 0 for any other object.
static inline uint64_t go_error_of(PyObject *o) {
  return PyCapsule_IsValid(o, GO_ERROR) ? (uint64_t)(uintptr_t)PyCapsule_GetPointer(o, GO_ERROR) : 0;
}

HIDDEN int encode(encoder *e, PyObject *o);
HIDDEN int encode_whole(encoder *e, PyObject *o);
HIDDEN int encode_ref(encoder *e, PyObject *o);
HIDDEN void encode_undo(encoder *e);
HIDDEN void encode_done(encoder *e);
HIDDEN PyObject *decode(reader *r, struct context *c, int depth);
HIDDEN int encode_misfit(buf *out, const misfit *why);
HIDDEN int misfit_at(misfit *why, const char *format, ...);
HIDDEN int text_part(const char *p, size_t n, size_t most);

// How a result is to travel, as SPEC.md has it.
enum { WANT_EXACT, WANT_LOOSE, WANT_REF, WANT_NONE, WANT_FIELDS, WANT_ITER };

typedef struct want {
  int how;
  PyObject *names; // owned; of WANT_FIELDS: a tuple of interned names
  int keep;        // of WANT_FIELDS
  uint64_t items;  // 0, or the result is an iterator, and this is how many of its items travel at most,
  uint64_t ns, bytes; // for how long, and how many bytes
  struct {
    uint64_t depth, items, bytes; // of the value that this is a part of, so far: all 0 where it is none
  } had;
} want;

// The live Python objects that Go holds handles on. A handle is an index and a generation, so that a stale one is
// noticed. Locked by itself: Python threads of one context share it, and a free-threaded build has no other lock.
typedef struct refs refs;
HIDDEN refs *refs_new(void);
HIDDEN uint64_t refs_add(refs *t, PyObject *o);
HIDDEN PyObject *refs_get(refs *t, uint64_t handle);
HIDDEN PyObject *refs_take(refs *t, uint64_t handle);
HIDDEN void refs_clear(refs *t);
HIDDEN void refs_close(refs *t);
HIDDEN void refs_free(refs *t);

#endif
