//go:build cgo && (linux || darwin)

// A C value becomes a Python object, is given to a Python function, and is read back into the same C memory.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "floor.h"

node *node_items(node *v, int kind, size_t n) {
  v->kind = kind;
  v->n = n;
  v->items = calloc(n ? n : 1, sizeof *v->items);
  return v->items;
}

void node_text(node *v, int kind, const char *p, size_t n) {
  v->kind = kind;
  v->n = n;
  v->p = malloc(n + 1);
  memcpy(v->p, p, n);
}

void node_free(node *v) {
  for (size_t i = 0; v->items && i < v->n; i++) node_free(&v->items[i]);
  free(v->items);
  free(v->p);
}

static PyObject *make(const node *v);

static PyObject *make_list(const node *v) {
  PyObject *list = PyList_New((Py_ssize_t)v->n);
  for (size_t i = 0; list && i < v->n; i++) {
    PyObject *item = make(&v->items[i]);
    if (!item) return Py_DecRef(list), NULL;
    PyList_SetItem(list, (Py_ssize_t)i, item);
  }
  return list;
}

static PyObject *make_dict(const node *v) {
  PyObject *dict = PyDict_New();
  for (size_t i = 0; dict && i < v->n; i += 2) {
    PyObject *key = make(&v->items[i]), *value = key ? make(&v->items[i + 1]) : NULL;
    int failed = !value || PyDict_SetItem(dict, key, value) < 0;
    Py_DecRef(key);
    Py_DecRef(value);
    if (failed) return Py_DecRef(dict), NULL;
  }
  return dict;
}

// Attached. New reference, or NULL with an error set.
static PyObject *make(const node *v) {
  switch (v->kind) {
  case NODE_BOOL: return PyBool_FromLong((long)v->i);
  case NODE_INT: return PyLong_FromLongLong(v->i);
  case NODE_FLOAT: return PyFloat_FromDouble(v->f);
  case NODE_STR: return PyUnicode_FromStringAndSize(v->p, (Py_ssize_t)v->n);
  case NODE_BYTES: return PyBytes_FromStringAndSize(v->p, (Py_ssize_t)v->n);
  case NODE_LIST: return make_list(v);
  case NODE_DICT: return make_dict(v);
  }
  Py_IncRef(Py_None);
  return Py_None;
}

static int take(node *v, PyObject *o);

static int take_text(node *v, PyObject *o) {
  char *p = NULL;
  Py_ssize_t n = 0;
  if (v->kind == NODE_STR) p = (char *)PyUnicode_AsUTF8AndSize(o, &n);
  else PyBytes_AsStringAndSize(o, &p, &n);
  if (!p || (size_t)n != v->n) return -1;
  memcpy(v->p, p, v->n);
  return 0;
}

static int take_list(node *v, PyObject *o) {
  if (PyList_Size(o) != (Py_ssize_t)v->n) return -1;
  for (size_t i = 0; i < v->n; i++)
    if (take(&v->items[i], PyList_GetItem(o, (Py_ssize_t)i)) < 0) return -1;
  return 0;
}

static int take_dict(node *v, PyObject *o) {
  PyObject *key, *value;
  Py_ssize_t pos = 0;
  if (PyDict_Size(o) * 2 != (Py_ssize_t)v->n) return -1;
  for (size_t i = 0; i < v->n && PyDict_Next(o, &pos, &key, &value); i += 2)
    if (take(&v->items[i], key) < 0 || take(&v->items[i + 1], value) < 0) return -1;
  return 0;
}

// Attached. Reads an object of the same shape into v. Borrows o. Returns 0 or -1.
static int take(node *v, PyObject *o) {
  switch (v->kind) {
  case NODE_BOOL: v->i = o == Py_True; return 0;
  case NODE_INT: v->i = PyLong_AsLongLong(o); return v->i == -1 && PyErr_Occurred() ? -1 : 0;
  case NODE_FLOAT: v->f = PyFloat_AsDouble(o); return v->f == -1 && PyErr_Occurred() ? -1 : 0;
  case NODE_STR:
  case NODE_BYTES: return take_text(v, o);
  case NODE_LIST: return take_list(v, o);
  case NODE_DICT: return take_dict(v, o);
  }
  return o == Py_None ? 0 : -1;
}

int floor_identity(floor *f, node *v, int n) {
  for (int i = 0; i < n; i++) {
    PyObject *o = make(v), *same = o ? PyObject_CallOneArg(f->identity, o) : NULL;
    int failed = !same || take(v, same) < 0;
    Py_DecRef(o);
    Py_DecRef(same);
    if (failed) return fprintf(stderr, "floor: a value does not come back\n"), -1;
  }
  return 0;
}
