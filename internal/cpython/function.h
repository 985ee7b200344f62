// Go functions as Python sees them.
#ifndef PY_FUNCTION_H
#define PY_FUNCTION_H

#include "context.h"

// What the capsules hold that Python code carries about, by their names.
#define GO_INTERP "go.interpreter"
#define GO_FUNCTION "go.function"
#define GO_CONTEXT "go.context"

// A registered function as the Go side describes it.
typedef struct resolved {
  uint64_t number; // 0: there is none
  int is_inline; // 0, or one of those below
} resolved;

// The arguments that a function takes.
typedef struct arity {
  int least, most; // by position; most is -1 where there is no limit
  int keywords;    // whether it takes any by name
} arity;

// Moves on with every Register and Unregister, so that what was looked up is known to be old. Atomic.
extern HIDDEN uint64_t registry_version;

// module.c
HIDDEN lane *lane_of_thread(interp *in, uint64_t home);

// function.c
HIDDEN PyObject *raise_answer(interp *in, context *c, reader *answer);
HIDDEN PyObject *raise_closed(interp *in, const char *what);
HIDDEN PyObject *function_known(interp *in, context *c, PyObject *name);
HIDDEN PyObject *function_named(interp *in, context *c, PyObject *name, const char *text);
HIDDEN PyObject *function_lent(context *c, resolved found, const char *name, size_t n);

#endif
