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

// The keys of small dicts that came from Go: the same text, such as the name of a struct's field, is one str. Used by the
// context's own thread alone, too. A key is not interned, which CPython 3.12 would keep until the process ends.
#define KEY_SLOTS 128
#define KEY_LONGEST 23
#define KEYED_LARGEST 64 // entries of a dict; a larger one is a table, whose keys are all different

typedef struct key_slot {
  PyObject *str; // owned, or NULL
  uint8_t len;
  uint8_t text[KEY_LONGEST];
} key_slot;

typedef struct keys {
  key_slot slots[KEY_SLOTS];
} keys;

HIDDEN PyObject *keys_str(keys *k, const uint8_t *p, size_t n);
HIDDEN void keys_clear(keys *k);

HIDDEN PyObject *cache_find(cache *c, const uint8_t *key, size_t len);
HIDDEN void cache_add(cache *c, const uint8_t *key, size_t len, PyObject *value);
HIDDEN void cache_clear(cache *c);

#endif
