//go:build cgo && (linux || darwin)

#include "converter.h"
#include "function.h"
#include "lend.h"

static PyObject *malformed(void) {
  PyErr_SetString(PyExc(SystemError), "the request from Go is malformed; please report this");
  return NULL;
}

// Attached. int.from_bytes rather than a private function whose signature differs between versions.
static PyObject *decode_bigint(reader *r) {
  int negative = get_u8(r);
  size_t n;
  const char *p = get_raw(r, &n);
  if (r->bad || negative > 1 || (n && !p[n - 1])) return malformed();
  PyObject *bytes = PyBytes_FromStringAndSize(p, (Py_ssize_t)n);
  PyObject *value = bytes ? PyObject_CallMethod(EXACT(Long), "from_bytes", "Os", bytes, "little") : NULL;
  Py_DecRef(bytes);
  if (!value || !negative) return value;
  PyObject *minus = PyObject_CallMethod(value, "__neg__", NULL);
  Py_DecRef(value);
  return minus;
}

// Attached, no error set. New int or float when that is what comes next and can be had; else NULL, and nothing is read.
static inline PyObject *get_number(reader *r) {
  if (r->end - r->p < 9) return NULL;
  uint64_t bits;
  double v;
  PyObject *o = NULL;
  memcpy(&bits, r->p + 1, 8);
  bits = little_endian(bits);
  switch (*r->p) {
  case TAG_INT8:
    if ((o = PyLong_FromLongLong((int8_t)r->p[1]))) r->p += 2;
    return o;
  case TAG_INT64: o = PyLong_FromLongLong((int64_t)bits); break;
  case TAG_FLOAT:
    memcpy(&v, &bits, 8);
    o = PyFloat_FromDouble(v);
    break;
  }
  if (o) r->p += 9;
  return o;
}

static PyObject *decode_list(reader *r, context *c, int depth) {
  size_t n = get_count(r);
  PyObject *list = PyList_New((Py_ssize_t)n);
  for (size_t i = 0; list && i < n; i++) {
    PyObject *item = get_number(r);
    if (!item) item = decode(r, c, depth);
    if (item && PyList_SetItem(list, (Py_ssize_t)i, item) == 0) continue;
    Py_DecRef(list);
    return NULL;
  }
  return list;
}

static PyObject *decode_tuple(reader *r, context *c, int depth) {
  size_t n = get_count(r);
  PyObject *tuple = PyTuple_New((Py_ssize_t)n);
  for (size_t i = 0; tuple && i < n; i++) {
    PyObject *item = decode(r, c, depth);
    if (item && PyTuple_SetItem(tuple, (Py_ssize_t)i, item) == 0) continue;
    Py_DecRef(tuple);
    return NULL;
  }
  return tuple;
}

// Values that differ in Go and are equal in Python (1, 1.0, True) would be lost without a word.
static PyObject *all_there(PyObject *o, Py_ssize_t have, size_t want, const char *what) {
  if ((size_t)have == want) return o;
  Py_DecRef(o);
  PyErr_Format(PyExc(ValueError), "%s from Go holds %zd values but only %zd differ in Python, where 1 == 1.0 == True",
               what, (Py_ssize_t)want, have);
  return NULL;
}

// Attached. New reference to a key of a dict of n entries; NULL with an error set.
static PyObject *decode_key(reader *r, context *c, int depth, size_t n) {
  if (!r->keys || n > KEYED_LARGEST || r->p == r->end || *r->p != TAG_STR) return decode(r, c, depth);
  r->p++;
  size_t len;
  const char *p = get_raw(r, &len);
  return keys_str(r->keys, (const uint8_t *)p, len);
}

static PyObject *decode_dict(reader *r, context *c, int depth) {
  size_t n = get_count(r);
  PyObject *dict = PyDict_New();
  if (!dict) return NULL;
  for (size_t i = 0; i < n; i++) {
    PyObject *key = decode_key(r, c, depth, n), *value = key ? decode(r, c, depth) : NULL;
    int failed = !value || PyDict_SetItem(dict, key, value) < 0;
    Py_DecRef(key);
    Py_DecRef(value);
    if (!failed) continue;
    Py_DecRef(dict);
    return NULL;
  }
  return all_there(dict, PyDict_Size(dict), n, "a dict");
}

// PySet_Add fills a frozenset too, as long as nobody else has seen it; PyFrozenSet_New(NULL) is not shared since 3.10.
static PyObject *decode_set(reader *r, context *c, int depth, int frozen) {
  size_t n = get_count(r);
  PyObject *set = frozen ? PyFrozenSet_New(NULL) : PySet_New(NULL);
  if (!set) return NULL;
  for (size_t i = 0; i < n; i++) {
    PyObject *item = decode(r, c, depth);
    int failed = !item || PySet_Add(set, item) < 0;
    Py_DecRef(item);
    if (!failed) continue;
    Py_DecRef(set);
    return NULL;
  }
  return all_there(set, PySet_Size(set), n, "a set");
}

static PyObject *decode_ref(reader *r, context *c) {
  PyObject *o = refs_get(c->refs, get_u64(r));
  return o ? o : raise_closed(c->interp, "object");
}

#define MOST_PARTS 16
#define KIND_CONVERTED 24

// Attached. Calls maker with the values that a payload consists of. New reference, or NULL with an error set.
static PyObject *make_of_parts(PyObject *maker, reader *r, context *c, int depth) {
  PyObject *parts[MOST_PARTS + 1], *value = NULL;
  size_t n = 1, have = 0;
  if (r->p < r->end && *r->p == TAG_TUPLE) {
    r->p++;
    n = get_count(r);
  }
  if (n > MOST_PARTS || r->bad) return malformed();
  while (have < n && (parts[have + 1] = decode(r, c, depth))) have++;
  if (have == n) value = PyObject_Vectorcall(maker, parts + 1, n | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
  while (have) Py_DecRef(parts[have--]);
  return value;
}

// Attached. A value of a Go type that a class may be for. Making it runs Python code, which may call Go on this thread.
static PyObject *decode_converted(reader *r, context *c, int depth) {
  if (get_u8(r) != TAG_TUPLE || get_count(r) != 2) return malformed();
  PyObject *number = decode(r, c, depth), *value = number ? decode(r, c, depth) : NULL, *made = NULL;
  if (value) made = converter_make(c, number, value);
  Py_DecRef(number);
  Py_DecRef(value);
  return made;
}

// Attached. A value of the standard library is made by what values.py has for its kind.
static PyObject *decode_standard(reader *r, context *c, int depth) {
  uint8_t kind = get_u8(r);
  if (kind == KIND_CONVERTED) return decode_converted(r, c, depth);
  PyObject *maker = list_item(c->interp->makers, kind);
  PyObject *value = maker && maker != Py_None ? make_of_parts(maker, r, c, depth) : malformed();
  Py_DecRef(maker);
  return value;
}

// Attached. New callable, or NULL with an error set.
static PyObject *decode_func(reader *r, context *c) {
  resolved found;
  found.number = get_u64(r);
  found.is_inline = get_u8(r);
  size_t n;
  const char *name = get_raw(r, &n);
  return r->bad || found.is_inline > INLINE_READY ? malformed() : function_lent(c, found, name, n);
}

// Attached. Bytes that were made when the request began.
static PyObject *decode_blob(reader *r) {
  uint64_t i = get_uvarint(r);
  if (!r->blobs || i >= r->blobs->len) return malformed();
  PyObject *o = r->blobs->items[i].object;
  if (!o) return PyErr_NoMemory();
  Py_IncRef(o);
  return o;
}

static PyObject *constant(PyObject *o) {
  Py_IncRef(o);
  return o;
}

static PyObject *decode_float(reader *r) {
  uint64_t bits = get_u64(r);
  double v;
  memcpy(&v, &bits, 8);
  return PyFloat_FromDouble(v);
}

// Attached, no error set. Returns a new reference, or NULL with an error set.
PyObject *decode(reader *r, context *c, int depth) {
  size_t n;
  const char *p;
  uint8_t tag = get_u8(r);
  if (depth >= MAX_DEPTH + (tag == TAG_LIST || tag == TAG_DICT ? 0 : 2) && tag >= TAG_LIST && tag <= TAG_STANDARD) return malformed();
  switch (tag) {
  case TAG_NONE: return r->bad ? malformed() : constant(Py_None);
  case TAG_FALSE: return constant(Py_False);
  case TAG_TRUE: return constant(Py_True);
  case TAG_INT8: return PyLong_FromLongLong((int8_t)get_u8(r));
  case TAG_INT64: return PyLong_FromLongLong((int64_t)get_u64(r));
  case TAG_BIGINT: return decode_bigint(r);
  case TAG_FLOAT: return decode_float(r);
  case TAG_STR: p = get_raw(r, &n); return PyUnicode_FromStringAndSize(p, (Py_ssize_t)n);
  case TAG_BYTES: p = get_raw(r, &n); return PyBytes_FromStringAndSize(p, (Py_ssize_t)n);
  case TAG_LIST: return decode_list(r, c, depth + 1);
  case TAG_TUPLE: return decode_tuple(r, c, depth + 1);
  case TAG_DICT: return decode_dict(r, c, depth + 1);
  case TAG_SET: return decode_set(r, c, depth + 1, 0);
  case TAG_FROZENSET: return decode_set(r, c, depth + 1, 1);
  case TAG_STANDARD: return decode_standard(r, c, depth + 1);
  case TAG_REF: return decode_ref(r, c);
  case TAG_FUNC: return decode_func(r, c);
  case TAG_BLOB: return decode_blob(r);
  case TAG_MEMORY: return r->lent ? lend(r, c->interp) : malformed();
  case TAG_POINTER: return r->pointers ? constant((PyObject *)(uintptr_t)get_u64(r)) : malformed();
  default: return malformed();
  }
}
