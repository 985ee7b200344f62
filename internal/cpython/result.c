//go:build cgo && (linux || darwin)

// Writes what a request came to: its value, why that cannot travel, or the exception with all that belongs to it.
#include "context.h"

#include "_cgo_export.h"

static const uint8_t status_ok = 0, status_raised = 1, status_misfit = 2;

// Attached, no error set, and none afterwards. Writes o as a str, or the default where it is none.
static void put_text(buf *out, PyObject *o, const char *otherwise) {
  Py_ssize_t n = (Py_ssize_t)strlen(otherwise);
  const char *p = o && type_of(o) == EXACT(Unicode) ? PyUnicode_AsUTF8AndSize(o, &n) : NULL;
  PyErr_Clear();
  put_bytes(out, 0x07, p ? p : otherwise, (size_t)n);
}

// Attached, no error set, and none afterwards. The least that can be said, when there is no room to say more.
static void write_plain(buf *out, PyObject *exc) {
  PyObject *name = exc ? PyObject_GetAttrString(type_of(exc), "__name__") : NULL;
  PyErr_Clear();
  PyObject *module = exc ? PyObject_GetAttrString(type_of(exc), "__module__") : NULL;
  PyErr_Clear();
  PyObject *text = exc ? PyObject_Str(exc) : NULL;
  PyErr_Clear();
  static const uint8_t rest[] = {0x09, 0, 0x09, 0, 0x09, 0, 0x00, 0x00, 0x01, 0x03, 0, 0x00, 0x09, 0};
  out->len = 0;
  if (buf_reserve(out, 3) == 0) {
    put_u8(out, status_raised);
    put_u8(out, 0x0a);
    put_u8(out, 12);
    put_text(out, name, "SystemError");
    put_text(out, module, "builtins");
    put_text(out, text, "");
    if (buf_reserve(out, sizeof rest) == 0) {
      memcpy(out->p + out->len, rest, sizeof rest);
      out->len += sizeof rest;
    }
  }
  Py_DecRef(name);
  Py_DecRef(module);
  Py_DecRef(text);
}

// Attached. Tells Go to keep the Go errors that a record on its way names; who decodes the record ends that.
static void retain_errors(PyObject *o) {
  uint64_t number = go_error_of(o);
  if (number) goRetainError(number);
  Py_ssize_t n = type_of(o) == EXACT(Tuple) ? PyTuple_Size(o) : type_of(o) == EXACT(List) ? PyList_Size(o) : 0;
  for (Py_ssize_t i = 0; i < n; i++)
    retain_errors(type_of(o) == EXACT(Tuple) ? PyTuple_GetItem(o, i) : PyList_GetItem(o, i));
}

// Attached, with an error set, which is cleared. New record of it, or NULL where there is no room for one; *exc is what it
// is of, owned. An interrupt of the description takes the place of what it described.
static PyObject *describe(interp *in, PyObject **exc) {
  PyObject *record = NULL;
  *exc = PyErr_GetRaisedException();
  for (int tries = 3; *exc && !record && tries > 0; tries--) {
    record = PyObject_CallOneArg(in->describe, *exc);
    if (record || !PyErr_ExceptionMatches(in->interrupted)) break;
    Py_DecRef(*exc);
    *exc = PyErr_GetRaisedException();
  }
  PyErr_Clear();
  return record;
}

// Attached, with an error set, which is cleared.
static void write_raised(context *c, buf *out) {
  misfit why = {0};
  encoder e = {.out = out, .refs = c->refs, .loose = 1, .go_errors = 1, .why = &why};
  PyObject *exc, *record = describe(c->interp, &exc);
  out->len = 0;
  if (record && buf_reserve(out, 1) == 0) put_u8(out, status_raised);
  if (!record || out->len == 0 || encode(&e, record) < 0) {
    PyErr_Clear();
    write_plain(out, exc);
  } else {
    retain_errors(record);
  }
  Py_DecRef(record);
  Py_DecRef(exc);
}

static int write_value(context *c, buf *out, PyObject *value, const want *w, misfit *why) {
  encoder e = {.out = out, .refs = c->refs, .names = w->names, .why = why};
  e.loose = w->how == WANT_LOOSE || w->how == WANT_FIELDS;
  if (buf_reserve(out, 2) < 0) {
    PyErr_NoMemory();
    why->raised = 1;
    return -1;
  }
  put_u8(out, status_ok);
  if (w->how == WANT_REF) return encode_ref(&e, value);
  if (w->how != WANT_NONE) return encode_whole(&e, value);
  put_u8(out, 0x00);
  return 0;
}

// Attached. Steals value, NULL means that an error is set, and the names in w. Leaves no error set.
void write_result(context *c, buf *out, PyObject *value, want w) {
  misfit why;
  why.place[0] = why.reason[0] = 0;
  why.raised = 0;
  out->len = 0;
  if (value && write_value(c, out, value, &w, &why) < 0 && !why.raised) {
    out->len = 0;
    if (buf_reserve(out, 1) == 0) put_u8(out, status_misfit);
    encode_misfit(out, &why);
  }
  if (!value || why.raised) write_raised(c, out);
  Py_DecRef(value);
  Py_DecRef(w.names);
}

// Attached. What follows the byte that says how. Returns 0, or -1 with an error set.
int read_want(reader *in, int how, want *w) {
  *w = (want){how, NULL};
  if (how != WANT_FIELDS) return 0;
  size_t len;
  const char *names = get_raw(in, &len);
  w->names = PyUnicode_FromStringAndSize(names, (Py_ssize_t)len);
  return w->names ? 0 : -1;
}
