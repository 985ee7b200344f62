//go:build cgo && (linux || darwin)

// What is no built-in value on its way to Go: values of the standard library, what converters make, objects with the fields that Go
// asks for, and references.
#include "converter.h"
#include "encode.h"

#define KIND_RANGE 11
#define KIND_SLICE 12
#define KIND_RECORD 14
#define KIND_ARRAY 18
#define KIND_REFERENCE 255 // of values.py: not one that travels

// Attached, no error set. As encode, for an object that may be gone when it has been written.
static int encode_passing(encoder *e, PyObject *o) {
  int in_place = e->in_place;
  if (!e->keeper) e->in_place = 0;
  int result = encode(e, o);
  e->in_place = in_place;
  return result;
}

// Writes the payload of a standard value. A tuple there is what it consists of, and no items.
static int encode_payload(encoder *e, PyObject *payload) {
  if (type_of(payload) != EXACT(Tuple)) return encode_passing(e, payload);
  Py_ssize_t n = PyTuple_Size(payload);
  if (buf_reserve(e->out, 2) < 0) return no_memory(e);
  put_u8(e->out, TAG_TUPLE);
  put_u8(e->out, (uint8_t)n);
  for (Py_ssize_t i = 0; i < n; i++)
    if (encode_passing(e, PyTuple_GetItem(payload, i)) < 0) return e->why->raised ? -1 : misfit_at(e->why, "[%zd]", i);
  return 0;
}

// Writes a standard value. A slice is a container, a range may become one, and an array one for each of its dimensions; the
// parts of others say nothing of how deep or large the value is.
static int encode_standard(encoder *e, uint8_t kind, PyObject *payload) {
  int depth = e->depth, levels = kind == KIND_SLICE || kind == KIND_RANGE ? 1 : 0;
  uint64_t items = e->items;
  if (kind == KIND_ARRAY) levels = (int)PyTuple_Size(PyTuple_GetItem(payload, 1));
  if (buf_reserve(e->out, 2) < 0) return no_memory(e);
  put_u8(e->out, TAG_STANDARD);
  put_u8(e->out, kind);
  for (int i = 0; i < levels; i++)
    if (deeper(e) < 0) return -1;
  if (kind != KIND_SLICE) e->depth = 0;
  int result = encode_payload(e, payload);
  if (kind != KIND_SLICE) e->items = items;
  e->depth = depth;
  return result;
}

// Writes what values.py makes of an object: (0, value) to travel in its place, (KIND_REFERENCE, object) to refer to, or
// (kind, payload) of a standard value.
static int encode_reduced(encoder *e, PyObject *reduced) {
  long long kind = PyLong_AsLongLong(PyTuple_GetItem(reduced, 0));
  PyObject *value = PyTuple_GetItem(reduced, 1);
  if (kind == KIND_REFERENCE) return encode_ref(e, value);
  if (kind) return encode_standard(e, (uint8_t)kind, value);
  if (farther(e) < 0) return -1;
  int result = encode_passing(e, value);
  e->hops--;
  return result;
}

// Attached. Writes the name of the class of the object that follows, where a Go type is wanted, which may be none for it. It is
// for the error that says so, and not a part of the value.
static int encode_title(encoder *e, PyObject *title) {
  Py_ssize_t n = 0;
  const char *p = e->loose && type_of(title) == EXACT(Unicode) ? PyUnicode_AsUTF8AndSize(title, &n) : NULL;
  if (!p) return PyErr_Clear(), 0;
  size_t start = e->out->len;
  if (put_bytes(e->out, TAG_NAMED, p, (size_t)n) < 0) return no_memory(e);
  e->before += e->out->len - start;
  return 0;
}

// Attached. What the object is to those who want no fields: the plain tuple of a named one, otherwise the object itself, or
// a reference to nothing where nobody wants it.
static int encode_itself(encoder *e, PyObject *o, int is_tuple, PyObject *title) {
  if (is_tuple) return encode_tuple(e, o);
  if (encode_title(e, title) < 0) return -1;
  if (e->keep) return encode_ref(e, o);
  if (buf_reserve(e->out, 9) < 0) return no_memory(e);
  put_u8(e->out, TAG_REF);
  put_u64(e->out, 0);
  return 0;
}

// Attached, no error set, and none afterwards when it returns 0. New reference to an attribute that may be missing.
// Returns -1 with an error set.
static int attribute(PyObject *o, PyObject *name, PyObject **value) {
  if (PyObject_GetOptionalAttr) return PyObject_GetOptionalAttr(o, name, value) < 0 ? -1 : 0;
  *value = PyObject_GetAttr(o, name);
  if (*value || !PyErr_ExceptionMatches(PyExc(AttributeError))) return *value ? 0 : -1;
  PyErr_Clear();
  return 0;
}

static int at_attribute(encoder *e, PyObject *name) {
  Py_ssize_t n;
  const char *text = e->why->raised ? NULL : PyUnicode_AsUTF8AndSize(name, &n);
  return text ? misfit_at(e->why, ".%.*s", text_part(text, (size_t)n, 60), text) : -1;
}

// Attached, no error set. Writes the wanted attributes that an object has, as a dict; those of a tuple are its items. Returns
// how many, or -1.
static Py_ssize_t encode_attributes(encoder *e, PyObject *o, int is_tuple) {
  Py_ssize_t n = PyTuple_Size(e->names), have = 0;
  if (buf_reserve(e->out, 16) < 0) return no_memory(e);
  put_u8(e->out, TAG_DICT);
  size_t count = e->out->len; // two bytes of a uvarint, to be filled in
  e->out->len += 2;
  for (Py_ssize_t i = 0; i < n; i++) {
    PyObject *name = PyTuple_GetItem(e->names, i), *value;
    if (attribute(o, name, &value) < 0) return e->why->raised = 1, -1;
    if (!value) continue;
    int failed = more_items(e, !is_tuple) < 0 || encode_str(e, name) < 0 || encode(e, value) < 0;
    Py_DecRef(value);
    if (failed) return at_attribute(e, name);
    have++;
  }
  e->out->p[count] = (uint8_t)have | 0x80;
  e->out->p[count + 1] = (uint8_t)(have >> 7);
  return have;
}

// Attached, no error set. Writes an object that has some of the wanted attributes as a record: what it is to those who
// want no fields, and its fields. Returns how many those are, 0 having written nothing, or -1.
static Py_ssize_t encode_record(encoder *e, PyObject *o, int is_tuple, PyObject *title) {
  if (deeper(e) < 0) return -1;
  size_t start = e->out->len, before = e->before, refs = e->added_len, marks = e->marks_len;
  uint64_t items = e->items, apart = e->apart;
  if (buf_reserve(e->out, 2) < 0) return no_memory(e);
  put_u8(e->out, TAG_STANDARD);
  put_u8(e->out, KIND_RECORD);
  Py_ssize_t have = encode_itself(e, o, is_tuple, title) < 0 ? -1 : encode_attributes(e, o, is_tuple);
  e->depth--;
  if (have != 0) return have;
  e->out->len = start;
  e->before = before;
  e->marks_len = marks;
  e->items = items;
  e->apart = apart;
  while (e->added_len > refs) Py_DecRef(refs_take(e->context->refs, e->added[--e->added_len]));
  return 0;
}

// Attached, no error set. Takes into account what a copy of an object's memory takes, before there is one: numpy has arrays of
// many more items than they have memory for.
static int check_memory(encoder *e, PyObject *o) {
  PyObject *size = PyObject_GetAttrString(o, "nbytes");
  uint64_t n = size && type_of(size) == EXACT(Long) ? (uint64_t)PyLong_AsLongLong(size) : 0;
  Py_DecRef(size);
  PyErr_Clear();
  return more_bytes(e, n);
}

// Attached, no error set. Whether a plan is of that class, and not of one that had the same address.
static int is_plan_of(PyObject *plan, PyObject *type) {
  PyObject *keeper = PyTuple_GetItem(plan, 0);
  if (keeper == type) return 1;
  PyObject *kept = PyObject_CallNoArgs(keeper);
  PyErr_Clear();
  Py_DecRef(kept);
  return kept == type;
}

// Attached, no error set. What is known of a class: a tuple of the class or a weak reference to it, what reduces its objects
// exactly and loosely, or None, whether they have memory, and its name. New reference; NULL with an error set.
static PyObject *plan_of(interp *in, PyObject *type) {
  PyObject *number = PyLong_FromUnsignedLongLong((uintptr_t)type);
  PyObject *plan = number ? dict_item(in->plans, number) : NULL;
  Py_DecRef(number);
  if (plan && is_plan_of(plan, type)) return plan;
  Py_DecRef(plan);
  return PyErr_Occurred() ? NULL : PyObject_CallOneArg(in->classify, type);
}

// Attached, no error set. Writes what values.py makes of an object of a class with that plan. Returns 1, 0 where it makes nothing
// of it, or -1. *known says whether the class is one of those that it knows.
static int encode_known(encoder *e, PyObject *o, PyObject *plan, int *known) {
  PyObject *f = PyTuple_GetItem(plan, e->loose ? 2 : 1), *reduced = NULL;
  int result = 0;
  *known = f != Py_None;
  if (e->loose && PyTuple_GetItem(plan, 3) == Py_True && check_memory(e, o) < 0) result = -1;
  else if (*known && !(reduced = PyObject_CallOneArg(f, o))) e->why->raised = 1, result = -1;
  if (reduced && reduced != Py_None) result = encode_reduced(e, reduced) < 0 ? -1 : 1;
  Py_DecRef(reduced);
  return result;
}

// Attached, no error set. Writes an object of a class with that plan, which is no plain value: as one of the standard library, with
// its fields, or as a reference.
static int encode_planned(encoder *e, PyObject *o, PyObject *type, PyObject *plan) {
  PyObject *title = PyTuple_GetItem(plan, 4);
  int known, done = encode_known(e, o, plan, &known);
  if (done) return done < 0 ? -1 : 0;
  int is_tuple = e->loose && PyType_IsSubtype(type, EXACT(Tuple));
  if (!known && e->names && !PyType_IsSubtype(type, EXACT(Type))) {
    Py_ssize_t fields = encode_record(e, o, is_tuple, title);
    if (fields) return fields < 0 ? -1 : 0;
  }
  if (is_tuple) return encode_container(e, o, EXACT(Tuple));
  return encode_title(e, title) < 0 ? -1 : encode_ref(e, o);
}

// Attached, no error set. Writes an object that is no plain value.
int encode_object(encoder *e, PyObject *o, PyObject *type) {
  PyObject *plan = plan_of(e->context->interp, type);
  if (!plan) return e->why->raised = 1, -1;
  int result = encode_planned(e, o, type, plan);
  Py_DecRef(plan);
  return result;
}

// Attached, no error set. Writes what the converter of a class makes of its object. Returns 1, 0 where it has none, or -1.
int encode_converted(encoder *e, PyObject *o, PyObject *type) {
  PyObject *reduced = converter_reduce(e->context, o, type);
  if (!reduced) return e->why->raised = 1, -1;
  int result = 0, loose = e->loose;
  if (reduced != Py_None) {
    PyObject *value = PyTuple_GetItem(reduced, 1);
    result = -1;
    e->loose = 1; // it becomes a Go type, if anything
    if (type_of(value) == type) refuse(e, "To of its converter gave an object of the same class again");
    else if (converter_mark(e, (uint64_t)PyLong_AsLongLong(PyTuple_GetItem(reduced, 0))) < 0) no_memory(e);
    else if (farther(e) == 0) {
      if (encode_passing(e, value) == 0) result = 1;
      e->hops--;
    }
    e->loose = loose;
  }
  Py_DecRef(reduced);
  return result;
}
