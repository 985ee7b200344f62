//go:build cgo && (linux || darwin)

// The natives behind the Python module go: finding a registered Go function, and what bootstrap.py needs from C.
#include "function.h"

#include "_cgo_export.h"
#include "runtime.h"

static __thread context *tls_inherited; // of a thread that Python started: the context of the thread that started it

void raise_interrupted(interp *in) { PyErr_SetNone(in->interrupted); }

// Attached. The context that a thread without a lane belongs to, held; or NULL with an error set. What C started has no other than that
// of the function that it calls, by its serial number.
static context *context_of_thread(interp *in, uint64_t home) {
  context *c = in->owner ? in->owner : tls_inherited;
  if (c) context_hold(c);
  else c = context_worker(home);
  if (!c)
    PyErr_SetString(PyExc(RuntimeError), "this thread belongs to no context: start it with the threading module from "
                                         "code that runs in a context, or give it a Go function that was an argument");
  return c;
}

// Attached. Gives back the lane of a thread that C started, and that now comes from another context than the last time. Such a thread
// may have another thread state each time, too.
static lane *lane_again(lane *l, uint64_t home) {
  l->state = PyThreadState_Get();
  if (!home || home == l->context->serial || l->context->interp->owner || tls_inherited || l->depth || l->suspended) return l;
  lane_set_current(NULL);
  lane_release(l);
  return NULL;
}

// Attached. The lane of this thread, made on its first callback when no context did, for a function of that context or 0. Borrowed;
// NULL with an error set where Go cannot be called.
lane *lane_of_thread(interp *in, uint64_t home) {
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
  if (l && !l->is_main) l = lane_again(l, home);
  if (!l) {
    context *c = context_of_thread(in, home);
    if (!c) return NULL;
    l = lane_new(c, 0);
    context_release(c);
    if (!l) return PyErr_NoMemory(), NULL;
    l->attached = 1;
    lane_set_current(l);
  }
  if (l->is_main || !__atomic_load_n(&l->context->closing, __ATOMIC_ACQUIRE)) return l;
  PyErr_SetString(PyExc(RuntimeError), "the context of this thread is closed");
  return NULL;
}

// Every native gets its interpreter as self.
static interp *interp_of(PyObject *self) { return PyCapsule_GetPointer(self, GO_INTERP); }

// function(name) -> a callable that calls the Go function of that name. AttributeError where there is none.
static PyObject *native_function(PyObject *self, PyObject *name) {
  if (!PyType_IsSubtype(type_of(name), EXACT(Unicode)))
    return PyErr_Format(PyExc(TypeError), "the name of a Go function must be a str");
  interp *in = interp_of(self);
  lane *l = lane_of_thread(in, 0);
  PyObject *exact = l ? PyUnicode_FromObject(name) : NULL, *callable = NULL;
  Py_ssize_t len;
  const char *text = exact ? PyUnicode_AsUTF8AndSize(exact, &len) : NULL;
  if (text && strlen(text) != (size_t)len) PyErr_Format(PyExc(AttributeError), "no Go function has a NUL in its name");
  else if (text) callable = function_named(in, l, exact, text);
  Py_DecRef(exact);
  return callable;
}

// Attached. The attributes of the module go. A Go function is found here in a tenth of the time that CPython takes to come to the
// module's __getattr__.
static PyObject *module_attribute(PyObject *module, PyObject *name) {
  lane *l = type_of(name) == EXACT(Unicode) && !runtime_forked ? lane_current() : NULL; // what __getattr__ does says why
  if (l && l->context->interp->functions && PyDict_Contains(PyModule_GetDict(module), name) == 0) {
    PyObject *callable = function_known(l->context->interp, l, name);
    if (callable) return callable;
  }
  PyErr_Clear();
  return ((PyObject * (*)(PyObject *, PyObject *)) PyType_GetSlot(EXACT(Module), Py_tp_getattro))(module, name);
}

// Attached. New class, of each interpreter's own; NULL with an error set.
static PyObject *module_class(void) {
  PyType_Slot slots[] = {{Py_tp_base, EXACT(Module)}, {Py_tp_getattro, (void *)module_attribute}, {0, NULL}};
  PyType_Spec spec = {.name = "go.Module", .flags = Py_TPFLAGS_IMMUTABLETYPE, .slots = slots};
  return PyType_FromSpec(&spec);
}

// names() -> the names of the registered functions, as one text with line feeds.
static PyObject *native_names(PyObject *self, PyObject *unused) {
  (void)unused;
  lane *l = lane_of_thread(interp_of(self), 0);
  if (!l) return NULL;
  buf out = {0};
  goNames(l->context->handle, &out);
  PyObject *text = PyUnicode_FromStringAndSize((char *)out.p, (Py_ssize_t)out.len);
  buf_free(&out);
  return text;
}

// namespace() -> that of the request that runs on this thread, or, on a thread that Python started, its context's; or None.
static PyObject *native_namespace(PyObject *self, PyObject *unused) {
  (void)unused;
  lane *l = lane_current();
  context *c = l ? l->context : context_of_thread(interp_of(self), 0);
  PyErr_Clear();
  PyObject *namespace = l && l->namespace ? l->namespace : NULL;
  if (namespace) Py_IncRef(namespace);
  else if (c) namespace = context_namespace(c);
  if (c && !l) context_release(c);
  if (!namespace) Py_IncRef(namespace = Py_None);
  return namespace;
}

// inherit() -> the calling context for adopt(), or None.
static void release_inherited(PyObject *capsule) { context_release(PyCapsule_GetPointer(capsule, GO_CONTEXT)); }

static PyObject *native_inherit(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  context *c = lane_current() ? lane_current()->context : tls_inherited;
  if (!c) {
    Py_IncRef(Py_None);
    return Py_None;
  }
  context_hold(c);
  PyObject *capsule = PyCapsule_New(c, GO_CONTEXT, release_inherited);
  if (!capsule) context_release(c);
  return capsule;
}

// adopt(context) makes this thread one of that context. The reference lives in the thread's start function.
static PyObject *native_adopt(PyObject *self, PyObject *capsule) {
  (void)self;
  context *c = PyCapsule_GetPointer(capsule, GO_CONTEXT);
  if (!c) return NULL;
  tls_inherited = c;
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

// write(stream, bytes) gives output to the Go program. Detached meanwhile, so that its writer may call Python.
static PyObject *native_write(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names) {
  (void)names;
  interp *in = interp_of(self);
  char *p;
  Py_ssize_t len;
  long long stream = n == 2 ? PyLong_AsLongLong(args[0]) : 0;
  if (stream < 1 || stream > 2 || PyBytes_AsStringAndSize(args[1], &p, &len) < 0)
    return PyErr_Format(PyExc(TypeError), "write() takes a stream and bytes");
  if (runtime_forked) return PyErr_Format(PyExc(ValueError), "the Go program's writer does not live on after os.fork()");
  lane *l = lane_current();
  PyThreadState *state = l ? NULL : PyEval_SaveThread();
  if (l) detach(l);
  buf answer = {0};
  goWrite((int)stream, p, (size_t)len, &answer);
  if (l) attach(l);
  else PyEval_RestoreThread(state);
  reader r = {.p = answer.p, .end = answer.p + answer.len};
  PyObject *written = answer.len && get_u8(&r) ? raise_answer(in, NULL, &r) : PyLong_FromLongLong(len);
  buf_free(&answer);
  return written;
}

// unraisable(what) is sys.unraisablehook: an interrupt that CPython would only print is raised again. Nothing but C is between that
// and the code that it is for.
static PyObject *native_unraisable(PyObject *self, PyObject *what) {
  PyObject *type = PyObject_GetAttrString(what, "exc_type"), *result = NULL;
  int again = type && PyErr_GivenExceptionMatches(type, interp_of(self)->interrupted) && lane_current() && strike_again(lane_current());
  PyObject *usual = type && !again ? PySys_GetObject("__unraisablehook__") : NULL; // borrowed; imports may have ended
  if (again) Py_IncRef(result = Py_None);
  else if (usual) result = PyObject_CallFunctionObjArgs(usual, what, NULL);
  else if (type) PyErr_SetString(PyExc(RuntimeError), "the interpreter is ending");
  Py_DecRef(type);
  return result;
}

// answer() -> whether the loop that was rung at is to cancel what it runs.
static PyObject *native_answer(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  return PyBool_FromLong(lane_current() && answer(lane_current()));
}

// owe() leaves the rest of an interrupt to the loop.
static PyObject *native_owe(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  if (lane_current()) owe(lane_current());
  Py_IncRef(Py_None);
  return Py_None;
}

// Interrupted.__new__. CPython makes the exception that it was told to raise right where it raises it, so that the class can depend on
// the place. Where there is no room for the Python code that looks, it is the plain one.
static PyObject *native_new_interrupted(PyObject *self, PyObject *args) {
  interp *in = interp_of(self);
  Py_ssize_t n = PyTuple_Size(args);
  PyObject *class = n ? PyTuple_GetItem(args, 0) : NULL, *special = NULL;
  if (!class || !PyErr_GivenExceptionMatches(class, PyExc(BaseException)))
    return PyErr_Format(PyExc(TypeError), "Interrupted.__new__() takes a class of exceptions");
  if (class == in->interrupted && lane_current() && is_hit(lane_current()))
    special = PyObject_CallNoArgs(in->interrupted_class);
  PyErr_Clear();
  PyObject *rest = PyTuple_GetSlice(args, 1, n), *made = NULL;
  PyObject *(*make)(PyObject *, PyObject *, PyObject *) = PyType_GetSlot(PyExc(BaseException), Py_tp_new);
  if (rest) made = make(special ? special : class, rest, NULL);
  Py_DecRef(rest);
  Py_DecRef(special);
  return made;
}

// is_hit() -> whether the request that runs was interrupted.
static PyObject *native_is_hit(PyObject *self, PyObject *unused) {
  (void)self, (void)unused;
  return PyBool_FromLong(lane_current() && is_hit(lane_current()));
}

static PyMethodDef natives[] = {
    {"function", native_function, METH_O, NULL},
    {"names", native_names, METH_NOARGS, NULL},
    {"namespace", native_namespace, METH_NOARGS, NULL},
    {"inherit", native_inherit, METH_NOARGS, NULL},
    {"adopt", native_adopt, METH_O, NULL},
    {"abandon", native_abandon, METH_NOARGS, NULL},
    {"is_error", native_is_error, METH_O, NULL},
    {"answer", native_answer, METH_NOARGS, NULL},
    {"owe", native_owe, METH_NOARGS, NULL},
    {"new_interrupted", native_new_interrupted, METH_VARARGS, NULL},
    {"is_hit", native_is_hit, METH_NOARGS, NULL},
    {"unraisable", native_unraisable, METH_O, NULL},
    {"write", (PyCFunction)(void (*)(void))native_write, METH_FASTCALL | METH_KEYWORDS, NULL},
};

// Attached. New dict for bootstrap.py to run in: the native functions of this interpreter and the built-ins.
PyObject *module_natives(interp *in) {
  PyObject *names = PyDict_New(), *self = PyCapsule_New(in, GO_INTERP, NULL), *builtins = PyImport_ImportModule("builtins");
  PyObject *is_main = PyBool_FromLong(in == main_interp()), *own_lock = PyBool_FromLong(in->own_lock);
  PyObject *class = module_class();
  in->functions = PyDict_New();
  int failed = !names || !class || PyDict_SetItemString(names, "Module", class) < 0 || !in->functions || !self || !builtins || PyDict_SetItemString(names, "__builtins__", builtins) < 0 ||
               PyDict_SetItemString(names, "is_main", is_main) < 0 || PyDict_SetItemString(names, "own_lock", own_lock) < 0;
  for (size_t i = 0; !failed && i < sizeof natives / sizeof *natives; i++) {
    PyObject *f = PyCFunction_NewEx(&natives[i], self, NULL);
    failed = !f || PyDict_SetItemString(names, natives[i].ml_name, f) < 0;
    Py_DecRef(f);
  }
  Py_DecRef(class);
  Py_DecRef(is_main);
  Py_DecRef(own_lock);
  Py_DecRef(self);
  Py_DecRef(builtins);
  if (!failed) return names;
  Py_DecRef(names);
  return NULL;
}
