//go:build cgo && (linux || darwin)

// Interpreters: the main one and those of contexts that have their own, all furnished by the same bootstrap.py.
#include <stdio.h>
#include <unistd.h>

#include "context.h"
#include "runtime.h"

static interp main_one;
static char *bootstrap_code; // marshalled: it is compiled once, and code objects belong to one interpreter
static Py_ssize_t bootstrap_len;

interp *main_interp(void) { return &main_one; }

// Attached. Writes the current error, cleared, as "Type: text".
static void explain(char *problem, size_t size) {
  PyObject *exc = PyErr_GetRaisedException();
  PyObject *text = exc ? PyObject_Repr(exc) : NULL;
  const char *p = text ? PyUnicode_AsUTF8AndSize(text, NULL) : NULL;
  snprintf(problem, size, "%s", p ? p : "unknown error");
  PyErr_Clear();
  Py_DecRef(text);
  Py_DecRef(exc);
}

// What C keeps of the Python files, by their names there.
static const struct {
  const char *name;
  size_t field;
} fields[] = {
#define FIELD(name, field) {name, offsetof(interp, field)}
    FIELD("compile_source", compile),
    FIELD("identifier", identifier),
    FIELD("describe", describe),
    FIELD("make_error", make_error),
    FIELD("raise_again", raise_again),
    FIELD("finish", finish),
    FIELD("collect", collect),
    FIELD("end_child", end_child),
    FIELD("leave_loop", leave_loop),
    FIELD("enter_loop", enter_loop),
    FIELD("bell", bell),
    FIELD("Interrupted", interrupted),
    FIELD("interrupted_class", interrupted_class),
    FIELD("plans", plans),
    FIELD("classify", classify),
    FIELD("makers", makers),
    FIELD("converters", converters),
#undef FIELD
};

#define FIELDS (sizeof fields / sizeof *fields)

static PyObject **field_in(interp *in, size_t i) { return (PyObject **)((char *)in + fields[i].field); }

// Attached. The fields hold references until empty. Returns 0, or -1, with an error set or not.
static int take_functions(interp *in, PyObject *names) {
  for (size_t i = 0; i < FIELDS; i++) {
    PyObject *o = PyDict_GetItemString(names, fields[i].name);
    if (!o) return -1;
    Py_IncRef(o);
    *field_in(in, i) = o;
  }
  in->modules = PyImport_GetModuleDict();
  Py_IncRef(in->modules);
  in->builtins = PyImport_ImportModule("builtins");
  in->memory = lend_type();
  return in->builtins && in->memory ? 0 : -1;
}

// Attached to a fresh interpreter. Runs bootstrap.py with the native functions as its globals. Returns 0, or -1 with an
// error set.
static int furnish(interp *in) {
  in->state = PyInterpreterState_Get();
  in->id = PyInterpreterState_GetID(in->state);
  PyObject *names = module_natives(in);
  PyObject *code = names ? PyMarshal_ReadObjectFromString(bootstrap_code, bootstrap_len) : NULL;
  PyObject *done = code ? PyEval_EvalCode(code, names, names) : NULL;
  int result = done ? take_functions(in, names) : -1;
  Py_DecRef(done);
  Py_DecRef(code);
  Py_DecRef(names);
  return result;
}

// Attached. What is no longer there is NULL before it is let go of: that may run Python code.
static void let_go(PyObject **held) {
  PyObject *o = *held;
  *held = NULL;
  Py_DecRef(o);
}

// Attached.
static void empty(interp *in) {
  for (size_t i = 0; i < FIELDS; i++) let_go(field_in(in, i));
  let_go(&in->modules);
  let_go(&in->builtins);
  let_go(&in->memory);
  let_go(&in->functions);
  for (size_t i = 0; i < KNOWN_MODULES; i++) Py_DecRef(__atomic_exchange_n(&in->known[i], NULL, __ATOMIC_RELAXED));
}

// Attached. Compiles bootstrap.py for every interpreter. Returns 0, or -1 with an error set.
static int compile(const char *source) {
  PyObject *code = Py_CompileString(source, "<py>", Py_file_input);
  PyObject *marshal = code ? PyImport_ImportModule("marshal") : NULL;
  PyObject *bytes = marshal ? PyObject_CallMethod(marshal, "dumps", "O", code) : NULL;
  char *p;
  int result = bytes ? PyBytes_AsStringAndSize(bytes, &p, &bootstrap_len) : -1;
  if (result == 0 && !(bootstrap_code = malloc((size_t)bootstrap_len))) PyErr_NoMemory();
  else if (result == 0) memcpy(bootstrap_code, p, (size_t)bootstrap_len);
  Py_DecRef(code);
  Py_DecRef(marshal);
  Py_DecRef(bytes);
  return bootstrap_code ? 0 : -1;
}

// Attached, on the thread that initialised CPython. Returns NULL or a problem in static memory.
const char *main_interp_start(const char *bootstrap) {
  static char problem[512];
  if (compile(bootstrap) == 0 && furnish(&main_one) == 0) return NULL;
  explain(problem, sizeof problem);
  return problem;
}

// Not attached on entry; attached to the new interpreter on success. A thread state of the main interpreter is needed to
// make another one.
interp *interp_new(int mode, PyThreadState **state, char *problem, size_t size) {
  interp *in = calloc(1, sizeof *in);
  PyThreadState *helper = in ? PyThreadState_New(main_one.state) : NULL, *fresh = NULL;
  if (!helper) {
    snprintf(problem, size, "out of memory for an interpreter");
    free(in);
    return NULL;
  }
  PyEval_RestoreThread(helper);
  int own = in->own_lock = mode == MODE_OWNGIL;
  PyInterpreterConfig config = {.use_main_obmalloc = !own,
                                .allow_exec = 0,
                                .allow_threads = 1,
                                .check_multi_interp_extensions = own || api_free_threaded,
                                .gil = own ? PyInterpreterConfig_OWN_GIL : PyInterpreterConfig_SHARED_GIL};
  PyStatus status = Py_NewInterpreterFromConfig(&fresh, &config);
  if (!fresh) { // attached to the helper again
    snprintf(problem, size, "CPython makes no interpreter: %s", status.err_msg ? status.err_msg : "no reason given");
  } else {
    if (furnish(in) == 0) {
      PyEval_SaveThread();
    } else {
      explain(problem, size);
      empty(in);
      Py_EndInterpreter(fresh);
      fresh = NULL;
    }
    PyEval_RestoreThread(helper);
  }
  // Whatever happened, the helper goes.
  PyThreadState_Clear(helper);
  PyThreadState_DeleteCurrent();
  if (!fresh) {
    free(in);
    return NULL;
  }
  PyEval_RestoreThread(fresh);
  *state = fresh;
  return in;
}

// Attached; detached now and then. Waits until no other thread is in the interpreter: Python joins those of the module
// threading, and before 3.14 the end of an interpreter that has others, of the module _thread, is the end of the process.
static void wait_for_threads(interp *in, PyThreadState *state) {
  for (useconds_t pause = 50; PyInterpreterState_ThreadHead(in->state) != state || PyThreadState_Next(state);) {
    PyEval_SaveThread();
    usleep(pause);
    if (pause < 20000) pause *= 2;
    PyEval_RestoreThread(state);
  }
}

// Attached, where Python code has come back to C with value, or with an error set. In a child that os.fork() made there is no
// Go to go on to: it ends as a Python program would.
void interp_end_child(interp *in, PyObject *value) {
  if (!runtime_forked) return;
  PyObject *error = value ? NULL : PyErr_GetRaisedException();
  PyObject_CallOneArg(in->end_child, error ? error : Py_None);
  _exit(1);
}

// Attached on entry, not on return.
void interp_end(interp *in, PyThreadState *state) {
  wait_for_threads(in, state);
  empty(in);
  Py_EndInterpreter(state);
  free(in);
}
