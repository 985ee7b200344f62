// The operations that bench/ measures, in plain C API: what they cost is what the library is compared with. Unless it is
// said otherwise they run attached to an interpreter, and return 0, or -1 after a failure that they have printed.
#ifndef PY_FLOOR_H
#define PY_FLOOR_H

#include "../api.h"

enum { NODE_NONE, NODE_BOOL, NODE_INT, NODE_FLOAT, NODE_STR, NODE_BYTES, NODE_LIST, NODE_DICT };

// A value as a C program has it.
typedef struct node node;
struct node {
  int kind;
  int64_t i; // also of a bool
  double f;
  char *p;     // of a str or bytes
  size_t n;    // their length, or how many items there are
  node *items; // those of a dict are its keys and values in turn
};

// What the operations need, made once for an interpreter. PyObject* only, all owned.
typedef struct floor {
  PyObject *namespace, *sqrt, *product, *assignment, *x, *y, *identity, *run, *nest, *sort;
} floor;

// A thread to hand over to.
typedef struct trips trips;

HIDDEN floor *floor_new(void); // NULL after a failure
HIDDEN void floor_free(floor *f);
HIDDEN int floor_calls(floor *f, int n, int release);
HIDDEN int floor_evals(floor *f, int n);
HIDDEN int floor_execs(floor *f, int n);
HIDDEN int floor_callbacks(floor *f, int n);
HIDDEN int floor_nest(floor *f, int depth);
HIDDEN int floor_sort(floor *f);
HIDDEN int floor_identity(floor *f, node *v, int n);
HIDDEN PyThreadState *floor_interpreter(void); // NULL after a failure
HIDDEN void floor_interpreter_end(PyThreadState *state);

// No Python.
HIDDEN void floor_nothing(void);
HIDDEN trips *trips_new(int spin); // NULL when no thread can be had
HIDDEN void trips_run(trips *t, int n);
HIDDEN void trips_free(trips *t);
HIDDEN void floor_mark(void);
HIDDEN node *node_items(node *v, int kind, size_t n);
HIDDEN void node_text(node *v, int kind, const char *p, size_t n);
HIDDEN void node_free(node *v);

#endif
