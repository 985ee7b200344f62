//go:build cgo && (linux || darwin)

#include "attach.h"

#include "function.h"
#include "lend.h"
#include "verb.h"

static PyObject *name_of(const char *p, size_t n) {
  PyObject *name = PyUnicode_FromStringAndSize(p, (Py_ssize_t)n);
  if (name) PyUnicode_InternInPlace(&name);
  return name;
}

PyObject *attached_import(attached *a, const char *p, size_t n) {
  if (!attached_usable(a)) return MISUSED;
  PyObject *name = name_of(p, n);
  PyObject *module = name ? module_named(a->lane->context->interp, name) : NULL;
  Py_DecRef(name);
  return module;
}

PyObject *attached_global(attached *a, const char *p, size_t n, uint64_t env) {
  if (!attached_usable(a)) return MISUSED;
  context *c = a->lane->context;
  PyObject *name = name_of(p, n), *o = NULL;
  PyObject *namespace = env ? refs_get(c->refs, env) : context_namespace(c);
  if (name && namespace) o = lookup(c->interp, namespace, name);
  else if (name) raise_closed(c->interp, env ? "env" : "context");
  Py_DecRef(namespace);
  Py_DecRef(name);
  return o;
}

reader attached_input(attached *a) {
  return (reader){.p = a->in.p, .end = a->in.p + a->in.len, .lent = &a->lent, .busy = &a->busy, .keys = keys_of(a->lane),
                  .pointers = 1};
}

// Attached. New reference to the next value, or NULL with an error set. What making it runs cannot use a.
PyObject *attached_read(attached *a, reader *in) {
  a->busy++;
  PyObject *o = decode(in, a->lane->context, 0);
  a->busy--;
  return o;
}

PyObject *attached_new(attached *a) {
  if (!attached_usable(a)) return MISUSED;
  struct lent *before = a->lent;
  reader in = attached_input(a);
  PyObject *o = attached_read(a, &in);
  for (struct lent *l = a->lent; l != before; l = l->next) l->of = o;
  return o;
}

// Attached, no error set. Ends what was lent with an object, which is released, or all for NULL. Returns 0, or, once all is
// over, -1 with an error set when Python has kept some of it.
int attached_end(attached *a, PyObject *of) {
  struct lent *over = NULL, **next = &a->lent;
  for (struct lent *l; (l = *next);) {
    if (of && l->of != of) {
      next = &l->next;
      continue;
    }
    *next = l->next;
    l->next = over;
    over = l;
  }
  if (lent_end(&over) < 0) a->kept = 1;
  PyErr_Clear();
  return !of && a->kept ? lent_kept() : 0;
}

// Attached. Steals o, NULL means that an error is set. The result is in a->out.
void attached_write(attached *a, PyObject *o, want w) {
  struct lent *none = NULL;
  a->busy++;
  write_result(a->lane->context, NULL, &a->out, o, w, &none);
  a->busy--;
}

int attached_value(attached *a, PyObject *o, int how) {
  if (!attached_usable(a)) return 1;
  reader in = attached_input(a);
  want w;
  if (read_want(a->lane->context, a->lane, &in, how, &w) < 0) o = NULL;
  else Py_IncRef(o);
  attached_write(a, o, w);
  return 0;
}

void attached_error(attached *a) { attached_write(a, NULL, (want){.how = WANT_EXACT}); }

PyObject *attached_ref(attached *a, uint64_t handle) {
  if (!attached_usable(a)) return MISUSED;
  context *c = a->lane->context;
  PyObject *o = refs_get(c->refs, handle);
  return o ? o : raise_closed(c->interp, "object");
}

int attached_release(attached *a, PyObject *o) {
  if (!attached_usable(a)) return 1;
  Py_DecRef(o);
  return 0;
}

int attached_detach(attached *a) {
  if (!attached_usable(a)) return 1;
  detach(a->lane);
  return 0;
}

void attached_attach(attached *a) { attach(a->lane); }

PyThreadState *attached_state(const attached *a) { return attached_usable(a) ? PyThreadState_Get() : NULL; }
