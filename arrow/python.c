//go:build cgo && (linux || darwin)

// What Python gets of Go's Arrow data: objects with the methods of Arrow's PyCapsule interface.
#include "python.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "_cgo_export.h"

#define DEFINE(type, name, args) type(*name) args;
PYTHON_API(DEFINE)
PyObject **pyarrow_runtime_error, **pyarrow_keyboard_interrupt;

#define ENTRY(type, name, args) {#name, (void **)&name},
static const struct {
  const char *name;
  void **address;
} symbols[] = {PYTHON_API(ENTRY){"PyExc_RuntimeError", (void **)&pyarrow_runtime_error},
               {"PyExc_KeyboardInterrupt", (void **)&pyarrow_keyboard_interrupt}};

static int is_child;
static void in_child(void) { is_child = 1; }

// Whether this is a child that os.fork() made: there is no Go in it, so that what it lets go of is just forgotten.
int pyarrow_forked(void) { return is_child; }

// The name of the i-th symbol, or NULL; pyarrow_resolve sets its address. Called once, before anything else.
const char *pyarrow_name(int i) {
  if (i == 0) pthread_atfork(NULL, NULL, in_child);
  return (size_t)i < sizeof symbols / sizeof *symbols ? symbols[i].name : NULL;
}

void pyarrow_resolve(int i, uintptr_t address) { *symbols[i].address = (void *)address; }

// Attached, an error set, cleared on return. What it says, for free(), or NULL.
char *pyarrow_take_error(void) {
  PyObject *error = PyErr_GetRaisedException(), *text = error ? PyObject_Str(error) : NULL;
  const char *p = text ? PyUnicode_AsUTF8AndSize(text, NULL) : NULL;
  char *copy = p ? strdup(p) : NULL;
  PyErr_Clear();
  Py_DecRef(text);
  Py_DecRef(error);
  return copy;
}

char *pyarrow_problem(void) { return pyarrow_take_error(); }

// Attached. What a capsule holds, or 0 where it is none of that name; no error is set.
uintptr_t pyarrow_capsule(uintptr_t object, int of) {
  static const char *names[] = {"arrow_schema", "arrow_array", "arrow_array_stream"};
  const char *name = names[of];
  PyObject *o = (PyObject *)object;
  return PyCapsule_IsValid(o, name) ? (uintptr_t)PyCapsule_GetPointer(o, name) : 0;
}

// Attached. Frees what Go gave as the reason, and raises it. Returns NULL.
static PyObject *raise_problem(char *why) {
  PyErr_SetString(*pyarrow_runtime_error, why);
  free(why);
  return NULL;
}

// Attached. Destructors of capsules: whoever took what they hold has marked it as released.
static void destroy_schema(PyObject *capsule) {
  struct ArrowSchema *s = PyCapsule_GetPointer(capsule, "arrow_schema");
  if (s->release && !pyarrow_forked()) s->release(s);
  free(s);
}

static void destroy_array(PyObject *capsule) {
  struct ArrowArray *a = PyCapsule_GetPointer(capsule, "arrow_array");
  if (a->release) a->release(a);
  free(a);
}

// Attached. Returns -1 with an error set where there is no Go.
static int refuse(void) {
  if (is_child) PyErr_SetString(*pyarrow_runtime_error, "Go does not live on in a child made by os.fork()");
  return is_child ? -1 : 0;
}

// Attached. New reference, or NULL with an error set.
static PyObject *schema_capsule(uint64_t number) {
  if (refuse() < 0) return NULL;
  struct ArrowSchema *s = calloc(1, sizeof *s);
  if (!s) return PyErr_NoMemory();
  char *why = goArrowSchema(number, (uintptr_t)s);
  PyObject *capsule = why ? raise_problem(why) : PyCapsule_New(s, "arrow_schema", destroy_schema);
  if (capsule) return capsule;
  if (s->release) s->release(s);
  free(s);
  return NULL;
}

static PyObject *array_capsule(uint64_t number) {
  struct ArrowArray *a = calloc(1, sizeof *a);
  if (!a) return PyErr_NoMemory();
  char *why = goArrowArray(number, (uintptr_t)a);
  PyObject *capsule = why ? raise_problem(why) : PyCapsule_New(a, "arrow_array", destroy_array);
  if (capsule) return capsule;
  if (a->release) a->release(a);
  free(a);
  return NULL;
}

// What an object stands for. It holds Go's entry of that number, and the callable for the next batch, if there is one.
typedef struct exported {
  uint64_t number;
  PyObject *next;
} exported;

// Attached. The type is immortal enough: the instance holds it.
static exported *exported_of(PyObject *o) {
  PyObject *type = PyObject_Type(o);
  exported *e = PyObject_GetTypeData(o, type);
  Py_DecRef(type);
  return e;
}

static PyObject *method_schema(PyObject *self, PyObject *unused) {
  (void)unused;
  return schema_capsule(exported_of(self)->number);
}

// __arrow_c_array__(requested_schema=None), which need not be heeded.
static PyObject *method_array(PyObject *self, PyObject *const *args, ssize_t n, PyObject *names) {
  (void)args, (void)n, (void)names;
  PyObject *pair = PyTuple_New(2);
  PyObject *schema = pair ? schema_capsule(exported_of(self)->number) : NULL;
  PyObject *array = schema ? array_capsule(exported_of(self)->number) : NULL;
  if (!array) {
    Py_DecRef(schema);
    Py_DecRef(pair);
    return NULL;
  }
  PyTuple_SetItem(pair, 0, schema);
  PyTuple_SetItem(pair, 1, array);
  return pair;
}

static PyObject *method_stream(PyObject *self, PyObject *const *args, ssize_t n, PyObject *names) {
  (void)args, (void)n, (void)names;
  if (refuse() < 0) return NULL;
  return pyarrow_stream_capsule(exported_of(self)->number, exported_of(self)->next);
}

static void dealloc(PyObject *o) {
  exported *e = exported_of(o);
  if (!pyarrow_forked()) goArrowDrop(e->number);
  Py_DecRef(e->next);
  PyObject *type = PyObject_Type(o);
  void (*release)(void *) = (void (*)(void *))PyType_GetSlot(type, Py_tp_free);
  release(o);
  Py_DecRef(type);
  Py_DecRef(type); // an instance of a heap type owns a reference to it
}

#define SCHEMA {"__arrow_c_schema__", method_schema, METH_NOARGS, NULL}
#define ARRAY {"__arrow_c_array__", method_array, METH_FASTCALL | METH_KEYWORDS, NULL}
#define STREAM {"__arrow_c_stream__", method_stream, METH_FASTCALL | METH_KEYWORDS, NULL}
#define END {NULL, NULL, 0, NULL}

static PyMethodDef schema_methods[] = {SCHEMA, END}, array_methods[] = {SCHEMA, ARRAY, END},
                   batch_methods[] = {SCHEMA, ARRAY, STREAM, END}, stream_methods[] = {SCHEMA, STREAM, END};
static const struct {
  const char *name;
  PyMethodDef *methods;
} kinds[] = {{"go.ArrowSchema", schema_methods},
             {"go.ArrowArray", array_methods},
             {"go.ArrowBatch", batch_methods},
             {"go.ArrowStream", stream_methods}};

// Attached. The class of a kind, made when an interpreter first asks. Borrowed; NULL with an error set.
static PyObject *type_of_kind(int kind) {
  PyObject *known = PyInterpreterState_GetDict(PyInterpreterState_Get());
  PyObject *type = known ? PyDict_GetItemString(known, kinds[kind].name) : NULL;
  if (type || !known) return type;
  PyType_Slot slots[] = {{Py_tp_dealloc, (void *)dealloc},
                         {Py_tp_methods, kinds[kind].methods},
                         {Py_tp_doc, "Arrow data of the Go program."},
                         {0, NULL}};
  PyType_Spec spec = {.name = kinds[kind].name,
                      .basicsize = -(int)sizeof(exported), // behind the header, whatever its size (PEP 697)
                      .flags = Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
                      .slots = slots};
  type = PyType_FromSpec(&spec);
  int failed = !type || PyDict_SetItemString(known, kinds[kind].name, type) < 0;
  Py_DecRef(type);
  return failed ? NULL : type;
}

// Attached. New object, or 0 with an error set; the number is the caller's again then.
uintptr_t pyarrow_object(uint64_t number, int kind, uintptr_t next) {
  PyObject *type = type_of_kind(kind), *o = type ? PyType_GenericAlloc(type, 0) : NULL;
  if (!o) return 0;
  *exported_of(o) = (exported){number, (PyObject *)next};
  Py_IncRef((PyObject *)next);
  return (uintptr_t)o;
}
