//go:build cgo && (linux || darwin)

// A request of another caller runs on top of a suspended one, on the same thread. It sees nothing of what Python keeps
// for each thread on behalf of the code that runs: the exception being handled, context variables (PEP 567, and with
// them the decimal context), the running event loop and task of asyncio. A request of the suspended one's chain is part
// of the same call, and shares all but the exception.
#include "context.h"

// Attached, no error set. Returns 0, or -1 with an error set and nothing changed.
static int hide_chain(lane *l, hidden *h) {
  interp *in = l->context->interp;
  h->variables = l->variables ? PyContext_Copy(l->variables) : PyContext_New();
  h->loop = h->variables ? PyObject_CallNoArgs(in->leave_loop) : NULL;
  if (h->loop && PyContext_Enter(h->variables) == 0) return 0;
  PyObject *error = PyErr_GetRaisedException();
  Py_DecRef(h->loop ? PyObject_CallOneArg(in->enter_loop, h->loop) : NULL);
  PyErr_SetRaisedException(error);
  Py_DecRef(h->loop);
  Py_DecRef(h->variables);
  h->loop = h->variables = NULL;
  return -1;
}

// Attached, no error set. Hides what the request below left on the thread. Returns 0, or -1 with an error set; show is
// called in both cases.
int hide(lane *l, const request *r, hidden *h) {
  *h = (hidden){0};
  if (l->depth == 0 && !r->chain) {
    Py_DecRef(l->variables);
    l->variables = PyContext_CopyCurrent();
    return l->variables ? 0 : -1;
  }
  h->handled = PyErr_GetHandledException();
  if (h->handled) PyErr_SetHandledException(NULL);
  return r->chain ? 0 : hide_chain(l, h);
}

// Attached, no error set, and none afterwards. Ends what hide began.
void show(lane *l, hidden *h) {
  if (h->variables) {
    if (PyContext_Exit(h->variables) < 0) PyErr_Clear();
    Py_DecRef(PyObject_CallOneArg(l->context->interp->enter_loop, h->loop));
    PyErr_Clear();
    Py_DecRef(h->variables);
    Py_DecRef(h->loop);
  }
  if (h->handled) {
    PyErr_SetHandledException(h->handled);
    Py_DecRef(h->handled);
  }
}
