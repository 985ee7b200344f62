//go:build cgo && (linux || darwin)

// What the frames of a thread that is about to be interrupted tell. Whoever looks has another thread state and keeps the
// interpreter's lock all the while, or has stopped the threads that have none (hold_still), so that the thread stands still, and that no
// object that it lets go of ends here: none of this runs Python code.
#include "context.h"

#include <sys/socket.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

// Attached, no error set, and none afterwards. Whether a text attribute is the given text, or begins with it.
static int begins(PyObject *o, const char *with, size_t n) {
  const char *p = o && type_of(o) == EXACT(Unicode) ? PyUnicode_AsUTF8AndSize(o, NULL) : NULL;
  PyErr_Clear();
  return p && strncmp(p, with, n) == 0;
}

// Attached, no error set, and none afterwards. Whether an attribute of a frame's code is that text.
static int code_has(PyObject *frame, const char *attribute, const char *text) {
  PyObject *code = PyFrame_GetCode(frame);
  PyObject *value = code ? PyObject_GetAttrString(code, attribute) : NULL;
  int result = begins(value, text, strlen(text) + 1);
  Py_DecRef(value);
  Py_DecRef(code);
  return result;
}

// Attached, no error set, and none afterwards. Whether a frame's code is of a module whose name begins so.
static int is_of(PyObject *frame, const char *module) {
  PyObject *globals = frame ? PyObject_GetAttrString(frame, "f_globals") : NULL;
  PyObject *key = globals ? PyUnicode_FromString("__name__") : NULL, *name = key ? dict_item(globals, key) : NULL;
  int result = begins(name, module, strlen(module));
  PyErr_Clear();
  Py_DecRef(name);
  Py_DecRef(key);
  Py_DecRef(globals);
  return result;
}

// Attached, no error set, and none afterwards. Whether a frame's code is importlib's, which an exception out of nowhere can leave
// with the lock of a module taken for ever.
static int is_importlib(PyObject *frame) { return code_has(frame, "co_filename", "<frozen importlib._bootstrap>"); }

// Attached. Steals frame. New reference to the one behind it, or NULL.
static PyObject *behind(PyObject *frame) {
  PyObject *back = PyFrame_GetBack(frame);
  Py_DecRef(frame);
  return back;
}

// Attached, no error set, and none afterwards. Whether a frame's code is asyncio's, or what that waits in, opens and closes: it can lose
// track of a task over an exception out of nowhere, and wait for it for ever.
static int is_asyncio(PyObject *frame) {
  Py_IncRef(frame);
  while (is_of(frame, "selectors") || is_of(frame, "socket")) frame = behind(frame);
  int result = is_of(frame, "asyncio.");
  Py_DecRef(frame);
  return result;
}

#define DEEPEST 256

// Attached, no error set, and none afterwards. Whether a frame is within an import: of a package that is not there as a whole,
// half may stay, so that it cannot be imported again.
static int is_within_import(PyObject *frame) {
  int result = 0;
  Py_IncRef(frame);
  for (int i = 0; i < DEEPEST && frame && !result; i++) {
    result = is_importlib(frame);
    frame = behind(frame);
  }
  Py_DecRef(frame);
  return result;
}

// Attached, a moment detached. From here to let_go_on no other thread of the interpreter runs Python code. Without an interpreter lock
// that is what its garbage collector has.
void hold_still(lane *l) {
  if (api_free_threaded && _PyEval_StopTheWorld) _PyEval_StopTheWorld(l->context->interp->state);
}

// Attached.
void let_go_on(lane *l) {
  if (api_free_threaded && _PyEval_StopTheWorld) _PyEval_StartTheWorld(l->context->interp->state);
}

// Attached. New reference to the frame on top of the lane's thread, which stands still or is this one; or NULL. CPython 3.13 without an
// interpreter lock lets nobody stop it.
static PyObject *top_frame(lane *l) {
  int stands = !api_free_threaded || _PyEval_StopTheWorld || lane_current() == l;
  return stands ? PyThreadState_GetFrame(l->state) : NULL;
}

// Attached. Whether an interrupt has to wait for what is on top; in the last try not for an import, which may never end.
int has_to_wait(lane *l, int last) {
  PyObject *frame = top_frame(l);
  int result = frame && (is_importlib(frame) || is_asyncio(frame) || (!last && is_within_import(frame)));
  Py_DecRef(frame);
  return result;
}

// Attached. Steals runner, which may be NULL. New reference to the loop of an asyncio.Runner, or NULL.
static PyObject *loop_within(PyObject *runner) {
  PyObject *loop = runner ? PyObject_GetAttrString(runner, "_loop") : NULL;
  Py_DecRef(runner);
  return loop;
}

// Attached. New reference to the event loop of asyncio that runs nearest to the top, or, where asyncio runs another one, to that; or
// NULL.
static PyObject *loop_of(lane *l) {
  int is_there = PyDict_GetItemString(l->context->interp->modules, "asyncio.base_events") != NULL;
  PyObject *frame = is_there ? top_frame(l) : NULL, *loop = NULL; // each frame costs memory, and some are deep
  while (frame && !loop) {
    if (code_has(frame, "co_name", "run_forever") && is_of(frame, "asyncio.")) loop = PyFrame_GetVarString(frame, "self");
    else if (code_has(frame, "co_name", "run") && is_of(frame, "asyncio.runners")) loop = loop_within(PyFrame_GetVarString(frame, "self"));
    PyErr_Clear();
    frame = behind(frame);
  }
  Py_DecRef(frame);
  return loop;
}

// Attached, no error set, and none afterwards. Whether an object's class is of a module whose name begins so.
static int is_object_of(PyObject *o, const char *module) {
  PyObject *name = o ? PyObject_GetAttrString((PyObject *)type_of(o), "__module__") : NULL;
  int result = begins(name, module, strlen(module));
  Py_DecRef(name);
  return result;
}

// Attached, no error set, and none afterwards. New reference to an attribute of an object of a class of that module, or NULL. What
// the object's own class has to say of its attributes is Python code, and not asked.
static PyObject *attribute_of(PyObject *o, const char *name, const char *module) {
  PyObject *key = PyUnicode_FromString(name), *value = key ? PyObject_GenericGetAttr(o, key) : NULL;
  PyErr_Clear();
  Py_DecRef(key);
  if (is_object_of(value, module)) return value;
  Py_DecRef(value);
  return NULL;
}

// Attached, no error set, and none afterwards. Puts the bell where uvloop has what its loop is to call, in C that keeps the lock.
static int put_in_uvloop(PyObject *loop, PyObject *bell) {
  PyObject *debugs = PyObject_CallMethod(loop, "get_debug", NULL); // it looks for the caller's lines then
  PyObject *run = debugs == Py_False ? PyObject_GetAttrString(bell, "_run") : NULL;
  PyObject *handle = run ? PyObject_CallMethod(loop, "call_soon_threadsafe", "O", run) : NULL;
  PyErr_Clear();
  Py_DecRef(debugs);
  Py_DecRef(run);
  Py_DecRef(handle);
  return handle != NULL;
}

// Attached, no error set, and none afterwards. Does what the loop's call_soon_threadsafe does, which is Python code but in uvloop.
// Returns whether the loop has the bell.
static int put_bell(PyObject *loop, PyObject *bell) {
  if (is_object_of(loop, "uvloop")) return put_in_uvloop(loop, bell);
  PyObject *ready = attribute_of(loop, "_ready", "collections"), *socket = ready ? attribute_of(loop, "_csock", "socket") : NULL;
  PyObject *number = socket ? PyObject_CallMethod(socket, "fileno", NULL) : NULL;
  int fd = number ? (int)PyLong_AsLongLong(number) : -1;
  PyObject *put = fd >= 0 ? PyObject_CallMethod(ready, "append", "O", bell) : NULL;
  if (put) send(fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL); // where there is no room, the loop is about to wake up
  PyErr_Clear();
  Py_DecRef(ready);
  Py_DecRef(socket);
  Py_DecRef(number);
  Py_DecRef(put);
  return put != NULL;
}

// Attached. Rings at the event loop that runs on the thread, which then asks for the request that it runs in. Returns whether there is
// one.
int ring(lane *l) {
  PyObject *loop = loop_of(l);
  int result = loop && put_bell(loop, l->context->interp->bell);
  Py_DecRef(loop);
  return result;
}
