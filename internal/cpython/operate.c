//go:build cgo && (linux || darwin)

// What can be done with an object, for Attach. The arguments are addresses: for pointers cgo would look up what they point to.
#include "attach.h"

#include "verb.h"

// Attached. The interned name of an attribute, kept for the next time. New reference, or NULL with an error set.
PyObject *attribute_name(attached *a, const char *p, size_t n) {
  context *c = a->lane->context;
  PyObject *name = a->lane->is_main ? cache_find(&c->attributes, (const uint8_t *)p, n) : NULL;
  if (name) {
    Py_IncRef(name);
    return name;
  }
  if (!(name = PyUnicode_FromStringAndSize(p, (Py_ssize_t)n))) return NULL;
  PyUnicode_InternInPlace(&name);
  if (a->lane->is_main && n <= NAME_LONGEST) cache_add(&c->attributes, (const uint8_t *)p, n, name);
  return name;
}

static void let_go(PyObject **o) { Py_DecRef(*o); }

// The object is kept until the function returns: what the operation runs may release it.
#define USE(at, o, otherwise)                \
  attached *a = (attached *)(at);            \
  if (!attached_usable(a)) return otherwise; \
  PyObject *object __attribute__((cleanup(let_go))) = (PyObject *)(o); \
  Py_IncRef(object)

// All that follow: attached, no error set, or misused, as attach.h has it. Those that return an object return a new
// reference, or NULL with an error set; those that return a number, -1 with an error set. Keys, values and arguments are in
// a->in.

PyObject *attached_attr(uintptr_t at, uintptr_t o, const char *p, size_t n) {
  USE(at, o, MISUSED);
  PyObject *name = attribute_name(a, p, n);
  PyObject *value = name ? PyObject_GetAttr(object, name) : NULL;
  Py_DecRef(name);
  return value;
}

int attached_has_attr(uintptr_t at, uintptr_t o, const char *p, size_t n) {
  USE(at, o, MISUSE);
  PyObject *name = attribute_name(a, p, n), *value = name ? PyObject_GetAttr(object, name) : NULL;
  Py_DecRef(name);
  Py_DecRef(value);
  if (value) return 1;
  if (!PyErr_ExceptionMatches(PyExc(AttributeError))) return -1;
  PyErr_Clear();
  return 0;
}

int attached_set_attr(uintptr_t at, uintptr_t o, const char *p, size_t n) {
  USE(at, o, MISUSE);
  reader in = attached_input(a);
  PyObject *name = attribute_name(a, p, n), *value = name ? attached_read(a, &in) : NULL;
  int result = value ? PyObject_SetAttr(object, name, value) : -1;
  Py_DecRef(name);
  Py_DecRef(value);
  return result;
}

int attached_del_attr(uintptr_t at, uintptr_t o, const char *p, size_t n) {
  USE(at, o, MISUSE);
  PyObject *name = attribute_name(a, p, n);
  int result = name ? PyObject_SetAttr(object, name, NULL) : -1;
  Py_DecRef(name);
  return result;
}

PyObject *attached_item(uintptr_t at, uintptr_t o) {
  USE(at, o, MISUSED);
  reader in = attached_input(a);
  PyObject *key = attached_read(a, &in);
  PyObject *value = key ? PyObject_GetItem(object, key) : NULL;
  Py_DecRef(key);
  return value;
}

int attached_set_item(uintptr_t at, uintptr_t o) {
  USE(at, o, MISUSE);
  reader in = attached_input(a);
  PyObject *key = attached_read(a, &in), *value = key ? attached_read(a, &in) : NULL;
  int result = value ? PyObject_SetItem(object, key, value) : -1;
  Py_DecRef(key);
  Py_DecRef(value);
  return result;
}

int attached_del_item(uintptr_t at, uintptr_t o) {
  USE(at, o, MISUSE);
  reader in = attached_input(a);
  PyObject *key = attached_read(a, &in);
  int result = key ? PyObject_DelItem(object, key) : -1;
  Py_DecRef(key);
  return result;
}

int attached_contains(uintptr_t at, uintptr_t o) {
  USE(at, o, MISUSE);
  reader in = attached_input(a);
  PyObject *value = attached_read(a, &in);
  int result = value ? PySequence_Contains(object, value) : -1;
  Py_DecRef(value);
  return result;
}

// The truth of o <op> the value; op as CPython numbers them: <, <=, ==, !=, >, >=. Unlike PyObject_RichCompareBool it asks
// an object also whether it equals itself.
int attached_compare(uintptr_t at, uintptr_t o, int op) {
  USE(at, o, MISUSE);
  reader in = attached_input(a);
  PyObject *other = attached_read(a, &in);
  PyObject *answer = other ? PyObject_RichCompare(object, other, op) : NULL;
  int result = answer ? PyObject_IsTrue(answer) : -1;
  Py_DecRef(other);
  Py_DecRef(answer);
  return result;
}

int attached_is_instance(uintptr_t at, uintptr_t o) {
  USE(at, o, MISUSE);
  reader in = attached_input(a);
  PyObject *cls = attached_read(a, &in);
  int result = cls ? PyObject_IsInstance(object, cls) : -1;
  Py_DecRef(cls);
  return result;
}

int attached_truth(uintptr_t at, uintptr_t o) {
  USE(at, o, MISUSE);
  return PyObject_IsTrue(object);
}

int64_t attached_len(uintptr_t at, uintptr_t o) {
  USE(at, o, MISUSE);
  return PyObject_Size(object);
}

// The hash, which may be any other number than -1, is in a->hash.
int attached_hash(uintptr_t at, uintptr_t o) {
  USE(at, o, MISUSE);
  a->hash = PyObject_Hash(object);
  return a->hash == -1 ? -1 : 0;
}

PyObject *attached_type(uintptr_t at, uintptr_t o) {
  USE(at, o, MISUSED);
  return PyObject_Type(object);
}

PyObject *attached_iter(uintptr_t at, uintptr_t o) {
  USE(at, o, MISUSED);
  return PyObject_GetIter(object);
}

// NULL without an error set, and a->at_end, when there are no more.
PyObject *attached_next(uintptr_t at, uintptr_t iterator) {
  USE(at, iterator, MISUSED);
  PyObject *item = PyIter_Next(object);
  a->at_end = !item && !PyErr_Occurred();
  return item;
}

// What repr(), str() or dir() says, in a->out.
int attached_describe(uintptr_t at, uintptr_t o, int how) {
  USE(at, o, MISUSE);
  PyObject *value = how == 'r' ? PyObject_Repr(object) : how == 's' ? PyObject_Str(object) : PyObject_Dir(object);
  attached_write(a, value, (want){.how = WANT_LOOSE});
  return 0;
}

PyObject *attached_call(uintptr_t at, uintptr_t f) {
  USE(at, f, MISUSED);
  reader in = attached_input(a);
  PyObject *value = call_with(object, &in, a->lane->context);
  interp_end_child(a->lane->context->interp, value);
  return value;
}

PyObject *attached_call_method(uintptr_t at, uintptr_t o, const char *p, size_t n) {
  USE(at, o, MISUSED);
  reader in = attached_input(a);
  PyObject *name = attribute_name(a, p, n);
  PyObject *value = name ? call_method_with(object, name, &in, a->lane->context) : NULL;
  Py_DecRef(name);
  interp_end_child(a->lane->context->interp, value);
  return value;
}

// The result of a call, of a method where there is a name, or the error, is in a->out; in a->in, what read_want reads comes
// before the arguments. What was lent to the call ends with it.
int attached_call_value(uintptr_t at, uintptr_t o, const char *p, size_t n, int how) {
  USE(at, o, MISUSE);
  struct lent *lent = NULL;
  reader in = attached_input(a);
  in.lent = &lent;
  want w;
  PyObject *name = NULL, *value = NULL;
  if (read_want(a->lane->context, a->lane, &in, how, &w) == 0) {
    if (!p) value = call_with(object, &in, a->lane->context);
    else if ((name = attribute_name(a, p, n))) value = call_method_with(object, name, &in, a->lane->context);
  }
  Py_DecRef(name);
  interp_end_child(a->lane->context->interp, value);
  a->busy++;
  write_result(a->lane->context, NULL, &a->out, value, w, &lent);
  a->busy--;
  return 0;
}
