//go:build cgo && (linux || darwin)

#include "api.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#define DEFINE_F(ret, name, args) ret(*name) args;
#define DEFINE_D(type, name) type *p_##name;
PY_API(DEFINE_F, DEFINE_F, DEFINE_D)

size_t api_type_offset;
int api_free_threaded;
int api_version;

static char problem[1024];
static void *library_handle;

void *api_symbol(const char *name) { return dlsym(library_handle, name); }

// Detached; CPython not initialised. Returns NULL, or what went wrong in static memory.
const char *api_load(const char *library) {
  // RTLD_GLOBAL: extension modules are not linked to libpython on most platforms and look its names up globally.
  void *lib = dlopen(library, RTLD_NOW | RTLD_GLOBAL);
  if (!lib) {
    snprintf(problem, sizeof problem, "%s", dlerror());
    return problem;
  }
  library_handle = lib;
#define NEED(target, name)                                                                                            \
  if (!((target) = dlsym(lib, name))) {                                                                               \
    snprintf(problem, sizeof problem, "%s has no symbol %s: it is not a complete CPython 3.12 or later", library, name); \
    return problem;                                                                                                   \
  }
#define LOAD_F(ret, name, args) NEED(*(void **)&name, #name)
#define LOAD_O(ret, name, args) *(void **)&name = dlsym(lib, #name);
#define LOAD_D(type, name) NEED(*(void **)&p_##name, #name)
  PY_API(LOAD_F, LOAD_O, LOAD_D)
  int major = 0, minor = 0;
  const char *version = Py_GetVersion();
  if (sscanf(version, "%d.%d", &major, &minor) != 2 || major != 3 || minor < 12) {
    snprintf(problem, sizeof problem, "%s is Python %.80s; CPython 3.12 or later is needed", library, version);
    return problem;
  }
  api_version = major << 8 | minor;
  api_free_threaded = strstr(version, "free-threading") != NULL;
  return NULL;
}

// Attached. Finds where an object keeps its type, from objects whose types are known. Returns NULL or a problem.
const char *api_learn_layout(void) {
  PyObject *samples[] = {PyLong_FromLongLong(1234567890123), PyFloat_FromDouble(0.5), PyList_New(1), PyDict_New()};
  PyObject *types[] = {EXACT(Long), EXACT(Float), EXACT(List), EXACT(Dict)};
  const char *found = "cannot find the type pointer in this CPython's object header; please report its version";
  for (size_t offset = 0; found && offset <= 6 * sizeof(void *); offset += sizeof(void *)) {
    int matches = 0;
    for (int i = 0; i < 4; i++)
      matches += samples[i] && *(PyObject **)((char *)samples[i] + offset) == types[i];
    if (matches == 4) {
      api_type_offset = offset;
      found = NULL;
    }
  }
  for (int i = 0; i < 4; i++) Py_DecRef(samples[i]);
  return found;
}
