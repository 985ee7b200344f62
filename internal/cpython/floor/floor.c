//go:build cgo && (linux || darwin)

#include "floor.h"

#include <stdio.h>
#include <stdlib.h>

static const char source[] = "def identity(x): return x\n"
                             "def run(n):\n"
                             "  x = 0\n"
                             "  for i in range(n): x = callback(x)\n"
                             "  return x\n"
                             "def nest(n): return 1 + callback(n) if n else 0\n"
                             "numbers = [(i * 7919) % 100003 for i in range(100_000)]\n"
                             "def sort(): sorted(numbers, key=callback)\n";

// Prints the error that is set. Returns -1.
static int failed(const char *what) {
  PyObject *raised = PyErr_GetRaisedException(), *text = raised ? PyObject_Repr(raised) : NULL;
  fprintf(stderr, "floor: %s: %s\n", what, text ? PyUnicode_AsUTF8AndSize(text, NULL) : "failed");
  Py_DecRef(text);
  Py_DecRef(raised);
  return -1;
}

// Attached. What Python calls in floor_callbacks and floor_nest: self is None, or the function to call with one less.
static PyObject *callback(PyObject *self, PyObject *arg) {
  long long n = PyLong_AsLongLong(arg);
  if (self == Py_None) return PyLong_FromLongLong(n + 1);
  PyObject *less = PyLong_FromLongLong(n - 1);
  PyObject *result = less ? PyObject_CallOneArg(self, less) : NULL;
  Py_DecRef(less);
  return result;
}

static PyMethodDef callback_def = {"callback", callback, METH_O, NULL};

// Attached. Binds the name callback in a namespace. Returns 0, or -1 with an error set.
static int bind_callback(PyObject *namespace, PyObject *self) {
  PyObject *f = PyCFunction_NewEx(&callback_def, self, NULL);
  int result = f ? PyDict_SetItemString(namespace, "callback", f) : -1;
  Py_DecRef(f);
  return result;
}

// Attached. New dict with the functions of source, or NULL with an error set.
static PyObject *namespace_new(void) {
  PyObject *code = Py_CompileString(source, "floor", Py_file_input), *d = code ? PyDict_New() : NULL, *done = NULL;
  PyObject *builtins = d ? PyImport_ImportModule("builtins") : NULL;
  if (builtins && PyDict_SetItemString(d, "__builtins__", builtins) == 0) done = PyEval_EvalCode(code, d, d);
  Py_DecRef(code);
  Py_DecRef(builtins);
  if (!done) {
    Py_DecRef(d);
    return NULL;
  }
  Py_DecRef(done);
  return d;
}

// Attached. New reference or NULL with an error set.
static PyObject *named(PyObject *namespace, const char *name) {
  PyObject *o = PyDict_GetItemString(namespace, name);
  if (o) Py_IncRef(o);
  return o;
}

floor *floor_new(void) {
  floor *f = calloc(1, sizeof *f);
  PyObject *math = PyImport_ImportModule("math"), *nesting = namespace_new();
  f->namespace = namespace_new();
  if (!math || !nesting || !f->namespace) goto fail;
  f->sqrt = PyObject_GetAttrString(math, "sqrt");
  f->product = Py_CompileString("x*y", "floor", Py_eval_input);
  f->assignment = Py_CompileString("z = 1", "floor", Py_file_input);
  f->x = PyUnicode_InternFromString("x");
  f->y = PyUnicode_InternFromString("y");
  f->identity = named(f->namespace, "identity");
  f->run = named(f->namespace, "run");
  f->nest = named(nesting, "nest");
  f->sort = named(f->namespace, "sort");
  if (bind_callback(f->namespace, Py_None) < 0 || bind_callback(nesting, f->nest) < 0) goto fail;
  if (!f->sqrt || !f->product || !f->assignment) goto fail;
  Py_DecRef(math);
  Py_DecRef(nesting);
  return f;
fail:
  failed("start");
  Py_DecRef(math);
  Py_DecRef(nesting);
  floor_free(f);
  return NULL;
}

// What is left are cycles between functions and namespaces, for the garbage collector.
void floor_free(floor *f) {
  PyObject **o = (PyObject **)f;
  for (size_t i = 0; i < sizeof *f / sizeof *o; i++) Py_DecRef(o[i]);
  free(f);
}

// One call, of a C number for a C number.
static int call(floor *f, double x, double *root) {
  PyObject *args[2] = {NULL, PyFloat_FromDouble(x)};
  PyObject *result = args[1] ? PyObject_Vectorcall(f->sqrt, args + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL) : NULL;
  Py_DecRef(args[1]);
  if (!result) return failed("call");
  *root = PyFloat_AsDouble(result);
  Py_DecRef(result);
  return 0;
}

int floor_calls(floor *f, int n, int release) {
  double root;
  for (int i = 0; i < n; i++) {
    if (release) PyEval_RestoreThread(PyEval_SaveThread());
    if (call(f, 16, &root) < 0) return -1;
  }
  return 0;
}

// As PyRun_String, with the code compiled before.
static int evaluate(PyObject *code, PyObject *globals, PyObject *locals) {
  PyObject *result = PyEval_EvalCode(code, globals, locals);
  if (!result) return failed("eval");
  Py_DecRef(result);
  return 0;
}

int floor_evals(floor *f, int n) {
  for (int i = 0; i < n; i++) {
    PyObject *three = PyLong_FromLongLong(3), *four = PyLong_FromLongLong(4), *locals = PyDict_New();
    int result = PyDict_SetItem(locals, f->x, three) < 0 || PyDict_SetItem(locals, f->y, four) < 0
                     ? failed("eval")
                     : evaluate(f->product, f->namespace, locals);
    Py_DecRef(three);
    Py_DecRef(four);
    Py_DecRef(locals);
    if (result < 0) return -1;
  }
  return 0;
}

int floor_execs(floor *f, int n) {
  for (int i = 0; i < n; i++)
    if (evaluate(f->assignment, f->namespace, f->namespace) < 0) return -1;
  return 0;
}

static int call_with_number(PyObject *function, int n) {
  PyObject *arg = PyLong_FromLongLong(n), *result = arg ? PyObject_CallOneArg(function, arg) : NULL;
  Py_DecRef(arg);
  if (!result) return failed("callback");
  Py_DecRef(result);
  return 0;
}

int floor_callbacks(floor *f, int n) { return call_with_number(f->run, n); }

int floor_nest(floor *f, int depth) { return call_with_number(f->nest, depth); }

int floor_sort(floor *f) {
  PyObject *done = PyObject_CallNoArgs(f->sort);
  Py_DecRef(done);
  return done ? 0 : failed("sort");
}

// Makes an interpreter with a lock of its own, and leaves it.
PyThreadState *floor_interpreter(void) {
  PyInterpreterConfig config = {
      .allow_threads = 1, .check_multi_interp_extensions = 1, .gil = PyInterpreterConfig_OWN_GIL};
  PyThreadState *mine = PyThreadState_Get(), *other = NULL;
  PyStatus status = Py_NewInterpreterFromConfig(&other, &config);
  if (status.type) fprintf(stderr, "floor: interpreter: %s\n", status.err_msg);
  PyThreadState_Swap(mine);
  return status.type ? NULL : other;
}

void floor_interpreter_end(PyThreadState *state) {
  PyThreadState *mine = PyThreadState_Swap(state);
  Py_EndInterpreter(state);
  PyThreadState_Swap(mine);
}
