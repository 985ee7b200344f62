//go:build cgo && (linux || darwin)

// Python objects to bytes: the built-in values, and references.
#include "encode.h"

#include "converter.h"

// Needs room for 9 bytes.
static inline void put_float(buf *b, double v) {
  uint64_t bits;
  memcpy(&bits, &v, 8);
  put_u8(b, TAG_FLOAT);
  put_u64(b, bits);
}

// Attached. The methods are int's own, also for a subclass. int.to_bytes rather than a private function whose signature differs between versions.
static int encode_bigint(encoder *e, PyObject *o, int negative) {
  int result = -1;
  PyObject *magnitude = PyObject_CallMethod(EXACT(Long), "__abs__", "O", o), *bits = NULL, *bytes = NULL;
  if (magnitude) bits = PyObject_CallMethod(magnitude, "bit_length", NULL);
  Py_ssize_t n = bits ? (Py_ssize_t)(PyLong_AsLongLong(bits) + 7) / 8 : 0;
  if (bits) bytes = PyObject_CallMethod(magnitude, "to_bytes", "ns", n, "little");
  char *p;
  if (bits && more_bytes(e, (uint64_t)n) < 0) {
    Py_DecRef(magnitude);
    Py_DecRef(bits);
    Py_DecRef(bytes);
    return -1;
  }
  if (bytes && PyBytes_AsStringAndSize(bytes, &p, &n) == 0) {
    if (buf_reserve(e->out, (size_t)n + 12) == 0) {
      put_u8(e->out, TAG_BIGINT);
      result = put_bytes(e->out, (uint8_t)negative, p, (size_t)n);
    } else {
      no_memory(e);
    }
  }
  if (result < 0) e->why->raised = 1;
  Py_DecRef(magnitude);
  Py_DecRef(bits);
  Py_DecRef(bytes);
  return result;
}

static int encode_int(encoder *e, PyObject *o) {
  int overflow;
  long long v = PyLong_AsLongLongAndOverflow(o, &overflow);
  if (overflow) return encode_bigint(e, o, overflow < 0);
  if (buf_reserve(e->out, 9) < 0) return no_memory(e);
  put_int(e->out, v);
  return 0;
}

static int encode_float(encoder *e, PyObject *o) {
  if (buf_reserve(e->out, 9) < 0) return no_memory(e);
  put_float(e->out, PyFloat_AsDouble(o));
  return 0;
}

// Needs room for 9 bytes. Writes an exact int of 64 bits or float, and tells whether o is one. No Python code runs.
static inline int put_number(buf *b, PyObject *o) {
  PyObject *type = type_of(o);
  if (type == EXACT(Float)) {
    put_float(b, PyFloat_AsDouble(o));
    return 1;
  }
  if (type != EXACT(Long)) return 0;
  int overflow;
  long long v = PyLong_AsLongLongAndOverflow(o, &overflow);
  if (!overflow) put_int(b, v);
  return !overflow;
}

// Attached. Writes the bytes of an object, or, where they are large and stay, where they are.
static int encode_data(encoder *e, PyObject *o, uint8_t tag, uint8_t kept, const char *p, uint64_t n) {
  if (more_bytes(e, n) < 0) return -1;
  if (!e->in_place || n < BLOB_LEAST) return put_bytes(e->out, tag, p, (size_t)n) < 0 ? no_memory(e) : 0;
  e->apart += n;
  if (buf_reserve(e->out, 17) < 0) return no_memory(e);
  if (e->keeper && keep(e->keeper, o) < 0) return e->why->raised = 1, -1;
  put_u8(e->out, kept);
  put_u64(e->out, (uint64_t)(uintptr_t)p);
  put_u64(e->out, n);
  return 0;
}

// The UTF-8 of a str lives for as long as that.
int encode_str(encoder *e, PyObject *o) {
  Py_ssize_t n;
  const char *p = PyUnicode_AsUTF8AndSize(o, &n);
  if (!p) return refuse_raised(e, "the text holds a lone surrogate, which UTF-8 cannot carry; use bytes, or "
                                  "text.encode('utf-8', 'surrogatepass')");
  return encode_data(e, o, TAG_STR, TAG_KEPT_STR, p, (uint64_t)n);
}

static int encode_bytes(encoder *e, PyObject *o) {
  char *p;
  Py_ssize_t n;
  if (PyBytes_AsStringAndSize(o, &p, &n) < 0) return e->why->raised = 1, -1;
  return encode_data(e, o, TAG_BYTES, TAG_KEPT, p, (uint64_t)n);
}

static int header(encoder *e, uint8_t tag, Py_ssize_t n) {
  if (more_items(e, (uint64_t)n) < 0) return -1;
  if (buf_reserve(e->out, (size_t)n + 11) < 0) return no_memory(e);
  put_u8(e->out, tag);
  put_uvarint(e->out, (uint64_t)n);
  return 0;
}

// Attached. Writes the numbers that a list begins with, and returns how many.
static Py_ssize_t encode_numbers(encoder *e, PyObject *list, Py_ssize_t n) {
  if (api_free_threaded) return 0; // an item that is borrowed may go at any time
  Py_ssize_t i = 0;
  uint64_t most = e->unlimited ? UINT64_MAX : e->context->limits.bytes;
  while (i < n && e->out->len - e->before <= most && buf_reserve(e->out, 9) == 0 && put_number(e->out, PyList_GetItem(list, i))) i++;
  return i;
}

// A big integer inside the list may run a garbage collection, hence finalizers, which may change the list.
static int encode_list(encoder *e, PyObject *o) {
  Py_ssize_t n = PyList_Size(o);
  if (header(e, TAG_LIST, n) < 0) return -1;
  for (Py_ssize_t i = encode_numbers(e, o, n); i < n; i++) {
    PyObject *item = list_item(o, i);
    if (!item) {
      PyErr_Clear();
      return refuse(e, "the list changed its size while it was converted");
    }
    int failed = encode(e, item);
    Py_DecRef(item);
    if (failed) return e->why->raised ? -1 : misfit_at(e->why, "[%zd]", i);
  }
  return PyList_Size(o) == n ? 0 : refuse(e, "the list changed its size while it was converted");
}

int encode_tuple(encoder *e, PyObject *o) {
  Py_ssize_t n = PyTuple_Size(o);
  if (header(e, TAG_TUPLE, n) < 0) return -1;
  for (Py_ssize_t i = 0; i < n; i++)
    if (encode(e, PyTuple_GetItem(o, i)) < 0) return e->why->raised ? -1 : misfit_at(e->why, "[%zd]", i);
  return 0;
}

// Attached. The items are walked on a copy where no lock keeps other threads from changing the dict.
static int encode_dict(encoder *e, PyObject *o) {
  int copy = api_free_threaded || type_of(o) != EXACT(Dict); // the order of an OrderedDict is not that of its dict
  PyObject *dict = copy ? PyDict_Copy(o) : o, *key, *value;
  if (!dict) return e->why->raised = 1, -1;
  Py_ssize_t n = PyDict_Size(dict), pos = 0, seen = 0;
  int result = header(e, TAG_DICT, n);
  while (result == 0 && seen <= n && PyDict_Next(dict, &pos, &key, &value)) { // it may grow as fast as it is read
    seen++;
    Py_IncRef(key);
    Py_IncRef(value);
    if ((result = encode(e, key)) == 0) result = encode(e, value);
    if (result < 0) at_key(e, key);
    Py_DecRef(key);
    Py_DecRef(value);
  }
  if (result == 0 && seen != n) result = refuse(e, "the dict changed its size while it was converted");
  if (dict != o) Py_DecRef(dict);
  return result;
}

static int encode_set(encoder *e, PyObject *o, uint8_t tag) {
  Py_ssize_t n = PySet_Size(o), seen = 0;
  PyObject *base = tag == TAG_SET ? EXACT(Set) : EXACT(FrozenSet), *item;
  PyObject *iter = PyObject_CallMethod(base, "__iter__", "O", o); // not that of a subclass
  if (!iter) return e->why->raised = 1, -1;
  int result = header(e, tag, n);
  while (result == 0 && (item = PyIter_Next(iter))) {
    seen++;
    if ((result = encode(e, item)) < 0 && !e->why->raised) misfit_at(e->why, "{item}");
    Py_DecRef(item);
  }
  Py_DecRef(iter);
  if (result == 0 && (PyErr_Occurred() || seen != n)) {
    PyErr_Clear();
    result = refuse(e, "the set changed its size while it was converted");
  }
  return result;
}

static int remember(encoder *e, uint64_t handle) {
  if (e->added_len == e->added_cap) {
    size_t cap = e->added_cap ? e->added_cap * 2 : 16;
    uint64_t *added = realloc(e->added, cap * sizeof *added);
    if (!added) return -1;
    e->added = added;
    e->added_cap = cap;
  }
  e->added[e->added_len++] = handle;
  return 0;
}

// Attached. Keeps o alive in the context's table and writes its handle.
int encode_ref(encoder *e, PyObject *o) {
  if (buf_reserve(e->out, 9) < 0) return no_memory(e);
  uint64_t handle = refs_add(e->context->refs, o);
  if (!handle) return e->why->raised = 1, -1;
  if ((e->depth || e->tentative) && remember(e, handle) < 0) {
    Py_DecRef(refs_take(e->context->refs, handle));
    return no_memory(e);
  }
  put_u8(e->out, TAG_REF);
  put_u64(e->out, handle);
  return 0;
}

// Any state. The references made stay.
void encode_done(encoder *e) {
  free(e->added);
  e->added = NULL;
  e->added_len = e->added_cap = 0;
}

// Attached; an error may be set and stays. Drops the references made since there were that many.
static void undo_to(encoder *e, size_t n) {
  PyObject *raised = e->added_len > n ? PyErr_GetRaisedException() : NULL;
  while (e->added_len > n) Py_DecRef(refs_take(e->context->refs, e->added[--e->added_len]));
  if (raised) PyErr_SetRaisedException(raised);
  if (n == 0) encode_done(e);
}

// Attached; an error may be set and stays. Drops the references made.
void encode_undo(encoder *e) { undo_to(e, 0); }

// Attached, no error set. As encode; when the value does not fit, the references made for parts of it are dropped.
int encode_whole(encoder *e, PyObject *o) {
  size_t before = e->added_len;
  e->start = e->out->len;
  int result = encode(e, o);
  if (e->marks && converter_marks(e, result == 0) < 0) result = no_memory(e);
  if (result < 0) undo_to(e, before);
  else if (!e->tentative) encode_done(e);
  return result;
}

int encode_container(encoder *e, PyObject *o, PyObject *type) {
  if (deeper(e) < 0) return -1;
  int result, in_place = e->in_place;
  if (type != EXACT(Tuple) && !e->keeper) e->in_place = 0; // its items may go before Go has read them
  if (type == EXACT(List)) result = encode_list(e, o);
  else if (type == EXACT(Tuple)) result = encode_tuple(e, o);
  else if (type == EXACT(Dict)) result = encode_dict(e, o);
  else result = encode_set(e, o, type == EXACT(Set) ? TAG_SET : TAG_FROZENSET);
  e->in_place = in_place;
  e->depth--;
  return result;
}

static int encode_go_error(encoder *e, uint64_t number) {
  if (buf_reserve(e->out, 9) < 0) return no_memory(e);
  put_int(e->out, (long long)number);
  return 0;
}

// The built-in type that an object of a subclass stands for when it travels loosely, or its own type.
static PyObject *base_of(PyObject *type) {
  PyObject *bases[] = {EXACT(Long), EXACT(Float), EXACT(Unicode), EXACT(Bytes), EXACT(List),
                       EXACT(Tuple), EXACT(Dict), EXACT(Set), EXACT(FrozenSet)};
  for (size_t i = 0; i < sizeof bases / sizeof *bases; i++)
    if (PyType_IsSubtype(type, bases[i])) return bases[i];
  return type;
}

static int is_container(PyObject *type) {
  return type == EXACT(List) || type == EXACT(Tuple) || type == EXACT(Dict) || type == EXACT(Set) ||
         type == EXACT(FrozenSet);
}

// Attached, no error set. Writes o as what objects of a built-in type are. Returns 0, -1, or 1 where the type is none of those.
static inline int encode_plain(encoder *e, PyObject *o, PyObject *type) {
  if (type == EXACT(Unicode)) return encode_str(e, o);
  if (type == EXACT(Long)) return encode_int(e, o);
  if (type == EXACT(Float)) return encode_float(e, o);
  if (o == Py_None || o == Py_True || o == Py_False) {
    if (buf_reserve(e->out, 1) < 0) return no_memory(e);
    put_u8(e->out, o == Py_None ? TAG_NONE : o == Py_True ? TAG_TRUE : TAG_FALSE);
    return 0;
  }
  if (type == EXACT(Bytes)) return encode_bytes(e, o);
  return is_container(type) ? encode_container(e, o, type) : 1;
}

// Attached, no error set. Writes an object of any other type, which the caller keeps.
static int encode_other(encoder *e, PyObject *o, PyObject *type) {
  if (!e->go_errors && context_converts(e->context)) {
    int done = encode_converted(e, o, type);
    if (done) return done < 0 ? -1 : 0;
  }
  if (e->go_errors && go_error_of(o)) return encode_go_error(e, go_error_of(o));
  if (e->loose && !(e->names && PyType_IsSubtype(type, EXACT(Tuple)))) {
    int result = encode_plain(e, o, base_of(type));
    if (result <= 0) return result;
  }
  return encode_object(e, o, type);
}

// Attached, no error set. Borrows o. Returns 0, or -1 with e->why filled in.
int encode(encoder *e, PyObject *o) {
  PyObject *type = type_of(o);
  if (more_bytes(e, 0) < 0) return -1;
  int result = encode_plain(e, o, type);
  if (result <= 0) return result;
  Py_IncRef(type); // code that this runs may give the object another class, and let go of this one
  result = encode_other(e, o, type);
  Py_DecRef(type);
  return result;
}
