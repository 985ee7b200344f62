//go:build cgo && (linux || darwin)

// Writes what a request came to: its value, why that cannot travel, or the exception with all that belongs to it.
#include "context.h"

#include "_cgo_export.h"

enum { STATUS_OK, STATUS_RAISED, STATUS_MISFIT, STATUS_ITEMS };
enum { END_MORE, END_ALL, END_RAISED, END_MISFIT }; // of items

// Of the record of an exception that has little to say: how it begins, what is between its bases and its Go error, and behind that.
static const uint8_t head[] = {TAG_TUPLE, 12}, middle[] = {TAG_LIST, 0, TAG_LIST, 0, TAG_NONE, TAG_NONE, TAG_TRUE},
                     rest[] = {TAG_NONE, TAG_LIST, 0};

// Any thread. What puts something returns 0, or -1 when memory is out.
static int put_all(buf *out, const uint8_t *p, size_t n) {
  if (buf_reserve(out, n) < 0) return -1;
  memcpy(out->p + out->len, p, n);
  out->len += n;
  return 0;
}

// Attached, no error set, and none afterwards. Writes o as a str, or the default where it is none.
static int put_text(buf *out, PyObject *o, const char *otherwise) {
  Py_ssize_t n = (Py_ssize_t)strlen(otherwise);
  const char *p = o && type_of(o) == EXACT(Unicode) ? PyUnicode_AsUTF8AndSize(o, &n) : NULL;
  PyErr_Clear();
  return put_bytes(out, TAG_STR, p ? p : otherwise, (size_t)n);
}

// Attached, no error set, and none afterwards. Writes one attribute as a str, or the default.
static int put_attribute(buf *out, PyObject *o, const char *name, const char *otherwise) {
  PyObject *value = o ? PyObject_GetAttrString(o, name) : NULL;
  PyErr_Clear();
  int result = put_text(out, value, otherwise);
  Py_DecRef(value);
  return result;
}

// Attached, no error set, and none afterwards. Writes the base classes of an exception, but for object, as its class says.
static int put_bases(buf *out, PyObject *exc) {
  PyObject *mro = exc ? PyObject_GetAttrString(type_of(exc), "__mro__") : NULL;
  PyErr_Clear();
  Py_ssize_t n = mro && type_of(mro) == EXACT(Tuple) ? PyTuple_Size(mro) - 1 : 1;
  if (n < 1) n = 1; // a metaclass says so
  int result = buf_reserve(out, 11);
  if (result == 0) {
    put_u8(out, TAG_LIST);
    put_uvarint(out, (uint64_t)(n - 1));
  }
  for (Py_ssize_t i = 1; i < n && result == 0 && (result = buf_reserve(out, 2)) == 0; i++) {
    put_u8(out, TAG_TUPLE);
    put_u8(out, 2);
    PyObject *base = PyTuple_GetItem(mro, i);
    result = put_attribute(out, base, "__module__", "") < 0 ? -1 : put_attribute(out, base, "__qualname__", "");
  }
  Py_DecRef(mro);
  return result;
}

// Attached, no error set, and none afterwards. The number of the Go error that an exception carries, kept for the record.
static uint64_t carried(PyObject *exc) {
  PyObject *passed = exc ? PyObject_GetAttrString(exc, "_go_error") : NULL;
  PyObject *capsule = passed ? PyObject_GetAttrString(passed, "error") : NULL;
  PyErr_Clear();
  uint64_t number = capsule ? go_error_of(capsule) : 0;
  if (number) goRetainError(number);
  Py_DecRef(capsule);
  Py_DecRef(passed);
  return number;
}

// Attached, no error set, and none afterwards. The least that can be said, when there is no room to say more: the class,
// its bases, the message and the Go error. What stands before from stays. Returns 0, or -1 when memory is out.
static int write_plain(buf *out, size_t from, uint8_t status, PyObject *exc) {
  PyObject *type = exc ? type_of(exc) : NULL;
  if (type) Py_IncRef(type); // str() may give it another class
  PyObject *text = exc ? PyObject_Str(exc) : NULL;
  PyErr_Clear();
  out->len = from;
  int failed = put_all(out, &status, 1) < 0 || put_all(out, head, sizeof head) < 0 ||
               put_attribute(out, type, "__qualname__", "SystemError") < 0 || put_attribute(out, type, "__module__", "builtins") < 0 ||
               put_text(out, text, "") < 0 || put_bases(out, exc) < 0 || put_all(out, middle, sizeof middle) < 0 ||
               buf_reserve(out, 9 + sizeof rest) < 0;
  if (!failed) {
    put_int(out, (long long)carried(exc));
    put_all(out, rest, sizeof rest);
  }
  Py_DecRef(text);
  Py_DecRef(type);
  return failed ? -1 : 0;
}

// Any thread. There is no memory to say anything else: a MemoryError with its bases, which needs no more than a request always has.
// Attach may have to ask for it; a process without memory for that ends, as Go programs do.
static void write_no_memory(buf *out) {
  static const char *const names[] = {"MemoryError", "builtins", "", "builtins", "Exception", "builtins", "BaseException"};
  buf_free(out);
  if (buf_reserve(out, BUF_GIVEN) < 0) abort();
  put_u8(out, STATUS_RAISED);
  put_all(out, head, sizeof head);
  for (int i = 0; i < 7; i++) {
    if (i == 3) put_all(out, (const uint8_t[]){TAG_LIST, 2}, 2);
    if (i == 3 || i == 5) put_all(out, (const uint8_t[]){TAG_TUPLE, 2}, 2);
    put_bytes(out, TAG_STR, names[i], strlen(names[i]));
  }
  put_all(out, middle, sizeof middle);
  put_int(out, 0);
  put_all(out, rest, sizeof rest);
  put_u8(out, TAG_NONE);
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

// Attached, no error set, and none afterwards. Writes a reference to an exception that the Go function which asked may want to raise
// again, and None for all others: those that no Go function waits for, and interrupts, which are each request's own. Returns 0, or -1
// when memory is out.
static int write_itself(encoder *e, PyObject *exc) {
  lane *l = lane_current();
  int wanted = exc && l->current && l->current->chain && !PyErr_GivenExceptionMatches(exc, e->context->interp->interrupted);
  if (wanted && encode_ref(e, exc) == 0) return 0;
  PyErr_Clear();
  static const uint8_t none = TAG_NONE;
  return put_all(e->out, &none, 1);
}

// Attached, with an error set, which is cleared. What stands before from stays. Returns 0, or -1 when memory is out.
static int write_raised(context *c, buf *out, size_t from, uint8_t status) {
  misfit why;
  encoder e;
  encoder_begin(&e, out, c, &why);
  e.loose = e.go_errors = e.unlimited = 1;
  PyObject *exc, *record = describe(c->interp, &exc);
  int result = 0;
  out->len = from;
  if (!record || put_all(out, &status, 1) < 0 || encode(&e, record) < 0) {
    PyErr_Clear();
    result = write_plain(out, from, status, exc);
  } else {
    retain_errors(record);
  }
  if (result == 0) result = write_itself(&e, exc);
  Py_DecRef(record);
  Py_DecRef(exc);
  return result;
}

// Attached, no error set. Returns 0, or -1 with why filled in.
static int write_value(encoder *e, PyObject *value, int how) {
  e->loose = how == WANT_LOOSE || how == WANT_FIELDS;
  if (how == WANT_REF) return encode_ref(e, value);
  if (how == WANT_ITER) {
    PyObject *iter = PyObject_GetIter(value);
    int result = iter ? encode_ref(e, iter) : (e->why->raised = 1, -1);
    Py_DecRef(iter);
    return result;
  }
  if (how != WANT_NONE) return encode_whole(e, value);
  if (buf_reserve(e->out, 1) < 0) return PyErr_NoMemory(), e->why->raised = 1, -1;
  put_u8(e->out, TAG_NONE);
  return 0;
}

// Attached, no error set, and none afterwards. Writes a value, or why it does not fit. Returns 0, or -1 with an error set.
static int write_whole(encoder *e, PyObject *value, int how) {
  if (buf_reserve(e->out, 1) < 0) return PyErr_NoMemory(), -1;
  put_u8(e->out, STATUS_OK);
  if (write_value(e, value, how) == 0) return 0;
  if (e->why->raised) return -1;
  e->out->len = 0;
  static const uint8_t status = STATUS_MISFIT;
  return put_all(e->out, &status, 1) < 0 || encode_misfit(e->out, e->why) < 0 ? (PyErr_NoMemory(), -1) : 0;
}

// Attached, with an error set where they end with one, and none afterwards. Writes how items ended, which are up to at. Returns 0, or -1
// when memory is out.
static int write_end(encoder *e, int end, size_t at) {
  if (end == END_RAISED) return write_raised(e->context, e->out, at, END_RAISED);
  if (end != END_MORE) e->out->len = at;
  uint8_t status = (uint8_t)end;
  if (put_all(e->out, &status, 1) < 0) return -1;
  return end == END_MISFIT ? encode_misfit(e->out, e->why) : 0;
}

// Attached, no error set, and none afterwards. Writes items until a limit is passed, and how they ended: behind that is the
// exception or the misfit that came instead of the next. *n counts the items. Returns 0, or -1 when memory is out.
static int write_some(context *c, buf *out, PyObject *iter, const want *w, uint64_t *n) {
  int64_t until = now_ns() + (int64_t)w->ns;
  size_t start = out->len, at = start;
  misfit why;
  encoder e;
  encoder_begin(&e, out, c, &why);
  e.names = w->names;
  e.keep = w->keep;
  e.tentative = 1;
  int end = END_MORE;
  while (end == END_MORE && *n < w->items) {
    PyObject *item = PyIter_Next(iter);
    e.items = e.apart = 0;
    e.before = at = out->len;
    if (!item) end = PyErr_Occurred() ? END_RAISED : END_ALL;
    else if (write_value(&e, item, w->how) < 0) end = why.raised ? END_RAISED : END_MISFIT;
    else ++*n;
    Py_DecRef(item);
    if (out->len - start >= w->bytes || now_ns() >= until) break;
  }
  if (write_end(&e, end, at) == 0) return encode_done(&e), 0;
  encode_undo(&e);
  return -1;
}

// Attached, no error set, and none afterwards. The count of the list is filled in at the end, in all five bytes. Returns 0, or -1 when
// memory is out.
static int write_items(context *c, buf *out, PyObject *iter, const want *w) {
  if (buf_reserve(out, 7) < 0) return -1;
  put_u8(out, STATUS_ITEMS);
  put_u8(out, TAG_LIST);
  size_t count = out->len;
  out->len += 5;
  uint64_t n = 0;
  if (write_some(c, out, iter, w, &n) < 0) return -1;
  for (int i = 0; i < 5; i++) out->p[count + i] = (uint8_t)((n >> 7 * i & 0x7f) | (i < 4 ? 0x80 : 0));
  return 0;
}

// Attached, no error set, and none afterwards. Ends what was lent for the result in e, which fails where Python keeps a view
// of it, unless it has failed already. Returns 0, or -1 when memory is out.
static int end_lent(encoder *e, struct lent **lent) {
  if (lent_end(lent) == 0) {
    encode_done(e);
  } else if (e->out->len && e->out->p[0] == STATUS_OK) {
    encode_undo(e);
    return write_raised(e->context, e->out, 0, STATUS_RAISED);
  } else {
    PyErr_Clear();
  }
  return 0;
}

// Attached. Steals value, NULL means that an error is set, and the names in w; ends what was lent for it. Leaves no error
// set. The request, or NULL, keeps large bytes where they are.
void write_result(context *c, request *r, buf *out, PyObject *value, want w, struct lent **lent) {
  misfit why;
  encoder e;
  encoder_begin(&e, out, c, &why);
  e.names = w.names;
  e.keep = w.keep;
  e.tentative = *lent != NULL;
  if (w.had.bytes) {
    e.what = "the arguments have";
    e.depth = (int)w.had.depth;
    e.items = w.had.items;
    e.apart = w.had.bytes;
  }
  e.in_place = r && r->lane->is_main; // a thread's lane may outlive what keeps
  e.keeper = r;
  out->len = 0;
  int result = 0;
  if (value && w.items) result = write_items(c, out, value, &w);
  else if (!value || write_whole(&e, value, w.how) < 0) result = write_raised(c, out, 0, STATUS_RAISED);
  Py_DecRef(value);
  Py_DecRef(w.names);
  if (*lent) result |= end_lent(&e, lent);
  if (result < 0) write_no_memory(out);
}

// Attached. New tuple of interned text from n bytes of names, one a line. NULL with an error set.
static PyObject *split_lines(const char *p, size_t n) {
  size_t count = 1;
  for (size_t i = 0; i < n; i++) count += p[i] == '\n';
  if (count > MOST_FIELDS) return PyErr_Format(PyExc(ValueError), "a Go type with more than %d fields", MOST_FIELDS);
  PyObject *names = PyTuple_New((Py_ssize_t)count);
  for (size_t i = 0; names && i < count; i++) {
    const char *end = memchr(p, '\n', n);
    size_t len = end ? (size_t)(end - p) : n;
    PyObject *name = PyUnicode_FromStringAndSize(p, (Py_ssize_t)len);
    if (!name) {
      Py_DecRef(names);
      return NULL;
    }
    PyUnicode_InternInPlace(&name);
    PyTuple_SetItem(names, (Py_ssize_t)i, name);
    p += len + 1;
    n -= end ? len + 1 : len;
  }
  return names;
}

// Attached. What follows the byte that says how. Field names are kept for the next time on the context's own thread. Returns
// 0, or -1 with an error set.
int read_want(context *c, lane *l, reader *in, int how, want *w) {
  *w = (want){.how = how};
  if (how != WANT_FIELDS) return 0;
  size_t len;
  w->keep = get_u8(in);
  const char *p = get_raw(in, &len);
  w->names = l->is_main ? cache_find(&c->fields, (const uint8_t *)p, len) : NULL;
  if (w->names) {
    Py_IncRef(w->names);
  } else if ((w->names = split_lines(p, len)) && l->is_main) {
    cache_add(&c->fields, (const uint8_t *)p, len, w->names);
  }
  return w->names ? 0 : -1;
}
