//go:build cgo && (linux || darwin)

// Calls within Attach whose arguments and result are scalars.
#include "attach.h"

#include "verb.h"

// Attached. Steals value, NULL means that an error is set. A scalar of one of the wanted kinds is in a->scalars[0]; anything else is
// in a->out, and the kind is 0.
static void give(attached *a, PyObject *value, int wanted, int how) {
  if (value && scalar_of(a->scalars, value) & wanted) {
    Py_DecRef(value);
    return;
  }
  a->scalars[0].kind = 0;
  attached_write(a, value, (want){.how = how});
}

// Those that follow: attached, no error set, or misused. They return 0 or MISUSE, and give the result.

int attached_scalar(uintptr_t at, uintptr_t o, int wanted, int how) {
  attached *a = (attached *)at;
  if (!attached_usable(a)) return MISUSE;
  Py_IncRef((PyObject *)o);
  give(a, (PyObject *)o, wanted, how);
  return 0;
}

// Calls f, or its method where there is a name, with the first n of a->scalars.
int attached_call_scalars(uintptr_t at, uintptr_t f, const char *p, size_t len, size_t n, int wanted, int how) {
  attached *a = (attached *)at;
  if (!attached_usable(a)) return MISUSE;
  PyObject *args[1 + MOST_SCALARS] = {(PyObject *)f}, *value = NULL;
  Py_IncRef(args[0]); // what it calls may release it
  size_t made = 0;
  while (made < n && (args[1 + made] = scalar_object(a->scalars[made]))) made++;
  PyObject *name = p && made == n ? attribute_name(a, p, len) : NULL;
  if (name) value = PyObject_VectorcallMethod(name, args, n + 1, NULL);
  else if (!p && made == n) value = PyObject_Vectorcall(args[0], args + 1, n | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
  Py_DecRef(name);
  for (size_t i = 0; i <= made; i++) Py_DecRef(args[i]);
  interp_end_child(a->lane->context->interp, value);
  give(a, value, wanted, how);
  return 0;
}
