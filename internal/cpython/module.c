//go:build cgo && (linux || darwin)

// The natives behind the Python module go: calling a registered Go function, and what bootstrap.py needs from C.
#include "function.h"

#include <stdio.h>

#include "_cgo_export.h"
#include "runtime.h"

uint64_t registry_version = 1;

static __thread context *tls_inherited; // of a thread that Python started: the context of the thread that started it

// A callable for one name. What the name stands for is looked up again when something was registered since.
typedef struct function {
  PyMethodDef def;
  char *name;
  uint64_t version;
  uint64_t context; // the serial number of the one that the lookup was for
  resolved found;
  interp *in;
} function;

void raise_interrupted(interp *in) { PyErr_SetNone(in->interrupted); }

// Attached. The context that a thread without a lane belongs to, held; or NULL with an error set.
static context *context_of_thread(interp *in) {
  context *c = in->owner ? in->owner : tls_inherited;
  if (c) context_hold(c);
  else c = context_only_worker();
  if (!c)
    PyErr_SetString(PyExc(RuntimeError), "this thread belongs to no context: start it with the threading module from "
                                         "code that runs in a context");
  return c;
}

// Attached. The lane of this thread, made on its first callback when Python started the thread. Borrowed; NULL with an
// error set where Go cannot be called.
static lane *lane_of_thread(interp *in) {
  if (runtime_forked) {
    PyErr_SetString(PyExc(RuntimeError), "Go functions cannot be called in a child made by os.fork(): the Go runtime "
                                         "does not live on in it; use subprocess, or multiprocessing with 'spawn'");
    return NULL;
  }
  if (!in->functions) {
    PyErr_SetString(PyExc(RuntimeError), "the interpreter is ending: Go functions cannot be called any more");
    return NULL;
  }
  lane *l = lane_current();
  if (!l) {
    context *c = context_of_thread(in);
    if (!c) return NULL;
    l = lane_new(c, 0);
    context_release(c);
    if (!l) return PyErr_NoMemory(), NULL;
    lane_set_current(l);
  }
  if (l->is_main || !__atomic_load_n(&l->context->closing, __ATOMIC_ACQUIRE)) return l;
  PyErr_SetString(PyExc(RuntimeError), "the context of this thread is closed");
  return NULL;
}

static int resolve(function *f, context *c) {
  uint64_t version = __atomic_load_n(&registry_version, __ATOMIC_ACQUIRE);
  if (f->version != version || f->context != c->serial) {
    int is_inline = 0;
    f->found.number = goLookup(c->handle, f->name, strlen(f->name), &is_inline);
    f->found.is_inline = is_inline;
    f->version = version;
    f->context = c->serial;
  }
  if (f->found.number) return 0;
  PyErr_Format(PyExc(AttributeError), "module 'go' has no function '%s': it is not registered, or not any more", f->name);
  return -1;
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
    if (encode_whole(e, values[i]) < 0) {
      if (!e->why->raised) {
        char rest[sizeof e->why->place];
        memcpy(rest, e->why->place, sizeof rest);
        snprintf(e->why->place, sizeof e->why->place, " argument '%s'%.160s", p, rest);
      }
      return -1;
    }
  }
  return 0;
}

static int write_arguments(encoder *e, PyObject *const *args, Py_ssize_t n, PyObject *names) {
  if (buf_reserve(e->out, (size_t)n + 10) < 0) return PyErr_NoMemory(), e->why->raised = 1, -1;
  put_uvarint(e->out, (uint64_t)n);
  for (Py_ssize_t i = 0; i < n; i++)
    if (encode_whole(e, args[i]) < 0) {
      char rest[sizeof e->why->place];
      memcpy(rest, e->why->place, sizeof rest);
      snprintf(e->why->place, sizeof e->why->place, " argument %zd%.160s", i + 1, rest);
      return -1;
    }
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

// Attached. Turns the answer of a Go function into its value or its exception.
static PyObject *read_answer(context *c, callback *cb) {
  reader in = {cb->answer.p, cb->answer.p + cb->answer.len, 0};
  if (get_u8(&in) == 0) return decode(&in, c, 0);
  size_t kind_len, text_len;
  const char *kind = get_raw(&in, &kind_len), *text = get_raw(&in, &text_len);
  uint64_t token = get_u64(&in);
  PyObject *k = PyUnicode_FromStringAndSize(kind, (Py_ssize_t)kind_len);
  PyObject *t = PyUnicode_FromStringAndSize(text, (Py_ssize_t)text_len);
  PyObject *error = go_error_new(token);
  PyObject *exc = k && t && error ? PyObject_CallFunctionObjArgs(c->interp->make_error, k, t, error, NULL) : NULL;
  Py_DecRef(k);
  Py_DecRef(t);
  Py_DecRef(error);
  if (exc) PyErr_SetObject(type_of(exc), exc);
  Py_DecRef(exc);
  return NULL;
}

// Lets go of the Go error of an answer that nobody takes.
static void drop_answer(callback *cb) {
  reader in = {cb->answer.p, cb->answer.p + cb->answer.len, 0};
  size_t len;
  if (get_u8(&in) == 0) return;
  get_raw(&in, &len);
  get_raw(&in, &len);
  uint64_t token = get_u64(&in);
  if (token) goReleaseError(token);
}

static PyObject *invoke(function *f, PyObject *const *args, Py_ssize_t n, PyObject *names) {
  lane *l = lane_of_thread(f->in);
  if (!l) return NULL;
  context *c = l->context;
  if (resolve(f, c) < 0) return NULL;
  callback cb;
  cb.function = f->found.number;
  cb.done = 0;
  cb.args = (buf){cb.args_local, 0, sizeof cb.args_local, cb.args_local};
  cb.answer = (buf){cb.answer_local, 0, sizeof cb.answer_local, cb.answer_local};
  misfit why;
  why.place[0] = why.reason[0] = 0;
  why.raised = 0;
  encoder e = {.out = &cb.args, .context = c, .why = &why};
  PyObject *value = NULL;
  if (write_arguments(&e, args, n, names) < 0) {
    if (!why.raised) PyErr_Format(PyExc(TypeError), "go.%s()%s: %s", f->name, why.place, why.reason);
  } else if (callback_run(l, &cb, f->found.is_inline) == 0) {
    value = read_answer(c, &cb);
  } else {
    drop_answer(&cb);
  }
  buf_free(&cb.args);
  buf_free(&cb.answer);
  return value;
}

// Every native gets its interpreter as self.
static interp *interp_of(PyObject *self) { return PyCapsule_GetPointer(self, NULL); }

static PyObject *call_function(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names) {
  return invoke(PyCapsule_GetPointer(self, NULL), args, n, names);
}

static void free_function(PyObject *capsule) {
  function *f = PyCapsule_GetPointer(capsule, NULL);
  free(f->name);
  free(f);
}

// Attached. New callable; takes over f. NULL with an error set.
static PyObject *make_callable(function *f) {
  f->def = (PyMethodDef){f->name, (PyCFunction)(void (*)(void))call_function, METH_FASTCALL | METH_KEYWORDS,
                         "A function of the Go program."};
  PyObject *capsule = PyCapsule_New(f, NULL, free_function);
  if (!capsule) {
    free(f->name);
    free(f);
    return NULL;
  }
  PyObject *callable = PyCFunction_NewEx(&f->def, capsule, NULL);
  Py_DecRef(capsule);
  return callable;
}

// Attached. New reference to a callable for a name that is registered, kept for the next time; NULL with an error set.
static PyObject *new_callable(interp *in, context *c, PyObject *name, const char *text) {
  function *f = calloc(1, sizeof *f);
  if (!f || !(f->name = strdup(text))) {
    free(f);
    return PyErr_NoMemory();
  }
  f->in = in;
  if (resolve(f, c) < 0) {
    free(f->name);
    free(f);
    return NULL;
  }
  PyObject *callable = make_callable(f);
  if (callable && PyDict_SetItem(in->functions, name, callable) < 0) PyErr_Clear();
  return callable;
}

// function(name) -> a callable that calls the Go function of that name. AttributeError where there is none.
static PyObject *native_function(PyObject *self, PyObject *name) {
  if (type_of(name) != EXACT(Unicode))
    return PyErr_Format(PyExc(TypeError), "the name of a Go function must be a str");
  interp *in = interp_of(self);
  lane *l = lane_of_thread(in);
  const char *text = l ? PyUnicode_AsUTF8AndSize(name, NULL) : NULL;
  if (!text) return NULL;
  PyObject *callable = PyDict_GetItemWithError(in->functions, name);
  if (!callable) return PyErr_Occurred() ? NULL : new_callable(in, l->context, name, text);
  Py_IncRef(callable);
  if (resolve(PyCapsule_GetPointer(PyCFunction_GetSelf(callable), NULL), l->context) == 0) return callable;
  Py_DecRef(callable);
  return NULL;
}

// names() -> the names of the registered functions, as one text with line feeds.
static PyObject *native_names(PyObject *self, PyObject *unused) {
  (void)unused;
  lane *l = lane_of_thread(interp_of(self));
  if (!l) return NULL;
  buf out = {0};
  goNames(l->context->handle, &out);
  PyObject *text = PyUnicode_FromStringAndSize((char *)out.p, (Py_ssize_t)out.len);
  buf_free(&out);
  return text;
}

// inherit() -> the calling context for adopt(), or None.
static void release_inherited(PyObject *capsule) { context_release(PyCapsule_GetPointer(capsule, NULL)); }

static PyObject *native_inherit(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  context *c = lane_current() ? lane_current()->context : tls_inherited;
  if (!c) {
    Py_IncRef(Py_None);
    return Py_None;
  }
  context_hold(c);
  PyObject *capsule = PyCapsule_New(c, NULL, release_inherited);
  if (!capsule) context_release(c);
  return capsule;
}

// adopt(context) makes this thread one of that context. The reference lives in the thread's start function.
static PyObject *native_adopt(PyObject *self, PyObject *capsule) {
  (void)self;
  tls_inherited = PyCapsule_GetPointer(capsule, NULL);
  if (!tls_inherited) return NULL;
  Py_IncRef(Py_None);
  return Py_None;
}

// abandon() ends what adopt began.
static PyObject *native_abandon(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  tls_inherited = NULL;
  Py_IncRef(Py_None);
  return Py_None;
}

// is_error(object) -> whether it is what holds a Go error.
static PyObject *native_is_error(PyObject *self, PyObject *o) {
  (void)self;
  return PyBool_FromLong(go_error_of(o) != 0);
}

// write(stream, bytes) gives output to the Go program. Detached meanwhile.
static PyObject *native_write(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names) {
  (void)self, (void)names;
  char *p;
  Py_ssize_t len;
  if (n != 2 || PyBytes_AsStringAndSize(args[1], &p, &len) < 0) return NULL;
  if (runtime_forked) return PyErr_Format(PyExc(ValueError), "the Go program's writer does not live on after os.fork()");
  int stream = (int)PyLong_AsLongLong(args[0]);
  PyThreadState *state = PyEval_SaveThread();
  int failed = goWrite(stream, p, (size_t)len);
  PyEval_RestoreThread(state);
  if (failed) return PyErr_Format(PyExc(ValueError), "the Go program's writer failed");
  return PyLong_FromLongLong(len);
}

static PyMethodDef natives[] = {
    {"function", native_function, METH_O, NULL},
    {"names", native_names, METH_NOARGS, NULL},
    {"inherit", native_inherit, METH_NOARGS, NULL},
    {"adopt", native_adopt, METH_O, NULL},
    {"abandon", native_abandon, METH_NOARGS, NULL},
    {"is_error", native_is_error, METH_O, NULL},
    {"write", (PyCFunction)(void (*)(void))native_write, METH_FASTCALL | METH_KEYWORDS, NULL},
};

// Attached. New dict for bootstrap.py to run in: the native functions of this interpreter and the built-ins.
PyObject *module_natives(interp *in) {
  PyObject *names = PyDict_New(), *self = PyCapsule_New(in, NULL, NULL), *builtins = PyImport_ImportModule("builtins");
  PyObject *is_main = PyBool_FromLong(in == main_interp());
  in->functions = PyDict_New();
  int failed = !names || !in->functions || !self || !builtins || PyDict_SetItemString(names, "__builtins__", builtins) < 0 ||
               PyDict_SetItemString(names, "is_main", is_main) < 0;
  for (size_t i = 0; !failed && i < sizeof natives / sizeof *natives; i++) {
    PyObject *f = PyCFunction_NewEx(&natives[i], self, NULL);
    failed = !f || PyDict_SetItemString(names, natives[i].ml_name, f) < 0;
    Py_DecRef(f);
  }
  Py_DecRef(is_main);
  Py_DecRef(self);
  Py_DecRef(builtins);
  if (!failed) return names;
  Py_DecRef(names);
  return NULL;
}
