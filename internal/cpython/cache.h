// A bounded cache from request bytes to Python objects: compiled sources and the names of modules, functions and attributes. It is
// used by the context's own thread alone. Sources and names only: what a name is bound to is looked up every time.
#ifndef PY_CACHE_H
#define PY_CACHE_H

#include "api.h"

#define CACHE_SETS 64
#define CACHE_WAYS 4
#define NAME_LONGEST 256 // a longer name is not worth keeping
#define CACHE_LARGEST (64 << 10) // a key longer than this is not kept

typedef struct cache_entry {
  uint64_t hash;
  size_t len;
  uint8_t *key;    // owned
  PyObject *value; // owned
} cache_entry;

typedef struct cache {
  cache_entry sets[CACHE_SETS][CACHE_WAYS];
  uint8_t victim[CACHE_SETS];
} cache;

HIDDEN PyObject *cache_find(cache *c, const uint8_t *key, size_t len);
HIDDEN void cache_add(cache *c, const uint8_t *key, size_t len, PyObject *value);
HIDDEN void cache_clear(cache *c);

#endif
