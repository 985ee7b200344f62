//go:build cgo && (linux || darwin)

// A request of another caller runs on top of a suspended one, on the same thread. It sees nothing of what Python keeps
// for each thread on behalf of the code that runs: the exception being handled, context variables (PEP 567, and with
// them the decimal context), the running event loop and task of asyncio. A request of the suspended one's chain is part
// of the same call, and shares all but the exception; where another caller's is between the two, as far as a copy goes.
#include "context.h"

// Attached, no error set. Steals variables; NULL means that an error is set. Returns 0, or -1 with an error set and nothing changed.
static int enter(lane *l, hidden *h, const request *by, const request *over, PyObject *variables) {
  interp *in = l->context->interp;
  h->variables = variables;
  h->outside = variables ? PyContext_CopyCurrent() : NULL;
  h->loop = h->outside ? PyObject_CallNoArgs(in->leave_loop) : NULL;
  if (h->loop && PyContext_Enter(h->variables) == 0) {
    h->by = by;
    h->over = over;
    h->next = l->hides;
    l->hides = h;
    return 0;
  }
  PyObject *error = PyErr_GetRaisedException();
  Py_DecRef(h->loop ? PyObject_CallOneArg(in->enter_loop, h->loop) : NULL);
  PyErr_SetRaisedException(error);
  Py_DecRef(h->loop);
  Py_DecRef(h->outside);
  Py_DecRef(h->variables);
  h->loop = h->outside = h->variables = NULL;
  return -1;
}

// Attached. Who hides what a request of a chain belongs to, and is not of that chain; NULL where that is on top.
static hidden *hides_from(lane *l, const request *r) {
  const request *below = l->current;
  hidden *above = NULL;
  for (hidden *next = l->hides; r->of; next = next->next) {
    for (; below; below = below->below) {
      if (below == r->of && below->serial == r->of_serial) return above;
      if (next && below == next->by) break;
    }
    if (!next) break;
    above = next;
    below = next->over;
  }
  return NULL;
}

// Attached, no error set. A request of a chain runs on top of another caller's: it sees what its own has, as that was when it was hidden.
// What it changes there is its own. Returns 0, or -1 with an error set.
static int enter_below(lane *l, const request *r, const hidden *from, hidden *h) {
  if (enter(l, h, r, l->current, PyContext_Copy(from->outside)) < 0) return -1;
  PyObject *entered = PyObject_CallOneArg(l->context->interp->enter_loop, from->loop);
  Py_DecRef(entered);
  return entered ? 0 : -1;
}

// Attached, no error set. Hides what the request below left on the thread, which over is on top of. Returns 0, or -1 with an error set;
// show is called in both cases.
int hide(lane *l, const request *r, const request *over, hidden *h) {
  *h = (hidden){0};
  if (l->depth == 0 && !r->chain) {
    Py_DecRef(l->variables);
    l->variables = PyContext_CopyCurrent();
    return l->variables ? 0 : -1;
  }
  h->handled = PyErr_GetHandledException();
  if (h->handled) PyErr_SetHandledException(NULL);
  if (!r->chain) return enter(l, h, r, over, l->variables ? PyContext_Copy(l->variables) : PyContext_New());
  const hidden *from = l->hides ? hides_from(l, r) : NULL;
  return from ? enter_below(l, r, from, h) : 0;
}

// Attached, no error set, and none afterwards. Ends what hide began.
void show(lane *l, hidden *h) {
  if (h->variables) {
    interp *in = l->context->interp;
    l->hides = h->next;
    if (PyContext_Exit(h->variables) < 0) PyErr_Clear();
    if (h->by->chain) Py_DecRef(PyObject_CallNoArgs(in->leave_loop)); // what enter_below entered
    PyErr_Clear();
    Py_DecRef(PyObject_CallOneArg(in->enter_loop, h->loop));
    PyErr_Clear();
    Py_DecRef(h->variables);
    Py_DecRef(h->outside);
    Py_DecRef(h->loop);
  }
  if (h->handled) {
    PyErr_SetHandledException(h->handled);
    Py_DecRef(h->handled);
  }
}
