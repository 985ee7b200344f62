#ifndef PY_CONVERTER_H
#define PY_CONVERTER_H

#include "context.h"

// Any state. Whether the context has, or had, converters.
static inline int context_converts(context *c) { return __atomic_load_n(&c->converters, __ATOMIC_ACQUIRE) != NULL; }

HIDDEN PyObject *converter_add(context *c, reader *in, PyObject *namespace);
HIDDEN PyObject *converter_remove(context *c, reader *in, PyObject *namespace);
HIDDEN PyObject *converter_reduce(context *c, PyObject *o, PyObject *type);
HIDDEN PyObject *converter_make(context *c, PyObject *number, PyObject *value);
HIDDEN int converter_mark(encoder *e, uint64_t type);
HIDDEN int converter_marks(encoder *e, int whole);

#endif
