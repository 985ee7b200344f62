//go:build cgo && (linux || darwin)

// What a request asks for, done: call, eval, exec, method, attr, value, env, attach, next, buffer, convert (internal/wire/SPEC.md).
#include "verb.h"

#include "_cgo_export.h"
#include "converter.h"
#include "function.h"

enum { VERB_CALL = 1, VERB_EVAL, VERB_EXEC, VERB_METHOD, VERB_ATTR, VERB_VALUE, VERB_ENV, VERB_ATTACH, VERB_NEXT, VERB_BUFFER,
       VERB_CONVERT = 16, VERB_UNCONVERT };

#define FEW 16

// The arguments of a call, as vectorcall wants them: one slot is free before the first, keyword values come last.
typedef struct arguments {
  PyObject *few[FEW + 1];
  PyObject **slots; // few, or malloc's
  size_t positional, total;
  PyObject *names; // tuple, or NULL
} arguments;

static PyObject *malformed(void) {
  PyErr_SetString(PyExc(SystemError), "the request from Go is malformed; please report this");
  return NULL;
}

static void drop_arguments(arguments *a) {
  for (size_t i = 0; i < a->total; i++) Py_DecRef(a->slots[i + 1]);
  if (a->slots != a->few) free(a->slots);
  Py_DecRef(a->names);
}

static int room_for(arguments *a, size_t n) {
  if (n <= FEW && a->slots == a->few) return 0;
  PyObject **slots = malloc((n + 1) * sizeof *slots);
  if (!slots) return PyErr_NoMemory(), -1;
  memcpy(slots + 1, a->slots + 1, a->total * sizeof *slots);
  if (a->slots != a->few) free(a->slots);
  a->slots = slots;
  return 0;
}

static int read_values(reader *in, context *c, arguments *a, size_t n) {
  if (room_for(a, a->total + n) < 0) return -1;
  for (size_t i = 0; i < n; i++) {
    PyObject *value = decode(in, c, 0);
    if (!value) return -1;
    a->slots[++a->total] = value;
  }
  return 0;
}

// Names and values alternate. The names become a tuple of interned text, the values follow the positional ones.
static int read_named(reader *in, context *c, arguments *a, size_t n) {
  if (n == 0) return 0;
  a->names = PyTuple_New((Py_ssize_t)n);
  if (!a->names || room_for(a, a->total + n) < 0) return -1;
  for (size_t i = 0; i < n; i++) {
    size_t len;
    const char *p = get_raw(in, &len);
    PyObject *name = PyUnicode_FromStringAndSize(p, (Py_ssize_t)len);
    if (!name) return -1;
    PyUnicode_InternInPlace(&name);
    PyTuple_SetItem(a->names, (Py_ssize_t)i, name);
    PyObject *value = decode(in, c, 0);
    if (!value) return -1;
    a->slots[++a->total] = value;
  }
  return 0;
}

static int read_all(reader *in, context *c, arguments *a) {
  size_t n = a->positional = get_count(in);
  if (read_values(in, c, a, n) < 0) return -1;
  n = get_count(in);
  if (read_named(in, c, a, n) < 0) return -1;
  return in->bad ? (malformed(), -1) : 0;
}

// Attached. Returns 0 or -1 with an error set; drop_arguments is due in both cases.
static int read_arguments(reader *in, context *c, arguments *a) {
  a->slots = a->few;
  a->total = 0;
  a->names = NULL;
  if (in->busy) ++*in->busy;
  int result = read_all(in, c, a);
  if (in->busy) --*in->busy;
  return result;
}

// Attached. Calls f with the arguments that in holds. New reference, or NULL with an error set.
PyObject *call_with(PyObject *f, reader *in, context *c) {
  arguments a;
  PyObject *value = NULL;
  if (read_arguments(in, c, &a) == 0)
    value = PyObject_Vectorcall(f, a.slots + 1, a.positional | PY_VECTORCALL_ARGUMENTS_OFFSET, a.names);
  drop_arguments(&a);
  return value;
}

// Attached. Calls the method of that name, as call_with.
PyObject *call_method_with(PyObject *o, PyObject *name, reader *in, context *c) {
  arguments a;
  PyObject *value = NULL;
  if (read_arguments(in, c, &a) == 0) {
    a.slots[0] = o;
    value = PyObject_VectorcallMethod(name, a.slots, a.positional + 1, a.names);
  }
  drop_arguments(&a);
  return value;
}

// Attached. New tuple of interned names: "a.b.c" as ("a", "b", "c"), after a first item if there is one.
static PyObject *split(const char *p, size_t n, const char *first, size_t first_len) {
  size_t parts = 1 + (first != NULL), at = 0;
  for (size_t i = 0; i < n; i++) parts += p[i] == '.';
  PyObject *tuple = PyTuple_New((Py_ssize_t)parts);
  if (!tuple) return NULL;
  for (size_t i = 0; i < parts; i++) {
    int leading = first && i == 0;
    const char *end = leading ? NULL : memchr(p + at, '.', n - at);
    size_t len = leading ? first_len : (end ? (size_t)(end - p) : n) - at;
    PyObject *name = PyUnicode_FromStringAndSize(leading ? first : p + at, (Py_ssize_t)len);
    if (!name) {
      Py_DecRef(tuple);
      return NULL;
    }
    PyUnicode_InternInPlace(&name);
    PyTuple_SetItem(tuple, (Py_ssize_t)i, name);
    if (!leading) at += len + 1;
  }
  return tuple;
}

// Attached. Walks the attributes named by names[from:]. Steals o; returns a new reference or NULL with an error set.
static PyObject *walk(PyObject *o, PyObject *names, Py_ssize_t from) {
  for (Py_ssize_t i = from; o && i < PyTuple_Size(names); i++) {
    PyObject *next = PyObject_GetAttr(o, PyTuple_GetItem(names, i));
    Py_DecRef(o);
    o = next;
  }
  return o;
}

// Attached. The value of a name in a namespace, or among the built-ins, as for code that runs in it. New reference.
PyObject *lookup(interp *in, PyObject *namespace, PyObject *name) {
  PyObject *o = dict_item(namespace, name);
  if (o || PyErr_Occurred()) return o;
  o = PyObject_GetAttr(in->builtins, name);
  if (o) return o;
  PyErr_Clear();
  const char *text = PyUnicode_AsUTF8AndSize(name, NULL);
  return text ? PyErr_Format(PyExc(AttributeError), "module '__main__' has no attribute '%s'", text) : NULL;
}

// Attached, no error set, and none afterwards. Whether an import of the module is under way.
static int is_initializing(PyObject *module) {
  PyObject *spec = PyObject_GetAttrString(module, "__spec__");
  PyObject *flag = spec ? PyObject_GetAttrString(spec, "_initializing") : NULL;
  int result = flag && PyObject_IsTrue(flag) > 0;
  PyErr_Clear();
  Py_DecRef(flag);
  Py_DecRef(spec);
  return result;
}

// Attached. New reference. A module that was imported before costs one look into sys.modules. One that another thread is in
// the middle of importing is waited for.
PyObject *module_named(interp *in, PyObject *name) {
  PyObject *module = dict_item(in->modules, name);
  if (!module && PyErr_Occurred()) return NULL;
  if (!module || module == Py_None) return PyImport_Import(name);
  PyObject **known = &in->known[(uintptr_t)module / 16 % KNOWN_MODULES];
  if (__atomic_load_n(known, __ATOMIC_RELAXED) == module) return module;
  if (is_initializing(module)) {
    Py_DecRef(module);
    return PyImport_Import(name);
  }
  Py_IncRef(module);
  Py_DecRef(__atomic_exchange_n(known, module, __ATOMIC_RELAXED));
  return module;
}

static int is_main_name(const char *p, size_t n) { return n == 8 && memcmp(p, "__main__", 8) == 0; }

// Attached. The function that a call names: its names come from the cache, what they are bound to never does.
static PyObject *function(context *c, lane *l, reader *in, PyObject *namespace) {
  const uint8_t *key = in->p;
  size_t module_len, len;
  const char *module = get_raw(in, &module_len), *name = get_raw(in, &len);
  if (in->bad) return malformed();
  size_t key_len = (size_t)(in->p - key);
  PyObject *names = l->is_main ? cache_find(&c->names, key, key_len) : NULL;
  if (names) {
    Py_IncRef(names);
  } else {
    names = split(name, len, module, module_len);
    if (!names) return NULL;
    if (l->is_main) cache_add(&c->names, key, key_len, names);
  }
  PyObject *o;
  if (is_main_name(module, module_len)) o = walk(lookup(c->interp, namespace, PyTuple_GetItem(names, 1)), names, 2);
  else o = walk(module_named(c->interp, PyTuple_GetItem(names, 0)), names, 1);
  Py_DecRef(names);
  return o;
}

static PyObject *do_call(context *c, lane *l, reader *in, PyObject *namespace) {
  PyObject *f = function(c, l, in, namespace);
  PyObject *value = f ? call_with(f, in, c) : NULL;
  Py_DecRef(f);
  return value;
}

// Attached. Code compiled from source, with the names of its variables as parameters when it is an expression. New
// reference.
static PyObject *compiled(context *c, int verb, const char *source, size_t len, PyObject *names) {
  PyObject *kind = PyLong_FromLongLong(verb);
  PyObject *text = PyUnicode_FromStringAndSize(source, (Py_ssize_t)len);
  PyObject *code = NULL;
  if (kind && text)
    code = PyObject_CallFunctionObjArgs(c->interp->compile, kind, text, names ? names : Py_None, NULL);
  Py_DecRef(kind);
  Py_DecRef(text);
  return code;
}

// Writes what a piece of code is remembered under: the verb, the source and the names of its parameters.
static int code_key(buf *key, int verb, const char *source, size_t len, PyObject *names) {
  if (put_bytes(key, (uint8_t)verb, source, len) < 0) return -1;
  for (Py_ssize_t i = 0; names && i < PyTuple_Size(names); i++) {
    Py_ssize_t n;
    const char *p = PyUnicode_AsUTF8AndSize(PyTuple_GetItem(names, i), &n);
    if (!p || put_bytes(key, 0, p, (size_t)n) < 0) return -1;
  }
  return 0;
}

// Attached. As compiled, but the same source is compiled once.
static PyObject *code_of(context *c, lane *l, int verb, const char *source, size_t len, PyObject *names) {
  if (!l->is_main || len > CACHE_LARGEST) return compiled(c, verb, source, len, names);
  uint8_t local[512];
  buf key = {local, 0, sizeof local, local};
  PyObject *code = NULL;
  if (code_key(&key, verb, source, len, names) < 0) {
    if (!PyErr_Occurred()) PyErr_NoMemory();
  } else if ((code = cache_find(&c->codes, key.p, key.len))) {
    Py_IncRef(code);
  } else if ((code = compiled(c, verb, source, len, names))) {
    cache_add(&c->codes, key.p, key.len, code);
  }
  buf_free(&key);
  return code;
}

// Attached. Code of the source that comes next, and the variables behind it, for which drop_arguments is due. New reference, or NULL
// with an error set.
static PyObject *read_source(context *c, lane *l, reader *in, int verb, arguments *variables) {
  size_t len;
  const char *source = get_raw(in, &len);
  if (read_named(in, c, variables, get_count(in)) == 0 && !in->bad)
    return code_of(c, l, verb, source, len, verb == VERB_EVAL ? variables->names : NULL);
  return PyErr_Occurred() ? NULL : malformed();
}

// With variables, the expression is the body of a function and they are its parameters: they are seen inside lambdas and
// comprehensions, and by nothing else.
static PyObject *do_eval(context *c, lane *l, reader *in, PyObject *namespace) {
  arguments a = {.slots = a.few};
  PyObject *code = read_source(c, l, in, VERB_EVAL, &a), *value = NULL;
  if (code && !a.names) {
    value = PyEval_EvalCode(code, namespace, namespace);
  } else if (code) {
    PyObject *f = PyFunction_New(code, namespace);
    if (f) value = PyObject_Vectorcall(f, a.slots + 1, a.total | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    Py_DecRef(f);
  }
  Py_DecRef(code);
  drop_arguments(&a);
  return value;
}

// Attached. Whether a str is ASCII, which is the only text that takes a byte for each character. -1 with an error set.
static int is_ascii(PyObject *text) {
  Py_ssize_t n;
  return PyUnicode_AsUTF8AndSize(text, &n) ? n == PyUnicode_GetLength(text) : -1;
}

// Attached. Assigns to the variable that Python's parser makes of the name. Returns 0, or -1 with an error set.
static int assign(context *c, PyObject *namespace, PyObject *name, PyObject *value) {
  int ascii = is_ascii(name);
  if (ascii) return ascii < 0 ? -1 : PyDict_SetItem(namespace, name, value);
  PyObject *identifier = PyObject_CallOneArg(c->interp->identifier, name);
  int result = identifier ? PyDict_SetItem(namespace, identifier, value) : -1;
  Py_DecRef(identifier);
  return result;
}

// Variables are assigned first, as if the code began with them, unless the code does not compile.
static PyObject *do_exec(context *c, lane *l, reader *in, PyObject *namespace) {
  arguments a = {.slots = a.few};
  PyObject *code = read_source(c, l, in, VERB_EXEC, &a), *value = NULL;
  int failed = !code;
  for (size_t i = 0; !failed && i < a.total; i++)
    failed = assign(c, namespace, PyTuple_GetItem(a.names, (Py_ssize_t)i), a.slots[i + 1]) < 0;
  if (!failed) value = PyEval_EvalCode(code, namespace, namespace);
  Py_DecRef(code);
  drop_arguments(&a);
  return value;
}

// Attached. New reference to the object of a handle in the request, or NULL with an error set.
static PyObject *target(context *c, reader *in) {
  PyObject *o = refs_get(c->refs, get_u64(in));
  return o ? o : raise_closed(c->interp, "object");
}

static PyObject *attribute(context *c, reader *in) {
  PyObject *o = target(c, in);
  size_t len;
  const char *name = get_raw(in, &len);
  PyObject *names = o && len ? split(name, len, NULL, 0) : NULL;
  if (o && len && !names) {
    Py_DecRef(o);
    return NULL;
  }
  if (names) o = walk(o, names, 0);
  Py_DecRef(names);
  return o;
}

static PyObject *do_method(context *c, reader *in) {
  PyObject *f = attribute(c, in);
  PyObject *value = f ? call_with(f, in, c) : NULL;
  Py_DecRef(f);
  return value;
}

// Attached. New dict, with what that of a module has; NULL with an error set.
PyObject *namespace_new(interp *in) {
  PyObject *module = PyModule_New("__main__"), *namespace = module ? PyModule_GetDict(module) : NULL;
  if (namespace && PyDict_SetItemString(namespace, "__builtins__", in->builtins) < 0) namespace = NULL;
  Py_IncRef(namespace);
  Py_DecRef(module);
  return namespace;
}

// Attached. The rest of the request works in another namespace.
static void enter_namespace(lane *l, PyObject *namespace) {
  Py_IncRef(namespace);
  Py_DecRef(l->namespace);
  l->namespace = namespace;
}

// A namespace of its own, in which the given source has run.
static PyObject *do_env(context *c, lane *l, reader *in) {
  PyObject *namespace = namespace_new(c->interp), *done = NULL;
  size_t len;
  const char *source = get_raw(in, &len);
  PyObject *code = namespace ? code_of(c, l, VERB_EXEC, source, len, NULL) : NULL;
  if (code) {
    enter_namespace(l, namespace);
    done = PyEval_EvalCode(code, namespace, namespace);
  }
  Py_DecRef(code);
  if (!done) {
    Py_DecRef(namespace);
    return NULL;
  }
  Py_DecRef(done);
  return namespace;
}

// The object, and what the arguments of a call that it is a part of have had of the limits.
static PyObject *do_value(context *c, reader *in, want *w) {
  PyObject *o = target(c, in);
  w->had.depth = get_uvarint(in);
  w->had.items = get_uvarint(in);
  w->had.bytes = get_uvarint(in);
  if (!o || (!in->bad && w->had.depth <= MAX_DEPTH)) return o;
  Py_DecRef(o);
  return malformed();
}

static PyObject *do_buffer(context *c, reader *in) {
  PyObject *o = target(c, in), *found = o ? buffer_of(o) : NULL;
  Py_DecRef(o);
  return found;
}

static PyObject *do_attach(lane *l, reader *in) {
  if (goAttach(get_u64(in), l) < 0) return NULL;
  Py_IncRef(Py_None);
  return Py_None;
}

// Attached. Whether a generator is in the middle of an item, such as in a Go function that it waits for.
static int is_executing(PyObject *iter) {
  PyObject *running = PyObject_GetAttrString(iter, "gi_running");
  int result = running == Py_True;
  PyErr_Clear();
  Py_DecRef(running);
  return result;
}

// Attached. Steals iter. Closes a generator, or what else can be thrown into and closed like one. Nobody is there to take
// an exception, which Python therefore prints. One that is executing cannot be closed: a request that was given up is still
// in it, and is interrupted there; what is left of it is closed as that lets it go. New reference to None.
static PyObject *close_iterator(context *c, PyObject *iter) {
  PyObject *throw = is_executing(iter) ? NULL : PyObject_GetAttrString(iter, "throw");
  PyObject *closed = throw ? PyObject_CallMethod(iter, "close", NULL) : NULL;
  if (throw && !closed && !PyErr_ExceptionMatches(c->interp->interrupted)) PyErr_WriteUnraisable(iter);
  PyErr_Clear();
  Py_DecRef(throw);
  Py_DecRef(closed);
  Py_DecRef(iter);
  Py_IncRef(Py_None);
  return Py_None;
}

// The iterator, for write_result to take items from; with no items wanted, it is closed, and None.
static PyObject *do_next(context *c, reader *in, want *w) {
  uint64_t handle = get_u64(in);
  w->items = get_uvarint(in);
  w->ns = get_u64(in);
  w->bytes = get_u64(in);
  if (in->bad || w->items > UINT32_MAX) return malformed();
  PyObject *o = w->items ? refs_get(c->refs, handle) : refs_take(c->refs, handle);
  if (!o) return raise_closed(c->interp, "iterator");
  return w->items ? o : close_iterator(c, o);
}

static PyObject *in_namespace(context *c, lane *l, int verb, reader *in, PyObject *namespace, want *w) {
  switch (verb) {
  case VERB_CALL: return do_call(c, l, in, namespace);
  case VERB_EVAL: return do_eval(c, l, in, namespace);
  case VERB_EXEC: return do_exec(c, l, in, namespace);
  case VERB_METHOD: return do_method(c, in);
  case VERB_ATTR: return attribute(c, in);
  case VERB_VALUE: return do_value(c, in, w);
  case VERB_ENV: return do_env(c, l, in);
  case VERB_ATTACH: return do_attach(l, in);
  case VERB_NEXT: return do_next(c, in, w);
  case VERB_BUFFER: return do_buffer(c, in);
  case VERB_CONVERT: return converter_add(c, in, namespace);
  case VERB_UNCONVERT: return converter_remove(c, in, namespace);
  default: return malformed();
  }
}

// Attached, on the lane's thread, no error set. Returns a new reference, or NULL with an error set. *w is how the
// result should travel. Keeps the namespace in l->namespace, new.
PyObject *perform(context *c, lane *l, reader *in, want *w) {
  int verb = get_u8(in), how = get_u8(in);
  uint64_t env = get_u64(in);
  if (read_want(c, l, in, how, w) < 0) return NULL;
  PyObject *namespace = l->namespace = env ? refs_get(c->refs, env) : context_namespace(c);
  return namespace ? in_namespace(c, l, verb, in, namespace, w) : raise_closed(c->interp, env ? "env" : "context");
}
