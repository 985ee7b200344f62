//go:build cgo && (linux || darwin)

// The converters of a context's Python classes (converters.py).
#include "converter.h"

// In the order of converters() in converters.py.
enum { ADD, REMOVE, REDUCE, MAKE };

// Attached. New reference to what does that; NULL without an error where the context has no converters.
static PyObject *function(context *c, int which) {
  PyObject *f = NULL;
  pthread_mutex_lock(&c->lock);
  if (c->converters && (f = PyTuple_GetItem(c->converters, which))) Py_IncRef(f);
  pthread_mutex_unlock(&c->lock);
  return f;
}

// Attached. Lets the context have converters. Returns 0, or -1 with an error set.
static int begin(context *c) {
  if (context_converts(c)) return 0;
  PyObject *make = c->interp->converters, *fresh = make ? PyObject_CallNoArgs(make) : NULL;
  if (!fresh) return make ? -1 : (PyErr_SetString(PyExc(RuntimeError), "the interpreter is ending"), -1);
  pthread_mutex_lock(&c->lock);
  if (!c->converters && !c->ended) {
    __atomic_store_n(&c->converters, fresh, __ATOMIC_RELEASE);
    fresh = NULL;
  }
  pthread_mutex_unlock(&c->lock);
  Py_DecRef(fresh);
  return 0;
}

// Attached. The end of the context.
void converters_clear(context *c) {
  pthread_mutex_lock(&c->lock);
  PyObject *all = c->converters;
  __atomic_store_n(&c->converters, NULL, __ATOMIC_RELEASE);
  pthread_mutex_unlock(&c->lock);
  Py_DecRef(all);
}

static PyObject *malformed(void) {
  PyErr_SetString(PyExc(SystemError), "the request from Go is malformed; please report this");
  return NULL;
}

static PyObject *get_text(reader *in) {
  size_t n;
  const char *p = get_raw(in, &n);
  return PyUnicode_FromStringAndSize(p, (Py_ssize_t)n);
}

// Attached. Registers a converter; to and from are expressions, or empty. New reference to None, or NULL with an error set, and
// nothing is changed.
PyObject *converter_add(context *c, reader *in, PyObject *namespace) {
  PyObject *module = get_text(in), *name = get_text(in), *number = PyLong_FromUnsignedLongLong(get_uvarint(in));
  PyObject *to = get_text(in), *from = get_text(in), *f = NULL, *done = NULL;
  if (in->bad) malformed();
  else if (module && name && number && to && from && begin(c) == 0 && (f = function(c, ADD)))
    done = PyObject_CallFunctionObjArgs(f, namespace, module, name, number, to, from, NULL);
  if (!done && !PyErr_Occurred()) PyErr_SetString(PyExc(RuntimeError), "the context is closed");
  PyObject *held[] = {module, name, number, to, from, f};
  for (size_t i = 0; i < sizeof held / sizeof *held; i++) Py_DecRef(held[i]);
  return done;
}

// Attached. New reference to whether the class had a converter, or NULL with an error set.
PyObject *converter_remove(context *c, reader *in, PyObject *namespace) {
  PyObject *module = get_text(in), *name = get_text(in), *f = NULL, *done = NULL;
  if (in->bad) malformed();
  else if (module && name && (f = function(c, REMOVE)))
    done = PyObject_CallFunctionObjArgs(f, namespace, module, name, NULL);
  else if (module && name) done = PyBool_FromLong(0);
  Py_DecRef(module);
  Py_DecRef(name);
  Py_DecRef(f);
  return done;
}

// Attached, no error set. New tuple of the number of the Go type and what is to travel in place of o, or None where its class
// has no converter. NULL with an error set.
PyObject *converter_reduce(context *c, PyObject *o, PyObject *type) {
  PyObject *f = function(c, REDUCE);
  if (!f) {
    Py_IncRef(Py_None);
    return Py_None;
  }
  PyObject *reduced = PyObject_CallFunctionObjArgs(f, o, type, NULL);
  Py_DecRef(f);
  return reduced;
}

// Attached, no error set. New reference to what the value of a Go type becomes: the value itself where there is no converter.
// NULL with an error set.
PyObject *converter_make(context *c, PyObject *number, PyObject *value) {
  PyObject *f = function(c, MAKE);
  if (!f) {
    Py_IncRef(value);
    return value;
  }
  PyObject *made = PyObject_CallFunctionObjArgs(f, number, value, NULL);
  Py_DecRef(f);
  return made;
}

// Any state. Notes that what a converter made comes next, unless it is for no type, or within that of another. Returns 0, or -1
// when memory is out.
int converter_mark(encoder *e, uint64_t type) {
  size_t at = e->out->len - e->start;
  if (!type || (e->marks_len && e->marks[e->marks_len - 1].at == at)) return 0;
  if (e->marks_len == e->marks_cap) {
    size_t cap = e->marks_cap ? e->marks_cap * 2 : 16;
    mark *marks = realloc(e->marks, cap * sizeof *marks);
    if (!marks) return -1;
    e->marks = marks;
    e->marks_cap = cap;
  }
  e->marks[e->marks_len++] = (mark){at, type};
  return 0;
}

// Any state. Writes the marks in front of the value. Returns 0, or -1 when memory is out.
static int write_marks(encoder *e) {
  uint8_t local[256];
  buf head = {local, 0, sizeof local, local};
  size_t len = e->out->len - e->start, most = 20 * e->marks_len + 11;
  if (buf_reserve(&head, most) < 0 || buf_reserve(e->out, most) < 0) return buf_free(&head), -1;
  put_u8(&head, TAG_MARKED);
  put_uvarint(&head, e->marks_len);
  for (size_t i = 0; i < e->marks_len; i++) {
    put_uvarint(&head, e->marks[i].at);
    put_uvarint(&head, e->marks[i].type);
  }
  uint8_t *p = e->out->p + e->start;
  memmove(p + head.len, p, len);
  memcpy(p, head.p, head.len);
  e->out->len += head.len;
  buf_free(&head);
  return 0;
}

// Any state. Ends the marks of a value, and writes them if it is whole. Returns 0, or -1 when memory is out.
int converter_marks(encoder *e, int whole) {
  int result = whole && e->marks_len ? write_marks(e) : 0;
  free(e->marks);
  e->marks = NULL;
  e->marks_len = e->marks_cap = 0;
  return result;
}
