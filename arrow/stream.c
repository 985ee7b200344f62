//go:build cgo && (linux || darwin)

// Arrow's C streams, those that Go reads and those that it is.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "_cgo_export.h"
#include "python.h"

// A stream of Go. Batches that are there are given from any thread; those that a reader makes come by a callback into Go where
// the thread is one of Python's, which serves requests meanwhile.
typedef struct source {
  uint64_t number;
  PyObject *next; // or NULL
  PyInterpreterState *interp;
  char *error;
} source;

// Any thread, attached or not. Attaches to the interpreter of the stream. Returns -1 on a thread that cannot.
static int enter(const source *s, int *before) {
  PyThreadState *mine = PyGILState_GetThisThreadState();
  if (mine ? PyThreadState_GetInterpreter(mine) != s->interp : PyInterpreterState_Main() != s->interp) return -1;
  *before = PyGILState_Ensure();
  return 0;
}

static int fail(source *s, char *why) {
  free(s->error);
  s->error = why;
  return EIO;
}

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
  source *s = stream->private_data;
  memset(out, 0, sizeof *out);
  if (pyarrow_forked()) return fail(s, strdup("Go does not live on in a child made by os.fork()"));
  char *why = goArrowSchema(s->number, (uintptr_t)out);
  return why ? fail(s, why) : 0;
}

// Attached. The callable fills out in, or leaves it as it is at the end.
static int call_next(source *s, struct ArrowArray *out) {
  PyObject *address = PyLong_FromUnsignedLongLong((unsigned long long)(uintptr_t)out);
  PyObject *done = address ? PyObject_CallOneArg(s->next, address) : NULL;
  Py_DecRef(address);
  Py_DecRef(done);
  if (done) return 0;
  if (!PyErr_ExceptionMatches(*pyarrow_keyboard_interrupt)) return fail(s, pyarrow_take_error());
  PyErr_WriteUnraisable(s->next); // which has an interrupt raised again, behind the code that gets a text of it
  return fail(s, strdup("interrupted"));
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
  source *s = stream->private_data;
  memset(out, 0, sizeof *out);
  if (pyarrow_forked()) return fail(s, strdup("Go does not live on in a child made by os.fork()"));
  if (!s->next || !PyGILState_GetThisThreadState()) {
    char *why = goArrowNext(s->number, (uintptr_t)out);
    return why ? fail(s, why) : 0;
  }
  int before;
  if (enter(s, &before) < 0) return fail(s, strdup("a stream of Go was read on a thread of another interpreter"));
  int result = call_next(s, out);
  PyGILState_Release(before);
  return result;
}

static const char *get_last_error(struct ArrowArrayStream *stream) { return ((source *)stream->private_data)->error; }

static void release(struct ArrowArrayStream *stream) {
  source *s = stream->private_data;
  int before;
  if (s->next && enter(s, &before) == 0) {
    Py_DecRef(s->next);
    PyGILState_Release(before);
  }
  if (!pyarrow_forked()) goArrowDrop(s->number);
  free(s->error);
  free(s);
  stream->release = NULL;
  stream->private_data = NULL;
}

static void destroy_stream(PyObject *capsule) {
  struct ArrowArrayStream *stream = PyCapsule_GetPointer(capsule, "arrow_array_stream");
  if (stream->release) stream->release(stream);
  free(stream);
}

// Attached. New capsule of a stream that begins anew, or NULL with an error set.
PyObject *pyarrow_stream_capsule(uint64_t number, PyObject *next) {
  struct ArrowArrayStream *stream = calloc(1, sizeof *stream);
  source *s = calloc(1, sizeof *s);
  if (!stream || !s) {
    free(stream);
    free(s);
    return PyErr_NoMemory();
  }
  *s = (source){.number = goArrowStream(number), .next = next, .interp = PyInterpreterState_Get()};
  Py_IncRef(next);
  *stream = (struct ArrowArrayStream){get_schema, get_next, get_last_error, release, s};
  PyObject *capsule = PyCapsule_New(stream, "arrow_array_stream", destroy_stream);
  if (capsule) return capsule;
  release(stream);
  free(stream);
  return NULL;
}

// Attached. Other threads run meanwhile, and what the stream needs of Python it takes itself.
int pyarrow_stream_schema(uintptr_t stream, uintptr_t out) {
  struct ArrowArrayStream *s = (void *)stream;
  PyThreadState *state = PyEval_SaveThread();
  int result = s->release ? s->get_schema(s, (void *)out) : ECANCELED;
  PyEval_RestoreThread(state);
  return result;
}

int pyarrow_stream_next(uintptr_t stream, uintptr_t out) {
  struct ArrowArrayStream *s = (void *)stream;
  PyThreadState *state = PyEval_SaveThread();
  int result = s->release ? s->get_next(s, (void *)out) : ECANCELED;
  PyEval_RestoreThread(state);
  return result;
}

const char *pyarrow_stream_error(uintptr_t stream) {
  struct ArrowArrayStream *s = (void *)stream;
  return s->release ? s->get_last_error(s) : "the stream was consumed by somebody else";
}

int pyarrow_is_released(uintptr_t array) { return ((struct ArrowArray *)array)->release == NULL; }
int pyarrow_schema_is_released(uintptr_t schema) { return ((struct ArrowSchema *)schema)->release == NULL; }

// An array on its way into Python. In a child that os.fork() made its release is nothing to Go.
static void release_array(struct ArrowArray *a) {
  struct ArrowArray *original = a->private_data;
  if (!pyarrow_forked()) original->release(original);
  free(original);
  a->release = NULL;
  a->private_data = NULL;
}

// Moves an array of Go to where Python wants it, and frees from.
void pyarrow_move(uintptr_t from, uintptr_t to) {
  struct ArrowArray *original = (void *)from, *a = (void *)to;
  *a = *original;
  a->release = release_array;
  a->private_data = original;
}

uintptr_t pyarrow_new_array(void) { return (uintptr_t)calloc(1, sizeof(struct ArrowArray)); }
uintptr_t pyarrow_new_schema(void) { return (uintptr_t)calloc(1, sizeof(struct ArrowSchema)); }
void pyarrow_free(uintptr_t p) { free((void *)p); }
