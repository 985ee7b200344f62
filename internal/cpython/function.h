// Go functions as Python sees them.
#ifndef PY_FUNCTION_H
#define PY_FUNCTION_H

#include "context.h"

// What the capsules hold that Python code carries about, by their names.
#define GO_INTERP "go.interpreter"
#define GO_FUNCTION "go.function"
#define GO_CONTEXT "go.context"

// Moves on with every Register and Unregister, so that what was looked up is known to be old. Atomic.
extern HIDDEN uint64_t registry_version;

// module.c
HIDDEN lane *lane_of_thread(interp *in, uint64_t home);

// function.c
HIDDEN PyObject *raise_answer(interp *in, context *c, reader *answer);
HIDDEN PyObject *raise_closed(interp *in, const char *what);
HIDDEN PyObject *function_known(interp *in, lane *l, PyObject *name);
HIDDEN PyObject *function_named(interp *in, lane *l, PyObject *name, const char *text);
HIDDEN PyObject *function_lent(context *c, resolved found, const char *name, size_t n);

#endif
