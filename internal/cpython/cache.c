//go:build cgo && (linux || darwin)

#include "cache.h"

#include <stdlib.h>
#include <string.h>

// Eight bytes at a step; it spreads keys over sets, and memcmp decides.
static uint64_t hash_of(const uint8_t *p, size_t n) {
  uint64_t h = 0x9E3779B97F4A7C15u ^ n, v;
  for (; n >= 8; p += 8, n -= 8) {
    memcpy(&v, p, 8);
    h = (h ^ v) * 0xFF51AFD7ED558CCDu;
    h ^= h >> 32;
  }
  v = 0;
  memcpy(&v, p, n);
  h = (h ^ v) * 0xC4CEB9FE1A85EC53u;
  return h ^ h >> 29;
}

// Attached. Returns a borrowed object or NULL; never sets an error.
PyObject *cache_find(cache *c, const uint8_t *key, size_t len) {
  uint64_t hash = hash_of(key, len);
  cache_entry *set = c->sets[hash % CACHE_SETS];
  for (int i = 0; i < CACHE_WAYS; i++)
    if (set[i].hash == hash && set[i].len == len && set[i].value && memcmp(set[i].key, key, len) == 0)
      return set[i].value;
  return NULL;
}

// Attached. Keeps a reference of its own to value; without memory it keeps nothing.
void cache_add(cache *c, const uint8_t *key, size_t len, PyObject *value) {
  uint8_t *copy = len <= CACHE_LARGEST ? malloc(len + 1) : NULL;
  if (!copy) return;
  memcpy(copy, key, len);
  uint64_t hash = hash_of(key, len);
  cache_entry *e = &c->sets[hash % CACHE_SETS][c->victim[hash % CACHE_SETS]++ % CACHE_WAYS];
  PyObject *old = e->value;
  free(e->key);
  Py_IncRef(value);
  *e = (cache_entry){hash, len, copy, value};
  Py_DecRef(old); // last: it may run code
}

// Attached.
void cache_clear(cache *c) {
  for (int s = 0; s < CACHE_SETS; s++)
    for (int i = 0; i < CACHE_WAYS; i++) {
      cache_entry e = c->sets[s][i];
      c->sets[s][i] = (cache_entry){0};
      free(e.key);
      Py_DecRef(e.value);
    }
}
