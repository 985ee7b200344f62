//go:build cgo && (linux || darwin)

#include "lend.h"

#include "_cgo_export.h"
#include "runtime.h"

// The object behind the memoryviews of one piece of Go's memory. It counts the views that Python has of it, and gives out
// no more once what the memory was lent for is over. It holds no other object.
typedef struct memory {
  uint64_t number; // Go's, for the memory
  void *p;
  Py_ssize_t count, itemsize;
  const char *format;
  int writable;
  uint64_t state; // atomic: twice the number of views, and OVER
} memory;

#define OVER 1

static memory *memory_of(PyObject *o) { return PyObject_GetTypeData(o, type_of(o)); }

// Attached. Counts one view in. Returns 0, or -1 when it is over.
static int add_view(memory *m) {
  uint64_t state = __atomic_load_n(&m->state, __ATOMIC_RELAXED);
  do {
    if (state & OVER) return -1;
  } while (!__atomic_compare_exchange_n(&m->state, &state, state + 2, 1, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
  return 0;
}

// Attached. Returns 0, or -1 with BufferError set (PEP 3118).
static int get_buffer(PyObject *o, Py_buffer *view, int flags) {
  memory *m = memory_of(o);
  const char *problem = NULL;
  if (flags & PyBUF_WRITABLE && !m->writable) problem = "this memory of Go is read-only: lend it with py.LendWritable";
  else if (add_view(m) < 0) problem = "this memory was Go's, lent for a call that is over";
  if (problem) {
    view->obj = NULL;
    PyErr_SetString(PyExc(BufferError), problem);
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

// Attached. The last view of memory that outlived what it was lent for lets Go have it back.
static void release_buffer(PyObject *o, Py_buffer *view) {
  (void)view;
  memory *m = memory_of(o);
  if (__atomic_sub_fetch(&m->state, 2, __ATOMIC_ACQ_REL) == OVER && !runtime_forked) goReleaseMemory(m->number);
}

// Attached. An instance of a heap type owns a reference to it.
static void dealloc(PyObject *o) {
  PyObject *type = type_of(o);
  void (*release)(void *) = (void (*)(void *))PyType_GetSlot(type, Py_tp_free);
  release(o);
  Py_DecRef(type);
}

// Attached to a fresh interpreter, each of which has a class of its own. New reference, or NULL with an error set.
PyObject *lend_type(void) {
  PyType_Slot slots[] = {{Py_bf_getbuffer, (void *)get_buffer},
                         {Py_bf_releasebuffer, (void *)release_buffer},
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

// Attached. Reads the payload of a memory. New memoryview, noted with the reader, or NULL with an error set.
PyObject *lend(reader *r, interp *in) {
  static char nothing[16] __attribute__((aligned(16)));
  memory read = {.number = get_u64(r)};
  read.p = (void *)(uintptr_t)get_u64(r);
  read.count = (Py_ssize_t)get_u64(r);
  int format = get_u8(r);
  read.writable = get_u8(r) != 0;
  if (r->bad || describe(&read, format) < 0)
    return PyErr_Format(PyExc(SystemError), "the request from Go is malformed; please report this");
  if (!read.p) read.p = nothing;
  lent *l = calloc(1, sizeof *l);
  if (!l) return PyErr_NoMemory();
  l->memory = PyType_GenericAlloc(in->memory, 0);
  if (l->memory) {
    *memory_of(l->memory) = read;
    l->view = PyMemoryView_FromObject(l->memory);
  }
  if (!l->view) {
    Py_DecRef(l->memory);
    free(l);
    return NULL;
  }
  l->next = *r->lent;
  *r->lent = l;
  Py_IncRef(l->view);
  return l->view;
}

// Attached, no error set, and none afterwards. Ends the memoryview that Python was given; views derived from it are apart.
static void release_view(lent *l) {
  Py_DecRef(PyObject_CallMethod(l->view, "release", NULL));
  PyErr_Clear(); // somebody uses it at this moment
}

// Attached. Lets no more views begin. Returns whether Python still has some; Go is told first to keep the memory for them.
static int is_kept(memory *m) {
  uint64_t state = __atomic_load_n(&m->state, __ATOMIC_ACQUIRE);
  int kept = 0;
  do {
    if (state && !kept) goKeepMemory(m->number);
    kept |= state != 0;
  } while (!__atomic_compare_exchange_n(&m->state, &state, state | OVER, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
  if (kept && !state) goReleaseMemory(m->number); // the last view went meanwhile
  return state != 0;
}

// Attached. Sets the error of a view that Python keeps. Returns -1.
int lent_kept(void) {
  PyErr_SetString(PyExc(BufferError), "Python keeps a view of memory that Go lent for the call: copy what is to be kept, as "
                                      "with bytes(view) or array.copy()");
  return -1;
}

// Attached, no error set. Ends what was lent, after one more garbage collection if need be. Returns 0, or -1 with
// BufferError set: Python has views left, whose memory stays until the last of them is gone.
int lent_end(lent **all) {
  int in_use = 0, kept = 0;
  for (lent *l = *all; l; l = l->next) {
    release_view(l);
    in_use |= __atomic_load_n(&memory_of(l->memory)->state, __ATOMIC_ACQUIRE) != 0;
  }
  if (in_use) PyGC_Collect();
  while (*all) {
    lent *l = *all;
    *all = l->next;
    if (in_use) release_view(l);
    kept |= is_kept(memory_of(l->memory));
    Py_DecRef(l->view);
    Py_DecRef(l->memory);
    free(l);
  }
  return kept ? lent_kept() : 0;
}
