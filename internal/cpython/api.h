// The part of CPython's C API that this package uses, resolved at run time with dlsym, under CPython's own names so
// that its documentation can be searched. Only opaque types and calling conventions that are stable from 3.12 on are
// declared here; no layout of a Python object is assumed.
#ifndef PY_API_H
#define PY_API_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <wchar.h>

// Go links with -rdynamic: without this an extension module would find our pointers instead of CPython's functions.
#define HIDDEN __attribute__((visibility("hidden")))

typedef struct _object PyObject;
typedef struct _ts PyThreadState;
typedef struct _is PyInterpreterState;
typedef struct PyInitConfig PyInitConfig;
typedef ssize_t Py_ssize_t;

typedef PyObject *(*PyCFunction)(PyObject *self, PyObject *args);
typedef PyObject *(*PyCFunctionFastWithKeywords)(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                                 PyObject *kwnames);
typedef void (*PyCapsule_Destructor)(PyObject *);

typedef struct {
  const char *ml_name;
  PyCFunction ml_meth;
  int ml_flags;
  const char *ml_doc;
} PyMethodDef;

// PEP 3118. The layout is part of the stable ABI since 3.11.
typedef struct {
  void *buf;
  PyObject *obj;
  Py_ssize_t len, itemsize;
  int readonly, ndim;
  char *format;
  Py_ssize_t *shape, *strides, *suboffsets;
  void *internal;
} Py_buffer;

#define PyBUF_WRITABLE 0x0001
#define PyBUF_FORMAT 0x0004
#define PyBUF_ND 0x0008
#define PyBUF_STRIDES (0x0010 | PyBUF_ND)
#define PyBUF_FULL_RO (0x0100 | PyBUF_STRIDES | PyBUF_FORMAT)

// PEP 384: the stable ABI's description of a class.
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

#define Py_bf_getbuffer 1
#define Py_tp_base 48
#define Py_tp_dealloc 52
#define Py_tp_doc 56
#define Py_tp_getattro 58
#define Py_tp_new 65
#define Py_tp_free 74
#define Py_TPFLAGS_DISALLOW_INSTANTIATION (1u << 7)
#define Py_TPFLAGS_IMMUTABLETYPE (1u << 8)

#define METH_VARARGS 0x0001
#define METH_O 0x0008
#define METH_NOARGS 0x0004
#define METH_FASTCALL 0x0080
#define METH_KEYWORDS 0x0002

// PEP 587 and PEP 684: both are part of the documented API and have had this shape since 3.12.
typedef struct {
  int type;
  const char *func;
  const char *err_msg;
  int exitcode;
} PyStatus;

typedef struct {
  int use_main_obmalloc;
  int allow_fork;
  int allow_exec;
  int allow_threads;
  int allow_daemon_threads;
  int check_multi_interp_extensions;
  int gil;
} PyInterpreterConfig;

#define PyInterpreterConfig_SHARED_GIL 1
#define PyInterpreterConfig_OWN_GIL 2

#define Py_eval_input 258
#define Py_file_input 257
#define PY_VECTORCALL_ARGUMENTS_OFFSET ((size_t)1 << (8 * sizeof(size_t) - 1))

// F: needed. O: only in some versions; NULL where absent. D: a data symbol.
#define PY_API(F, O, D)                                                                                               \
  F(const char *, Py_GetVersion, (void))                                                                              \
  F(void, Py_InitializeEx, (int))                                                                                     \
  F(int, Py_IsInitialized, (void))                                                                                    \
  F(void, Py_IncRef, (PyObject *))                                                                                    \
  F(void, Py_DecRef, (PyObject *))                                                                                    \
  F(PyThreadState *, PyEval_SaveThread, (void))                                                                       \
  F(void, PyEval_RestoreThread, (PyThreadState *))                                                                    \
  F(PyObject *, PyEval_EvalCode, (PyObject *, PyObject *, PyObject *))                                                \
  F(PyThreadState *, PyThreadState_New, (PyInterpreterState *))                                                       \
  F(PyThreadState *, PyThreadState_Get, (void))                                                                       \
  F(PyThreadState *, PyThreadState_Swap, (PyThreadState *))                                                           \
  F(void, PyThreadState_Clear, (PyThreadState *))                                                                     \
  F(void, PyThreadState_DeleteCurrent, (void))                                                                        \
  F(int, PyThreadState_SetAsyncExc, (unsigned long, PyObject *))                                                      \
  F(unsigned long, PyThread_get_thread_ident, (void))                                                                 \
  F(PyInterpreterState *, PyInterpreterState_Main, (void))                                                            \
  F(PyInterpreterState *, PyInterpreterState_Get, (void))                                                             \
  F(int64_t, PyInterpreterState_GetID, (PyInterpreterState *))                                                        \
  F(PyThreadState *, PyInterpreterState_ThreadHead, (PyInterpreterState *))                                           \
  F(PyThreadState *, PyThreadState_Next, (PyThreadState *))                                                           \
  F(PyObject *, PyThreadState_GetFrame, (PyThreadState *))                                                            \
  F(PyObject *, PyFrame_GetCode, (PyObject *))                                                                        \
  F(PyObject *, PyFrame_GetBack, (PyObject *))                                                                        \
  F(PyObject *, PyFrame_GetVarString, (PyObject *, const char *))                                                     \
  F(PyStatus, Py_NewInterpreterFromConfig, (PyThreadState **, const PyInterpreterConfig *))                           \
  F(void, Py_EndInterpreter, (PyThreadState *))                                                                       \
  F(PyObject *, PyImport_Import, (PyObject *))                                                                        \
  F(PyObject *, PyImport_ImportModule, (const char *))                                                                \
  F(PyObject *, PySys_GetObject, (const char *))                                                                      \
  F(PyObject *, PyImport_AddModule, (const char *))                                                                   \
  F(PyObject *, PyImport_GetModuleDict, (void))                                                                       \
  F(PyObject *, PyModule_GetDict, (PyObject *))                                                                       \
  F(PyObject *, PyModule_New, (const char *))                                                                         \
  F(int, PyDict_Contains, (PyObject *, PyObject *))                                                                   \
  F(PyObject *, Py_CompileString, (const char *, const char *, int))                                                  \
  F(PyObject *, PyMarshal_ReadObjectFromString, (const char *, Py_ssize_t))                                           \
  F(PyObject *, PyCFunction_NewEx, (PyMethodDef *, PyObject *, PyObject *))                                           \
  F(PyObject *, PyCFunction_GetSelf, (PyObject *))                                                                    \
  F(PyObject *, PyCapsule_New, (void *, const char *, PyCapsule_Destructor))                                          \
  F(void *, PyCapsule_GetPointer, (PyObject *, const char *))                                                         \
  F(int, PyCapsule_IsValid, (PyObject *, const char *))                                                               \
  F(PyObject *, PyFunction_New, (PyObject *, PyObject *))                                                             \
  F(PyObject *, PyObject_Vectorcall, (PyObject *, PyObject *const *, size_t, PyObject *))                             \
  F(PyObject *, PyObject_CallFunctionObjArgs, (PyObject *, ...))                                                      \
  F(PyObject *, PyObject_CallMethod, (PyObject *, const char *, const char *, ...))                                   \
  F(PyObject *, PyObject_CallOneArg, (PyObject *, PyObject *))                                                        \
  F(PyObject *, PyObject_CallNoArgs, (PyObject *))                                                                    \
  F(PyObject *, PyObject_GetAttr, (PyObject *, PyObject *))                                                           \
  F(PyObject *, PyObject_GetAttrString, (PyObject *, const char *))                                                   \
  F(PyObject *, PyObject_GenericGetAttr, (PyObject *, PyObject *))                                                    \
  F(int, PyObject_SetAttr, (PyObject *, PyObject *, PyObject *))                                                      \
  F(PyObject *, PyObject_GetItem, (PyObject *, PyObject *))                                                           \
  F(int, PyObject_SetItem, (PyObject *, PyObject *, PyObject *))                                                      \
  F(Py_ssize_t, PyObject_Size, (PyObject *))                                                                          \
  F(int, PyObject_DelItem, (PyObject *, PyObject *))                                                                  \
  F(int, PySequence_Contains, (PyObject *, PyObject *))                                                               \
  F(PyObject *, PyObject_RichCompare, (PyObject *, PyObject *, int))                                                  \
  F(int, PyObject_IsTrue, (PyObject *))                                                                               \
  F(int, PyObject_IsInstance, (PyObject *, PyObject *))                                                               \
  F(Py_ssize_t, PyObject_Hash, (PyObject *))                                                                          \
  F(PyObject *, PyObject_Dir, (PyObject *))                                                                           \
  F(PyObject *, PyObject_VectorcallMethod, (PyObject *, PyObject *const *, size_t, PyObject *))                       \
  F(PyObject *, PyObject_Str, (PyObject *))                                                                           \
  F(PyObject *, PyObject_Repr, (PyObject *))                                                                          \
  F(PyObject *, PyObject_GetIter, (PyObject *))                                                                       \
  F(PyObject *, PyIter_Next, (PyObject *))                                                                            \
  F(int, PyType_IsSubtype, (PyObject *, PyObject *))                                                                  \
  F(PyObject *, PyType_FromSpec, (PyType_Spec *))                                                                     \
  F(PyObject *, PyType_GenericAlloc, (PyObject *, Py_ssize_t))                                                        \
  F(void *, PyType_GetSlot, (PyObject *, int))                                                                        \
  F(void *, PyObject_GetTypeData, (PyObject *, PyObject *))                                                           \
  F(PyObject *, PyMemoryView_FromObject, (PyObject *))                                                                \
  F(int, PyObject_GetBuffer, (PyObject *, Py_buffer *, int))                                                          \
  F(void, PyBuffer_Release, (Py_buffer *))                                                                            \
  F(PyObject *, Py_BuildValue, (const char *, ...))                                                                   \
  F(Py_ssize_t, PyGC_Collect, (void))                                                                                 \
  F(PyObject *, PyObject_Type, (PyObject *))                                                                          \
  F(PyObject *, PyLong_FromLongLong, (long long))                                                                     \
  F(PyObject *, PyLong_FromUnsignedLongLong, (unsigned long long))                                                    \
  F(long long, PyLong_AsLongLongAndOverflow, (PyObject *, int *))                                                     \
  F(long long, PyLong_AsLongLong, (PyObject *))                                                                       \
  F(PyObject *, PyFloat_FromDouble, (double))                                                                         \
  F(double, PyFloat_AsDouble, (PyObject *))                                                                           \
  F(PyObject *, PyBool_FromLong, (long))                                                                              \
  F(PyObject *, PyUnicode_FromStringAndSize, (const char *, Py_ssize_t))                                              \
  F(PyObject *, PyUnicode_FromObject, (PyObject *))                                                                   \
  F(PyObject *, PyUnicode_FromString, (const char *))                                                                 \
  F(PyObject *, PyUnicode_InternFromString, (const char *))                                                           \
  F(void, PyUnicode_InternInPlace, (PyObject **))                                                                     \
  F(const char *, PyUnicode_AsUTF8AndSize, (PyObject *, Py_ssize_t *))                                                \
  F(Py_ssize_t, PyUnicode_GetLength, (PyObject *))                                                                    \
  F(PyObject *, PyUnicode_AsUTF8String, (PyObject *))                                                                 \
  F(PyObject *, PyBytes_FromStringAndSize, (const char *, Py_ssize_t))                                                \
  F(int, PyBytes_AsStringAndSize, (PyObject *, char **, Py_ssize_t *))                                                \
  F(PyObject *, PyList_New, (Py_ssize_t))                                                                             \
  F(Py_ssize_t, PyList_Size, (PyObject *))                                                                            \
  F(PyObject *, PyList_GetItem, (PyObject *, Py_ssize_t))                                                             \
  F(int, PyList_SetItem, (PyObject *, Py_ssize_t, PyObject *))                                                        \
  F(PyObject *, PyTuple_New, (Py_ssize_t))                                                                            \
  F(Py_ssize_t, PyTuple_Size, (PyObject *))                                                                           \
  F(PyObject *, PyTuple_GetItem, (PyObject *, Py_ssize_t))                                                            \
  F(int, PyTuple_SetItem, (PyObject *, Py_ssize_t, PyObject *))                                                       \
  F(PyObject *, PyTuple_GetSlice, (PyObject *, Py_ssize_t, Py_ssize_t))                                               \
  F(PyObject *, PyDict_New, (void))                                                                                   \
  F(PyObject *, PyDict_Copy, (PyObject *))                                                                            \
  F(int, PyDict_SetItem, (PyObject *, PyObject *, PyObject *))                                                        \
  F(int, PyDict_SetItemString, (PyObject *, const char *, PyObject *))                                                \
  F(PyObject *, PyDict_GetItemWithError, (PyObject *, PyObject *))                                                    \
  F(PyObject *, PyDict_GetItemString, (PyObject *, const char *))                                                     \
  F(int, PyDict_Next, (PyObject *, Py_ssize_t *, PyObject **, PyObject **))                                           \
  F(Py_ssize_t, PyDict_Size, (PyObject *))                                                                            \
  F(void, PyDict_Clear, (PyObject *))                                                                                 \
  F(PyObject *, PySet_New, (PyObject *))                                                                              \
  F(PyObject *, PyFrozenSet_New, (PyObject *))                                                                        \
  F(int, PySet_Add, (PyObject *, PyObject *))                                                                         \
  F(Py_ssize_t, PySet_Size, (PyObject *))                                                                             \
  F(PyObject *, PyErr_Occurred, (void))                                                                               \
  F(void, PyErr_Clear, (void))                                                                                        \
  F(void, PyErr_SetNone, (PyObject *))                                                                                \
  F(void, PyErr_SetString, (PyObject *, const char *))                                                                \
  F(PyObject *, PyErr_Format, (PyObject *, const char *, ...))                                                        \
  F(void, PyErr_SetObject, (PyObject *, PyObject *))                                                                  \
  F(int, PyErr_ExceptionMatches, (PyObject *))                                                                        \
  F(int, PyErr_GivenExceptionMatches, (PyObject *, PyObject *))                                                       \
  F(PyObject *, PyErr_NoMemory, (void))                                                                               \
  F(PyObject *, PyErr_GetRaisedException, (void))                                                                     \
  F(void, PyErr_SetRaisedException, (PyObject *))                                                                     \
  F(PyObject *, PyErr_GetHandledException, (void))                                                                    \
  F(void, PyErr_SetHandledException, (PyObject *))                                                                    \
  F(void, PyErr_WriteUnraisable, (PyObject *))                                                                        \
  F(PyObject *, PyContext_New, (void))                                                                                \
  F(PyObject *, PyContext_Copy, (PyObject *))                                                                         \
  F(PyObject *, PyContext_CopyCurrent, (void))                                                                        \
  F(int, PyContext_Enter, (PyObject *))                                                                               \
  F(int, PyContext_Exit, (PyObject *))                                                                                \
  F(void, Py_SetRecursionLimit, (int))                                                                                \
  O(PyObject *, PyList_GetItemRef, (PyObject *, Py_ssize_t))                                                          \
  O(int, PyDict_GetItemRef, (PyObject *, PyObject *, PyObject **))                                                    \
  O(int, PyObject_GetOptionalAttr, (PyObject *, PyObject *, PyObject **))                                             \
  O(PyInitConfig *, PyInitConfig_Create, (void))                                                                      \
  O(void, PyInitConfig_Free, (PyInitConfig *))                                                                        \
  O(int, PyInitConfig_SetInt, (PyInitConfig *, const char *, int64_t))                                                \
  O(int, PyInitConfig_SetStr, (PyInitConfig *, const char *, const char *))                                           \
  O(int, PyInitConfig_GetError, (PyInitConfig *, const char **))                                                      \
  O(int, Py_InitializeFromInitConfig, (PyInitConfig *))                                                               \
  O(void, Py_SetPythonHome, (const wchar_t *))                                                                        \
  O(void, Py_SetProgramName, (const wchar_t *))                                                                       \
  O(int, Py_IsFinalizing, (void))                                                                                     \
  O(void, _PyEval_StopTheWorld, (PyInterpreterState *))                                                               \
  O(void, _PyEval_StartTheWorld, (PyInterpreterState *))                                                              \
  D(PyObject, _Py_NoneStruct)                                                                                         \
  D(PyObject, _Py_TrueStruct)                                                                                         \
  D(PyObject, _Py_FalseStruct)                                                                                        \
  D(PyObject, PyType_Type)                                                                                            \
  D(PyObject, PyLong_Type)                                                                                            \
  D(PyObject, PyFloat_Type)                                                                                           \
  D(PyObject, PyUnicode_Type)                                                                                         \
  D(PyObject, PyBytes_Type)                                                                                           \
  D(PyObject, PyList_Type)                                                                                            \
  D(PyObject, PyTuple_Type)                                                                                           \
  D(PyObject, PyDict_Type)                                                                                            \
  D(PyObject, PySet_Type)                                                                                             \
  D(PyObject, PyFrozenSet_Type)                                                                                       \
  D(PyObject, PyModule_Type)                                                                                          \
  D(PyObject, PyCode_Type)                                                                                            \
  D(PyObject *, PyExc_TypeError)                                                                                      \
  D(PyObject *, PyExc_ValueError)                                                                                     \
  D(PyObject *, PyExc_RuntimeError)                                                                                   \
  D(PyObject *, PyExc_RecursionError)                                                                                 \
  D(PyObject *, PyExc_AttributeError)                                                                                 \
  D(PyObject *, PyExc_LookupError)                                                                                    \
  D(PyObject *, PyExc_MemoryError)                                                                                    \
  D(PyObject *, PyExc_SystemError)                                                                                    \
  D(PyObject *, PyExc_BufferError)                                                                                    \
  D(PyObject *, PyExc_OverflowError)                                                                                  \
  D(PyObject *, PyExc_UnicodeEncodeError)                                                                             \
  D(PyObject *, PyExc_BaseException)

#define DECLARE_F(ret, name, args) extern HIDDEN ret(*name) args;
#define DECLARE_D(type, name) extern HIDDEN type *p_##name;
PY_API(DECLARE_F, DECLARE_F, DECLARE_D)

#define Py_None (p__Py_NoneStruct)
#define Py_True (p__Py_TrueStruct)
#define Py_False (p__Py_FalseStruct)
#define PyExc(name) (*p_PyExc_##name)
#define EXACT(name) (p_Py##name##_Type)

// The offset of an object's type pointer, learnt from real objects when CPython is loaded: it differs between the GIL
// and the free-threaded builds.
extern HIDDEN size_t api_type_offset;
extern HIDDEN int api_free_threaded;
extern HIDDEN int api_version; // 0x030E for 3.14

static inline PyObject *type_of(PyObject *o) { return *(PyObject **)((char *)o + api_type_offset); }

// Attached, no error set. New reference to an item of a dict that may change meanwhile, or NULL; an error may be set then.
static inline PyObject *dict_item(PyObject *dict, PyObject *key) {
  PyObject *item = NULL;
  if (PyDict_GetItemRef) PyDict_GetItemRef(dict, key, &item);
  else Py_IncRef(item = PyDict_GetItemWithError(dict, key));
  return item;
}

// Attached, no error set. New reference to an item of a list that may change meanwhile, or NULL with an error set.
static inline PyObject *list_item(PyObject *list, Py_ssize_t i) {
  if (PyList_GetItemRef) return PyList_GetItemRef(list, i);
  PyObject *item = PyList_GetItem(list, i);
  Py_IncRef(item);
  return item;
}

HIDDEN const char *api_load(const char *library);
HIDDEN const char *api_learn_layout(void);
HIDDEN void *api_symbol(const char *name); // NULL where this version has none

#endif
