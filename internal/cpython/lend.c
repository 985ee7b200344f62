//go:build cgo && (linux || darwin)

#include "lend.h"

#include "_cgo_export.h"
#include "runtime.h"

// What Go's memory is lent for and the object through which Python reaches it both know the loan; who leaves last frees it.
typedef struct loan {
  uint64_t number; // Go's, for the memory
  uint32_t state;  // atomic
} loan;

enum {
  LENT,
  OVER, // what it was lent for is; the object holds the memory now
  GONE  // the object is: Python cannot reach the memory
};

// The object behind all views of one piece of Go's memory. They keep it alive, as do arrays that only note the address and
// whose memory it is. It holds no other object.
typedef struct memory {
  loan *loan;
  void *p;
  Py_ssize_t count, itemsize;
  const char *format;
  int writable;
} memory;

static memory *memory_of(PyObject *o) { return PyObject_GetTypeData(o, type_of(o)); }

// Attached. Returns 0, or -1 with BufferError set (PEP 3118).
static int get_buffer(PyObject *o, Py_buffer *view, int flags) {
  memory *m = memory_of(o);
  if (flags & PyBUF_WRITABLE && !m->writable) {
    view->obj = NULL;
    PyErr_SetString(PyExc(BufferError), "this memory of Go is read-only: lend it with py.LendWritable");
    return -1;
  }
  Py_IncRef(o);
  *view = (Py_buffer){.buf = m->p, .obj = o, .len = m->count * m->itemsize, .itemsize = m->itemsize,
                      .readonly = !m->writable, .ndim = 1};
  if (flags & PyBUF_FORMAT) view->format = (char *)m->format;
  if (flags & PyBUF_ND) view->shape = &m->count;
  if ((flags & PyBUF_STRIDES) == PyBUF_STRIDES) view->strides = &m->itemsize;
  return 0;
}

// Attached. Lets Go have its memory back if that was Python's to hold. An instance of a heap type owns a reference to it.
static void dealloc(PyObject *o) {
  loan *n = memory_of(o)->loan;
  if (n && __atomic_exchange_n(&n->state, GONE, __ATOMIC_ACQ_REL) == OVER) {
    if (n->number && !runtime_forked) goReleaseMemory(n->number);
    free(n);
  }
  PyObject *type = type_of(o);
  void (*release)(void *) = (void (*)(void *))PyType_GetSlot(type, Py_tp_free);
  release(o);
  Py_DecRef(type);
}

// Attached to a fresh interpreter, each of which has a class of its own. New reference, or NULL with an error set.
PyObject *lend_type(void) {
  PyType_Slot slots[] = {{Py_bf_getbuffer, (void *)get_buffer},
                         {Py_tp_dealloc, (void *)dealloc},
                         {Py_tp_doc, "Memory of the Go program, lent for a call."},
                         {0, NULL}};
  PyType_Spec spec = {.name = "go.Memory",
                      .basicsize = -(int)sizeof(memory), // behind the header, whatever its size (PEP 697)
                      .flags = Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
                      .slots = slots};
  return PyType_FromSpec(&spec);
}

// The formats of SPEC.md in Python's native notation, where 64 bits are a long if that has them: so numpy says int64.
static int describe(memory *m, int format) {
  const int wide = sizeof(long) == 8;
  switch (format) {
  case '?': m->format = "?"; m->itemsize = 1; return 0;
  case 'b': m->format = "b"; m->itemsize = 1; return 0;
  case 'B': m->format = "B"; m->itemsize = 1; return 0;
  case 'h': m->format = "h"; m->itemsize = 2; return 0;
  case 'H': m->format = "H"; m->itemsize = 2; return 0;
  case 'i': m->format = "i"; m->itemsize = 4; return 0;
  case 'I': m->format = "I"; m->itemsize = 4; return 0;
  case 'q': m->format = wide ? "l" : "q"; m->itemsize = 8; return 0;
  case 'Q': m->format = wide ? "L" : "Q"; m->itemsize = 8; return 0;
  case 'f': m->format = "f"; m->itemsize = 4; return 0;
  case 'd': m->format = "d"; m->itemsize = 8; return 0;
  case 'F': m->format = "Zf"; m->itemsize = 8; return 0;
  case 'D': m->format = "Zd"; m->itemsize = 16; return 0;
  default: return -1;
  }
}

// Attached. New memoryview over a new object, or NULL with an error set.
static PyObject *new_view(PyObject *type, const memory *m) {
  PyObject *o = PyType_GenericAlloc(type, 0);
  if (!o) return NULL;
  *memory_of(o) = *m;
  PyObject *view = PyMemoryView_FromObject(o);
  Py_DecRef(o);
  return view;
}

// Attached. Reads the payload of a memory. New memoryview, noted with the reader, or NULL with an error set.
PyObject *lend(reader *r, interp *in) {
  static char nothing[16] __attribute__((aligned(16)));
  uint64_t number = get_u64(r);
  memory m = {.p = (void *)(uintptr_t)get_u64(r)};
  m.count = (Py_ssize_t)get_u64(r);
  int format = get_u8(r);
  m.writable = get_u8(r) != 0;
  if (r->bad || describe(&m, format) < 0)
    return PyErr_Format(PyExc(SystemError), "the request from Go is malformed; please report this");
  if (!m.count) m.p = nothing;
  lent *l = calloc(1, sizeof *l);
  m.loan = calloc(1, sizeof *m.loan);
  if (!l || !m.loan) {
    PyErr_NoMemory();
  } else {
    m.loan->number = number;
    l->view = new_view(in->memory, &m);
  }
  if (!l || !l->view) {
    free(m.loan);
    free(l);
    return NULL;
  }
  l->loan = m.loan;
  l->next = *r->lent;
  *r->lent = l;
  Py_IncRef(l->view);
  return l->view;
}

static int is_gone(loan *n) { return __atomic_load_n(&n->state, __ATOMIC_ACQUIRE) == GONE; }

// Attached, no error set, and none afterwards. Ends the memoryview that Python was given; views derived from it are apart.
static void release_view(lent *l) {
  Py_DecRef(PyObject_CallMethod(l->view, "release", NULL));
  PyErr_Clear(); // somebody uses it at this moment
}

// Attached. Frees the loan, or leaves it and the memory to the object, and returns whether it did; Go is told first.
static int leave(loan *n) {
  if (!is_gone(n)) {
    if (n->number) goKeepMemory(n->number);
    uint32_t state = LENT;
    if (__atomic_compare_exchange_n(&n->state, &state, OVER, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return 1;
    if (n->number) goReleaseMemory(n->number); // it went meanwhile
  }
  free(n);
  return 0;
}

// Attached. Sets the error of a view that Python keeps. Returns -1.
int lent_kept(void) {
  PyErr_SetString(PyExc(BufferError), "Python keeps a view of memory that Go lent for the call: copy what is to be kept, as "
                                      "with bytes(view) or array.copy()");
  return -1;
}

// Attached, no error set. Ends what was lent, after one more garbage collection if need be. Returns 0, or -1 with
// BufferError set: Python can still reach some, which stays until it no longer can.
int lent_end(lent **all) {
  int in_use = 0, kept = 0;
  for (lent *l = *all; l; l = l->next) {
    release_view(l);
    in_use |= !is_gone(l->loan);
  }
  if (in_use) PyGC_Collect();
  while (*all) {
    lent *l = *all;
    *all = l->next;
    if (in_use) release_view(l);
    Py_DecRef(l->view);
    kept |= leave(l->loan);
    free(l);
  }
  return kept ? lent_kept() : 0;
}
