//go:build cgo && (linux || darwin)

#include <stdarg.h>
#include <stdio.h>

#include "converter.h"

#define KIND_RANGE 11
#define KIND_SLICE 12
#define KIND_RECORD 14
#define KIND_ARRAY 18
#define KIND_REFERENCE 255 // of values.py: not one that travels

// Writes the reason why a value cannot travel. Returns -1.
static int refuse(encoder *e, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(e->why->reason, sizeof e->why->reason, format, args);
  va_end(args);
  return -1;
}

static int beyond(encoder *e, const char *what, uint64_t most, const char *option) {
  e->why->limit = 1;
  return refuse(e, "%s more than %llu %s, which is the limit: see Options.Limits.%s", e->what,
                (unsigned long long)most, what, option);
}

// Takes room for n more bytes and n more items into account. Returns 0, or -1 where that is beyond a limit.
static inline int more_bytes(encoder *e, uint64_t n) {
  uint64_t most = e->context->limits.bytes, have = e->out->len - e->before + e->apart;
  if (e->unlimited || (n <= most && have <= most - n)) return 0;
  return beyond(e, "bytes", most, "Bytes");
}

static int more_items(encoder *e, uint64_t n) {
  uint64_t most = e->context->limits.items;
  if (e->unlimited || (n <= most && e->items <= most - n)) {
    e->items += n;
    return more_bytes(e, n);
  }
  return beyond(e, "items", most, "Items");
}

static int too_deep(encoder *e, int most) {
  e->why->limit = 1;
  return refuse(e, "the value nests more than %d deep, or contains itself: see Options.Limits.Depth", most);
}

// Goes one level deeper. Returns 0, or -1 where that is beyond the limit; e->depth-- ends it.
static int deeper(encoder *e) {
  int most = e->unlimited ? MAX_DEPTH : e->context->limits.depth;
  if (e->depth < most) {
    e->depth++;
    return 0;
  }
  return too_deep(e, most);
}

// Goes on to what is in the place of an object, which is no level of its own. Returns 0, or -1 where there is no end to that;
// e->hops-- ends it.
static int farther(encoder *e) {
  if (e->hops == MAX_DEPTH) return too_deep(e, MAX_DEPTH);
  e->hops++;
  return 0;
}

static int no_memory(encoder *e) {
  e->why->raised = 1;
  PyErr_NoMemory();
  return -1;
}

// A Python error that is set becomes the reason, but for a lack of memory and the like, which stay raised. Returns -1.
static int refuse_raised(encoder *e, const char *reason) {
  if (PyErr_ExceptionMatches(PyExc(UnicodeEncodeError))) {
    PyErr_Clear();
    return refuse(e, "%s", reason);
  }
  e->why->raised = 1;
  return -1;
}

// How many bytes of a text of n are not more than that, and whole characters.
int text_part(const char *p, size_t n, size_t most) {
  if (n > most)
    for (n = most; n > 0 && (p[n] & 0xc0) == 0x80;) n--;
  return (int)n;
}

// Puts one step in front of the place, as the recursion unwinds. What becomes too long loses its middle. Returns -1.
int misfit_at(misfit *why, const char *format, ...) {
  char step[96], rest[sizeof why->place];
  va_list args;
  va_start(args, format);
  vsnprintf(step, sizeof step, format, args);
  va_end(args);
  size_t n = strlen(why->place);
  const char *end = why->place, *gap = "";
  if (strlen(step) + n >= sizeof why->place) {
    gap = "...";
    for (end += n - 100; (*end & 0xc0) == 0x80;) end++;
  }
  memcpy(rest, end, strlen(end) + 1);
  snprintf(why->place, sizeof why->place, "%s%s%s", step, gap, rest);
  return -1;
}

static int at_key(encoder *e, PyObject *key) {
  if (e->why->raised) return -1;
  if (type_of(key) == EXACT(Unicode)) {
    Py_ssize_t n;
    const char *text = PyUnicode_AsUTF8AndSize(key, &n);
    if (text) return misfit_at(e->why, "[\"%.*s\"]", text_part(text, (size_t)n, 60), text);
    PyErr_Clear();
    return misfit_at(e->why, "[key]");
  }
  int overflow;
  long long n = type_of(key) == EXACT(Long) ? PyLong_AsLongLongAndOverflow(key, &overflow) : 0;
  return type_of(key) == EXACT(Long) && !overflow ? misfit_at(e->why, "[%lld]", n) : misfit_at(e->why, "[key]");
}

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

static int encode_str(encoder *e, PyObject *o) {
  Py_ssize_t n;
  const char *p = PyUnicode_AsUTF8AndSize(o, &n);
  if (!p) return refuse_raised(e, "the text holds a lone surrogate, which UTF-8 cannot carry; use bytes, or "
                                  "text.encode('utf-8', 'surrogatepass')");
  if (more_bytes(e, (uint64_t)n) < 0) return -1;
  return put_bytes(e->out, TAG_STR, p, (size_t)n) < 0 ? no_memory(e) : 0;
}

// Attached. Writes where the bytes of an object are.
static int encode_kept(encoder *e, PyObject *o, const char *p, uint64_t n) {
  if (buf_reserve(e->out, 17) < 0) return no_memory(e);
  if (e->keeper && keep(e->keeper, o) < 0) return e->why->raised = 1, -1;
  put_u8(e->out, TAG_KEPT);
  put_u64(e->out, (uint64_t)(uintptr_t)p);
  put_u64(e->out, n);
  return 0;
}

static int encode_bytes(encoder *e, PyObject *o) {
  char *p;
  Py_ssize_t n;
  if (PyBytes_AsStringAndSize(o, &p, &n) < 0) return e->why->raised = 1, -1;
  if (more_bytes(e, (uint64_t)n) < 0) return -1;
  if (e->in_place && n >= BLOB_LEAST) e->apart += (uint64_t)n;
  if (e->in_place && n >= BLOB_LEAST) return encode_kept(e, o, p, (uint64_t)n);
  return put_bytes(e->out, TAG_BYTES, p, (size_t)n) < 0 ? no_memory(e) : 0;
}

static int header(encoder *e, uint8_t tag, Py_ssize_t n) {
  if (more_items(e, (uint64_t)n) < 0) return -1;
  if (buf_reserve(e->out, (size_t)n + 11) < 0) return no_memory(e);
  put_u8(e->out, tag);
  put_uvarint(e->out, (uint64_t)n);
  return 0;
}

// Attached. Returns a new reference to an item, or NULL with an error set. A big integer inside the list may run a
// garbage collection, hence finalizers, which may change the list.
static PyObject *list_item(PyObject *list, Py_ssize_t i) {
  if (PyList_GetItemRef) return PyList_GetItemRef(list, i);
  PyObject *item = PyList_GetItem(list, i);
  if (item) Py_IncRef(item);
  return item;
}

// Attached. Writes the numbers that a list begins with, and returns how many.
static Py_ssize_t encode_numbers(encoder *e, PyObject *list, Py_ssize_t n) {
  if (api_free_threaded) return 0; // an item that is borrowed may go at any time
  Py_ssize_t i = 0;
  uint64_t most = e->unlimited ? UINT64_MAX : e->context->limits.bytes;
  while (i < n && e->out->len - e->before <= most && buf_reserve(e->out, 9) == 0 && put_number(e->out, PyList_GetItem(list, i))) i++;
  return i;
}

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

static int encode_tuple(encoder *e, PyObject *o) {
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

// Attached; an error may be set and stays. Drops the references made.
void encode_undo(encoder *e) {
  PyObject *raised = e->added_len ? PyErr_GetRaisedException() : NULL;
  for (size_t i = 0; i < e->added_len; i++) Py_DecRef(refs_take(e->context->refs, e->added[i]));
  if (raised) PyErr_SetRaisedException(raised);
  encode_done(e);
}

// Attached, no error set. As encode; when the value does not fit, the references made for parts of it are dropped.
int encode_whole(encoder *e, PyObject *o) {
  e->start = e->out->len;
  int result = encode(e, o);
  if (e->marks && converter_marks(e, result == 0) < 0) result = no_memory(e);
  if (result < 0) encode_undo(e);
  else if (!e->tentative) encode_done(e);
  return result;
}

// Attached, no error set. As encode, for an object that may be gone when it has been written.
static int encode_passing(encoder *e, PyObject *o) {
  int in_place = e->in_place;
  if (!e->keeper) e->in_place = 0;
  int result = encode(e, o);
  e->in_place = in_place;
  return result;
}

static int encode_container(encoder *e, PyObject *o, PyObject *type) {
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
static int encode_object(encoder *e, PyObject *o, PyObject *type) {
  PyObject *plan = plan_of(e->context->interp, type);
  if (!plan) return e->why->raised = 1, -1;
  int result = encode_planned(e, o, type, plan);
  Py_DecRef(plan);
  return result;
}

// Attached, no error set. Writes what the converter of a class makes of its object. Returns 1, 0 where it has none, or -1.
static int encode_converted(encoder *e, PyObject *o, PyObject *type) {
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

// Writes the reason as the payload of an unconvertible result. Returns -1 when memory is out.
int encode_misfit(buf *out, const misfit *why) {
  if (buf_reserve(out, 2) < 0) return -1;
  put_u8(out, TAG_TUPLE);
  put_u8(out, 3);
  if (put_bytes(out, TAG_STR, why->place, strlen(why->place)) < 0) return -1;
  if (put_bytes(out, TAG_STR, why->reason, strlen(why->reason)) < 0 || buf_reserve(out, 1) < 0) return -1;
  put_u8(out, why->limit ? TAG_TRUE : TAG_FALSE);
  return 0;
}
