#ifndef PY_ARROW_PYTHON_H
#define PY_ARROW_PYTHON_H

#include "abi.h"

// Go links with -rdynamic: without this an extension module would find our pointers instead of CPython's functions.
#define HIDDEN __attribute__((visibility("hidden")))

typedef struct _object PyObject;
typedef struct _ts PyThreadState;
typedef struct _is PyInterpreterState;

// PEP 384.
typedef struct {
  int slot;
  void *pfunc;
} PyType_Slot;

typedef struct {
  const char *name;
  int basicsize, itemsize;
  unsigned int flags;
  PyType_Slot *slots;
} PyType_Spec;

typedef struct {
  const char *ml_name;
  void *ml_meth;
  int ml_flags;
  const char *ml_doc;
} PyMethodDef;

#define Py_tp_dealloc 52
#define Py_tp_doc 56
#define Py_tp_methods 64
#define Py_tp_free 74
#define Py_TPFLAGS_DISALLOW_INSTANTIATION (1u << 7)
#define Py_TPFLAGS_IMMUTABLETYPE (1u << 8)
#define METH_NOARGS 0x0004
#define METH_FASTCALL 0x0080
#define METH_KEYWORDS 0x0002

#define PYTHON_API(F)                                                              \
  F(PyObject *, PyCapsule_New, (void *, const char *, void (*)(PyObject *)))       \
  F(int, PyCapsule_IsValid, (PyObject *, const char *))                            \
  F(void *, PyCapsule_GetPointer, (PyObject *, const char *))                      \
  F(PyObject *, PyType_FromSpec, (PyType_Spec *))                                  \
  F(PyObject *, PyType_GenericAlloc, (PyObject *, ssize_t))                        \
  F(void *, PyType_GetSlot, (PyObject *, int))                                     \
  F(void *, PyObject_GetTypeData, (PyObject *, PyObject *))                        \
  F(PyObject *, PyObject_Type, (PyObject *))                                       \
  F(PyObject *, PyObject_Str, (PyObject *))                                        \
  F(PyObject *, PyObject_CallOneArg, (PyObject *, PyObject *))                     \
  F(const char *, PyUnicode_AsUTF8AndSize, (PyObject *, ssize_t *))                \
  F(PyObject *, PyLong_FromUnsignedLongLong, (unsigned long long))                 \
  F(PyObject *, PyTuple_New, (ssize_t))                                            \
  F(int, PyTuple_SetItem, (PyObject *, ssize_t, PyObject *))                       \
  F(PyObject *, PyDict_GetItemString, (PyObject *, const char *))                  \
  F(int, PyDict_SetItemString, (PyObject *, const char *, PyObject *))             \
  F(PyObject *, PyErr_NoMemory, (void))                                            \
  F(PyObject *, PyErr_GetRaisedException, (void))                                  \
  F(void, PyErr_SetString, (PyObject *, const char *))                             \
  F(int, PyErr_ExceptionMatches, (PyObject *))                                     \
  F(void, PyErr_WriteUnraisable, (PyObject *))                                     \
  F(void, PyErr_Clear, (void))                                                     \
  F(PyInterpreterState *, PyInterpreterState_Get, (void))                          \
  F(PyInterpreterState *, PyInterpreterState_Main, (void))                         \
  F(PyObject *, PyInterpreterState_GetDict, (PyInterpreterState *))                \
  F(PyInterpreterState *, PyThreadState_GetInterpreter, (PyThreadState *))         \
  F(PyThreadState *, PyGILState_GetThisThreadState, (void))                        \
  F(int, PyGILState_Ensure, (void))                                                \
  F(void, PyGILState_Release, (int))                                               \
  F(PyThreadState *, PyEval_SaveThread, (void))                                    \
  F(void, PyEval_RestoreThread, (PyThreadState *))                                 \
  F(void, Py_IncRef, (PyObject *))                                                 \
  F(void, Py_DecRef, (PyObject *))

// For the linker they have other names: the C of all packages of a program has one namespace, and internal/cpython these.
#define DECLARE(type, name, args) extern HIDDEN type(*name) args __asm__("pyarrow_" #name);
PYTHON_API(DECLARE)
#undef DECLARE
extern HIDDEN PyObject **pyarrow_runtime_error, **pyarrow_keyboard_interrupt;

// python.c
HIDDEN int pyarrow_forked(void);
HIDDEN char *pyarrow_take_error(void);

// stream.c
HIDDEN PyObject *pyarrow_stream_capsule(uint64_t number, PyObject *next);

#endif
