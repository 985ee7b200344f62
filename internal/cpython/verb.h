// The parts of a request's work that Attach shares.
#ifndef PY_VERB_H
#define PY_VERB_H

#include "context.h"

HIDDEN PyObject *module_named(interp *in, PyObject *name);
HIDDEN PyObject *lookup(interp *in, PyObject *namespace, PyObject *name);
HIDDEN PyObject *namespace_new(interp *in);
HIDDEN PyObject *call_with(PyObject *f, reader *in, context *c);
HIDDEN PyObject *call_method_with(PyObject *o, PyObject *name, reader *in, context *c);

#endif
