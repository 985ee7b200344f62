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

// The first and the last bytes of what is at most KEY_LONGEST bytes long.
static size_t slot_of(const uint8_t *p, size_t n) {
  uint64_t first = 0, last = 0;
  if (n >= 8) {
    memcpy(&first, p, 8);
    memcpy(&last, p + n - 8, 8);
  } else if (n >= 4) {
    memcpy(&first, p, 4);
    memcpy(&last, p + n - 4, 4);
  } else {
    for (size_t i = 0; i < n; i++) first = first << 8 | p[i];
  }
  return ((first * 0x9E3779B97F4A7C15u) ^ ((last + n) * 0xC4CEB9FE1A85EC53u)) >> 57;
}

// Attached. New reference to the str of UTF-8; NULL with an error set.
PyObject *keys_str(keys *k, const uint8_t *p, size_t n) {
  if (n > KEY_LONGEST) return PyUnicode_FromStringAndSize((const char *)p, (Py_ssize_t)n);
  key_slot *s = &k->slots[slot_of(p, n)];
  if (!s->str || s->len != n || memcmp(s->text, p, n) != 0) {
    PyObject *str = PyUnicode_FromStringAndSize((const char *)p, (Py_ssize_t)n);
    if (!str) return NULL;
    Py_DecRef(s->str);
    s->str = str;
    s->len = (uint8_t)n;
    memcpy(s->text, p, n);
  }
  Py_IncRef(s->str);
  return s->str;
}

// Attached.
void keys_clear(keys *k) {
  for (size_t i = 0; i < KEY_SLOTS; i++) {
    PyObject *str = k->slots[i].str;
    k->slots[i].str = NULL;
    Py_DecRef(str);
  }
}
