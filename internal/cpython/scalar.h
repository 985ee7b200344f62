// Scalars: values that fit a register. Where all of a message is scalars, they cross as they are: the wire format would cost more than
// a short call. Go has the same numbers and the same layout (cpython.go, scalar.go).
#ifndef PY_SCALAR_H
#define PY_SCALAR_H

#include "api.h"

// Bits, so that they make sets.
enum {
  SCALAR_NONE = 1, SCALAR_FALSE = 2, SCALAR_TRUE = 4, SCALAR_INT = 8, SCALAR_FLOAT = 16,
  SCALAR_REF = 32 // a borrowed object; never made by scalar_of
};

typedef struct scalar {
  uint64_t bits;
  int kind;
} scalar;

#define MOST_SCALARS 4 // of a message

// Attached. Fills in s and returns its kind, or 0 if o is no scalar. No Python code runs.
static inline int scalar_of(scalar *s, PyObject *o) {
  PyObject *type = type_of(o);
  int overflow = 0;
  if (type == EXACT(Float)) {
    double v = PyFloat_AsDouble(o);
    memcpy(&s->bits, &v, 8);
    return s->kind = SCALAR_FLOAT;
  }
  if (type == EXACT(Long)) {
    s->bits = (uint64_t)PyLong_AsLongLongAndOverflow(o, &overflow);
    return s->kind = overflow ? 0 : SCALAR_INT;
  }
  return s->kind = o == Py_None ? SCALAR_NONE : o == Py_True ? SCALAR_TRUE : o == Py_False ? SCALAR_FALSE : 0;
}

// Attached. Fills in the scalars and returns 1, or 0 if some of the objects are none, or they are too many.
static inline int scalars_of(scalar *s, PyObject *const *objects, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (i == MOST_SCALARS || !scalar_of(&s[i], objects[i])) return 0;
  return 1;
}

// Attached. New reference, or NULL with an error set.
static inline PyObject *scalar_object(scalar s) {
  PyObject *o = Py_None;
  double v;
  switch (s.kind) {
  case SCALAR_INT: return PyLong_FromLongLong((long long)s.bits);
  case SCALAR_FLOAT: return memcpy(&v, &s.bits, 8), PyFloat_FromDouble(v);
  case SCALAR_REF: o = (PyObject *)(uintptr_t)s.bits; break;
  case SCALAR_TRUE: o = Py_True; break;
  case SCALAR_FALSE: o = Py_False; break;
  }
  Py_IncRef(o);
  return o;
}

#endif
