// Python as a Go function within Attach uses it: on the context's thread, attached, with plain object pointers.
// Arguments come as wire bytes, in a->in; every function that returns an object returns a new reference, or NULL with an error
// set, which attached_error then takes, or MISUSED: a goroutine that is not the attached function's, or while it is detached.
#ifndef PY_ATTACH_H
#define PY_ATTACH_H

#include "context.h"

#define MISUSED ((PyObject *)1)

typedef struct attached {
  lane *lane;
  buf in;
  buf out; // the result of the last call: wire bytes, as of a request
  struct lent *lent; // for longer than one call
  int busy;          // in or out is in use, while a conversion runs other code
  int64_t hash;      // of attached_hash
  int at_end;        // attached_next found no more
  int kept; // Python has kept views of some that is over
  scalar scalars[MOST_SCALARS]; // the arguments of a call, and then its result
} attached;

HIDDEN PyObject *attached_import(attached *a, const char *name, size_t len);
HIDDEN PyObject *attached_global(attached *a, const char *name, size_t len, uint64_t env);
HIDDEN PyObject *attached_new(attached *a);
HIDDEN int attached_end(attached *a, PyObject *of);
HIDDEN int attached_value(attached *a, PyObject *o, int want);
HIDDEN void attached_error(attached *a);
HIDDEN PyObject *attached_ref(attached *a, uint64_t handle);
HIDDEN int attached_release(attached *a, PyObject *o);
HIDDEN int attached_detach(attached *a);
HIDDEN void attached_attach(attached *a);
HIDDEN PyThreadState *attached_state(const attached *a); // NULL for a misuse
// Any thread. Whether the caller may touch Python through a.
static inline int attached_usable(const attached *a) {
  return lane_current() == a->lane && a->lane->attached && !a->busy;
}
HIDDEN reader attached_input(attached *a);
HIDDEN PyObject *attached_read(attached *a, reader *in);
HIDDEN void attached_write(attached *a, PyObject *o, want w);

// operate.c: those that return a number return -1 with an error set, or MISUSE.
#define MISUSE -2

HIDDEN PyObject *attribute_name(attached *a, const char *p, size_t n);
HIDDEN PyObject *attached_attr(uintptr_t a, uintptr_t o, const char *name, size_t len);
HIDDEN int attached_has_attr(uintptr_t a, uintptr_t o, const char *name, size_t len);
HIDDEN int attached_set_attr(uintptr_t a, uintptr_t o, const char *name, size_t len);
HIDDEN int attached_del_attr(uintptr_t a, uintptr_t o, const char *name, size_t len);
HIDDEN PyObject *attached_item(uintptr_t a, uintptr_t o);
HIDDEN int attached_set_item(uintptr_t a, uintptr_t o);
HIDDEN int attached_del_item(uintptr_t a, uintptr_t o);
HIDDEN int attached_contains(uintptr_t a, uintptr_t o);
HIDDEN int attached_compare(uintptr_t a, uintptr_t o, int op);
HIDDEN int attached_is_instance(uintptr_t a, uintptr_t o);
HIDDEN int attached_truth(uintptr_t a, uintptr_t o);
HIDDEN int64_t attached_len(uintptr_t a, uintptr_t o);
HIDDEN int attached_hash(uintptr_t a, uintptr_t o);
HIDDEN PyObject *attached_type(uintptr_t a, uintptr_t o);
HIDDEN PyObject *attached_iter(uintptr_t a, uintptr_t o);
HIDDEN PyObject *attached_next(uintptr_t a, uintptr_t iterator);
HIDDEN int attached_describe(uintptr_t a, uintptr_t o, int how);
HIDDEN PyObject *attached_call(uintptr_t a, uintptr_t f);
HIDDEN PyObject *attached_call_method(uintptr_t a, uintptr_t o, const char *name, size_t len);
HIDDEN int attached_call_value(uintptr_t a, uintptr_t o, const char *name, size_t len, int want);

// scalar.c
HIDDEN int attached_scalar(uintptr_t a, uintptr_t o, int wanted, int how);
HIDDEN int attached_call_scalars(uintptr_t a, uintptr_t f, const char *name, size_t len, size_t n, int wanted, int how);

#endif
