//go:build cgo && (linux || darwin)

// The memory of a Python object as Go sees it (PEP 3118).
#include "context.h"

// Attached. New tuple of ints, or NULL with an error set.
static PyObject *sizes(const Py_ssize_t *p, int n) {
  PyObject *tuple = PyTuple_New(n);
  for (int i = 0; tuple && i < n; i++) {
    PyObject *size = PyLong_FromLongLong(p[i]);
    if (size) {
      PyTuple_SetItem(tuple, i, size);
      continue;
    }
    Py_DecRef(tuple);
    tuple = NULL;
  }
  return tuple;
}

// Attached. Steals the memoryview. New tuple, as SPEC.md has it, or NULL with an error set.
static PyObject *describe(PyObject *view, const Py_buffer *b) {
  PyObject *shape = sizes(b->shape, b->ndim), *strides = shape ? sizes(b->strides, b->ndim) : NULL;
  if (strides)
    return Py_BuildValue("(NKOsnNN)", view, (unsigned long long)(uintptr_t)b->buf, b->readonly ? Py_True : Py_False,
                         b->format ? b->format : "B", b->itemsize, shape, strides);
  Py_DecRef(shape);
  Py_DecRef(view);
  return NULL;
}

// Attached. What memory an object has: new tuple, whose memoryview keeps it valid, or NULL with an error set.
PyObject *buffer_of(PyObject *o) {
  PyObject *view = PyMemoryView_FromObject(o);
  Py_buffer b;
  if (!view || PyObject_GetBuffer(view, &b, PyBUF_FULL_RO) < 0) {
    Py_DecRef(view);
    return NULL;
  }
  PyObject *found = NULL;
  if (b.suboffsets && b.ndim) {
    Py_DecRef(view);
    PyErr_SetString(PyExc(BufferError), "the memory is not in one piece (it has suboffsets): copy it first");
  } else {
    found = describe(view, &b);
  }
  PyBuffer_Release(&b);
  return found;
}
