//go:build cgo && (linux || darwin)

// Go functions as Python callables: those registered under a name, and those that Go lends.
#include "function.h"

#include <stdio.h>

#include "_cgo_export.h"
#include "runtime.h"

uint64_t registry_version = 1;

// A callable. What a name stands for is another function in each context, and looked up again when something was registered since;
// a function that Go lends has a number that stays, and a use of it for as long as the callable lives.
typedef struct function {
  PyMethodDef def;
  char *name, *doc;
  arity documented;
  uint64_t serial; // no other callable ever has it
  int lent;
  uint64_t home;  // of one that Go lends: the serial number of the context that it was given to
  resolved found; // likewise
  interp *in;
} function;

// Attached, on the lane's thread. What the callable stands for there, until other code runs on the lane; NULL with an error set where
// there is no such function.
static const resolved *resolve(const function *f, lane *l) {
  if (f->lent) return &f->found;
  uint64_t version = __atomic_load_n(&registry_version, __ATOMIC_ACQUIRE);
  known *k = &l->functions[f->serial % KNOWN_FUNCTIONS];
  if (k->serial != f->serial || k->version != version) {
    k->found.number = goLookup(l->context->handle, f->name, strlen(f->name), &k->found.is_inline, &k->found.takes);
    k->version = version;
    k->serial = f->serial;
  }
  if (k->found.number) return &k->found;
  return (void *)PyErr_Format(PyExc(AttributeError), "module 'go' has no function '%s': it is not registered, or not any more", f->name);
}

static int write_keywords(encoder *e, PyObject *const *values, PyObject *names) {
  Py_ssize_t n = names ? PyTuple_Size(names) : 0;
  if (buf_reserve(e->out, (size_t)n + 10) < 0) return PyErr_NoMemory(), e->why->raised = 1, -1;
  put_uvarint(e->out, (uint64_t)n);
  for (Py_ssize_t i = 0; i < n; i++) {
    Py_ssize_t len;
    const char *p = PyUnicode_AsUTF8AndSize(PyTuple_GetItem(names, i), &len);
    if (!p || buf_reserve(e->out, (size_t)len + 10) < 0) return e->why->raised = 1, -1;
    put_uvarint(e->out, (uint64_t)len);
    memcpy(e->out->p + e->out->len, p, (size_t)len);
    e->out->len += (size_t)len;
    if (encode_whole(e, values[i]) < 0) return misfit_at(e->why, " argument '%.*s'", text_part(p, (size_t)len, 60), p);
  }
  return 0;
}

static int write_arguments(encoder *e, PyObject *const *args, Py_ssize_t n, PyObject *names) {
  if (buf_reserve(e->out, (size_t)n + 10) < 0) return PyErr_NoMemory(), e->why->raised = 1, -1;
  put_uvarint(e->out, (uint64_t)n);
  for (Py_ssize_t i = 0; i < n; i++)
    if (encode_whole(e, args[i]) < 0) return misfit_at(e->why, " argument %zd", i + 1);
  return write_keywords(e, args + n, names);
}

static void release_error(PyObject *capsule) {
  if (!runtime_forked) goReleaseError(go_error_of(capsule));
}

// Attached. New object that keeps the Go error of a number for as long as it lives, or None for 0. NULL with an error
// set, and the Go error released.
static PyObject *go_error_new(uint64_t number) {
  if (!number) {
    Py_IncRef(Py_None);
    return Py_None;
  }
  PyObject *capsule = PyCapsule_New((void *)(uintptr_t)number, GO_ERROR, release_error);
  if (!capsule) goReleaseError(number);
  return capsule;
}

// Attached. Raises the exception itself, or else one of a built-in class of that name, which holds the Go error of a number, or none
// for 0. Steals the exception. Returns NULL.
static PyObject *raise_holding(interp *in, PyObject *itself, const char *kind, size_t kind_len, const char *text, size_t text_len,
                               uint64_t number) {
  PyObject *what = itself ? itself : PyUnicode_FromStringAndSize(kind, (Py_ssize_t)kind_len);
  PyObject *t = PyUnicode_FromStringAndSize(text, (Py_ssize_t)text_len);
  PyObject *error = go_error_new(number);
  PyObject *make = itself ? in->raise_again : in->make_error, *exc = NULL;
  if (!make) PyErr_SetString(PyExc(RuntimeError), "the interpreter is ending");
  else if (what && t && error) exc = PyObject_CallFunctionObjArgs(make, what, t, error, NULL);
  Py_DecRef(what);
  Py_DecRef(t);
  Py_DecRef(error);
  if (exc) PyErr_SetObject(type_of(exc), exc);
  Py_DecRef(exc);
  return NULL;
}

// Attached. Raises what an answer says behind its first byte; an exception that it names is one that the context holds for Go. The
// context is NULL where none can be named. Returns NULL.
PyObject *raise_answer(interp *in, context *c, reader *answer) {
  size_t kind_len, text_len;
  const char *kind = get_raw(answer, &kind_len), *text = get_raw(answer, &text_len);
  uint64_t number = get_u64(answer), handle = get_u64(answer);
  return raise_holding(in, c && handle ? refs_get(c->refs, handle) : NULL, kind, kind_len, text, text_len, number);
}

// Attached. Raises that Go closed something that a request names before it got here. Returns NULL.
PyObject *raise_closed(interp *in, const char *what) {
  char text[64];
  int n = snprintf(text, sizeof text, "the %s was closed in Go before it was used", what);
  return raise_holding(in, NULL, "RuntimeError", 12, text, (size_t)n, goClosedError());
}

// Attached. Turns the answer of a Go function into its value or its exception.
static PyObject *read_answer(lane *l, callback *cb) {
  if (cb->brief) return scalar_object(cb->scalars[0]);
  context *c = l->context;
  reader in = {.p = cb->answer.p, .end = cb->answer.p + cb->answer.len, .keys = keys_of(l)};
  return get_u8(&in) == 0 ? decode(&in, c, 0) : raise_answer(c->interp, c, &in);
}

// Lets go of the Go error of an answer that nobody takes.
static void drop_answer(callback *cb) {
  reader in = {.p = cb->answer.p, .end = cb->answer.p + cb->answer.len};
  size_t len;
  if (get_u8(&in) == 0) return;
  get_raw(&in, &len);
  get_raw(&in, &len);
  uint64_t token = get_u64(&in);
  if (token) goReleaseError(token);
}

// Attached. Raises a TypeError about an argument; one that is beyond a limit carries the Go error that says so.
static void raise_misfit(interp *in, const function *f, const misfit *why) {
  char text[768];
  int n = text_part(f->name, strlen(f->name), 160);
  snprintf(text, sizeof text, "%s%.*s()%s: %s", f->lent ? "" : "go.", n, f->name, why->place, why->reason);
  raise_holding(in, NULL, "TypeError", 9, text, strlen(text), why->limit ? goLimitError() : 0);
}

// Attached. Writes the arguments of a call. Returns 0, or -1 with an error set. Not a part of invoke, whose frame stays on the
// stack while Go runs, once for each level of nesting: it would be five times as large.
static __attribute__((noinline)) int write_call(const function *f, context *c, buf *out, PyObject *const *args,
                                                Py_ssize_t n, PyObject *names) {
  misfit why;
  encoder e;
  encoder_begin(&e, out, c, &why);
  e.in_place = e.tentative = 1;
  e.what = "the arguments have";
  int result = write_arguments(&e, args, n, names);
  if (result == 0) encode_done(&e);
  else encode_undo(&e); // of the arguments before, too
  if (result < 0 && !why.raised) raise_misfit(c->interp, f, &why);
  return result;
}

static PyObject *invoke(function *f, PyObject *const *args, Py_ssize_t n, PyObject *names) {
  lane *l = lane_of_thread(f->in, f->home);
  if (!l) return NULL;
  context *c = l->context;
  const resolved *found = resolve(f, l);
  if (!found) return NULL;
  callback cb;
  cb.function = found->number;
  int is_inline = found->is_inline; // while the arguments are written, other code may run
  cb.done = 0;
  cb.held = 0;
  cb.brief = 0;
  cb.args = (buf){cb.args_local, 0, sizeof cb.args_local, cb.args_local};
  cb.answer = (buf){cb.answer_local, 0, sizeof cb.answer_local, cb.answer_local};
  PyObject *value = NULL;
  int read = 0;
  cb.few = !names && scalars_of(cb.scalars, args, (size_t)n) ? (int)n : -1;
  if (cb.few >= 0 || write_call(f, c, &cb.args, args, n, names) == 0) {
    if (callback_run(l, &cb, is_inline) == 0) {
      value = read_answer(l, &cb);
      read = value || (cb.answer.len && cb.answer.p[0] != 0);
    } else {
      drop_answer(&cb);
    }
  }
  if (cb.held) goAnswered(cb.held, read);
  buf_free(&cb.args);
  buf_free(&cb.answer);
  return value;
}

static PyObject *call_function(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names) {
  return invoke(PyCapsule_GetPointer(self, NULL), args, n, names);
}

// Attached.
static void discard(function *f) {
  if (f->lent && !runtime_forked) goReleaseFunction(f->found.number);
  free(f->name);
  free(f->doc);
  free(f);
}

static void free_function(PyObject *capsule) { discard(PyCapsule_GetPointer(capsule, NULL)); }

#define DOC "A function of the Go program."
#define MOST_NAMED 32 // parameters; one that takes more has no signature

// New text, as inspect.signature finds it in the documentation of a function in C: behind the last part of its name. NULL when memory
// is out. Go's parameters have no names that are known when the program runs.
static char *document(const char *name, const arity *takes) {
  const char *dot = strrchr(name, '.');
  int named = takes->most > takes->least ? takes->most : takes->least;
  size_t size = strlen(name) + (size_t)named * sizeof "arg10=None, " + sizeof "(/, *args, **kwargs)\n--\n\n" DOC;
  char *doc = named <= MOST_NAMED ? malloc(size) : strdup(DOC), *p = doc;
  if (!doc || named > MOST_NAMED) return doc;
  p += sprintf(p, "%s(", dot ? dot + 1 : name);
  for (int i = 1; i <= named; i++) p += sprintf(p, "arg%d%s, ", i, i > takes->least ? "=None" : "");
  if (named) p += sprintf(p, "/, ");
  if (takes->most < 0) p += sprintf(p, "*args, ");
  if (takes->keywords) p += sprintf(p, "**kwargs, ");
  if (p[-1] == ' ') p -= 2;
  sprintf(p, ")\n--\n\n" DOC);
  return doc;
}

// Attached. New callable; takes over f. NULL with an error set.
static PyObject *make_callable(function *f) {
  f->doc = document(f->name, &f->documented);
  f->def = (PyMethodDef){f->name, (PyCFunction)(void (*)(void))call_function, METH_FASTCALL | METH_KEYWORDS, f->doc};
  PyObject *capsule = f->doc ? PyCapsule_New(f, NULL, free_function) : PyErr_NoMemory();
  if (!capsule) {
    discard(f);
    return NULL;
  }
  PyObject *callable = PyCFunction_NewEx(&f->def, capsule, NULL);
  Py_DecRef(capsule);
  return callable;
}

// Attached. NULL with an error set when memory is out.
static function *function_new(interp *in, const char *name, size_t n) {
  function *f = calloc(1, sizeof *f);
  if (!f || !(f->name = strndup(name, n))) {
    free(f);
    PyErr_NoMemory();
    return NULL;
  }
  static uint64_t last_serial;
  f->serial = __atomic_add_fetch(&last_serial, 1, __ATOMIC_RELAXED);
  f->in = in;
  return f;
}

#define MOST_KEPT 1024 // callables; beyond that they are made anew, so that names which come and go take no memory

// Attached. New reference to a callable for a name that is registered, kept for the next time; NULL with an error set.
static PyObject *new_callable(interp *in, lane *l, PyObject *name, const char *text) {
  function *f = function_new(in, text, strlen(text));
  if (!f) return NULL;
  const resolved *found = resolve(f, l);
  if (!found) {
    discard(f);
    return NULL;
  }
  f->documented = found->takes;
  PyObject *callable = make_callable(f);
  if (callable && PyDict_Size(in->functions) >= MOST_KEPT) PyDict_Clear(in->functions);
  if (callable && PyDict_SetItem(in->functions, name, callable) < 0) PyErr_Clear();
  return callable;
}

// Attached, no error set. New reference to the callable for a name that was looked up before and stands for a function that takes the
// same, or NULL; an error may be set then.
PyObject *function_known(interp *in, lane *l, PyObject *name) {
  PyObject *callable = dict_item(in->functions, name);
  if (!callable) return NULL;
  function *f = PyCapsule_GetPointer(PyCFunction_GetSelf(callable), NULL);
  const resolved *found = resolve(f, l);
  if (found && memcmp(&found->takes, &f->documented, sizeof found->takes) == 0) return callable;
  Py_DecRef(callable);
  return NULL;
}

// Attached, no error set. New reference to the callable for a name; NULL with an error set where there is none.
PyObject *function_named(interp *in, lane *l, PyObject *name, const char *text) {
  PyObject *callable = function_known(in, l, name);
  return callable || PyErr_Occurred() ? callable : new_callable(in, l, name, text);
}

// Attached. New callable for a function that Go lends; NULL with an error set.
PyObject *function_lent(context *c, resolved found, const char *name, size_t n) {
  if (!goRetainFunction(found.number, &found.takes))
    return PyErr_Format(PyExc(SystemError), "Go lends no function %llu; please report this",
                        (unsigned long long)found.number);
  function *f = function_new(c->interp, name, n);
  if (!f) {
    goReleaseFunction(found.number);
    return NULL;
  }
  f->lent = 1;
  f->home = c->serial;
  f->found = found;
  f->documented = found.takes;
  return make_callable(f);
}
