// A growable byte buffer and the primitives of the wire format (internal/wire/SPEC.md). None of it touches Python.
#ifndef PY_BUF_H
#define PY_BUF_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct buf {
  uint8_t *p;
  size_t len, cap;
  uint8_t *local; // storage that is not malloc's, or NULL
} buf;

// Makes room for n more bytes. Returns 0, or -1 when memory is out (the buffer is as before).
static inline int buf_reserve(buf *b, size_t n) {
  if (b->cap - b->len >= n) return 0;
  if (n > SIZE_MAX / 4 || b->len > SIZE_MAX / 4) return -1;
  size_t cap = b->cap < 128 ? 256 : b->cap * 2;
  if (cap < b->len + n) cap = b->len + n;
  uint8_t *p = b->p == b->local ? malloc(cap) : realloc(b->p, cap);
  if (!p) return -1;
  if (b->local && b->p == b->local) memcpy(p, b->local, b->len);
  b->p = p;
  b->cap = cap;
  return 0;
}

static inline void buf_free(buf *b) {
  if (b->p != b->local) free(b->p);
  b->p = b->local;
  b->len = 0;
}

// Forgets the content and keeps the storage, unless a rare big message made it large.
static inline void buf_reset(buf *b) {
  b->len = 0;
  if (b->cap > 64 << 10) {
    buf_free(b);
    b->p = b->local;
    b->cap = 0;
  }
}

// The put functions need room that was reserved before.
static inline void put_u8(buf *b, uint8_t v) { b->p[b->len++] = v; }

static inline void put_u64(buf *b, uint64_t v) {
  for (int i = 0; i < 8; i++) b->p[b->len + i] = (uint8_t)(v >> (8 * i));
  b->len += 8;
}

static inline void put_uvarint(buf *b, uint64_t v) {
  for (; v >= 0x80; v >>= 7) b->p[b->len++] = (uint8_t)v | 0x80;
  b->p[b->len++] = (uint8_t)v;
}

static inline int put_bytes(buf *b, uint8_t tag, const char *p, size_t n) {
  if (buf_reserve(b, n + 11) < 0) return -1;
  put_u8(b, tag);
  put_uvarint(b, n);
  memcpy(b->p + b->len, p, n);
  b->len += n;
  return 0;
}

// A reader over bytes that somebody else owns. Reading past the end sets bad and yields zeros.
typedef struct reader {
  const uint8_t *p, *end;
  int bad;
} reader;

static inline uint8_t get_u8(reader *r) {
  if (r->p < r->end) return *r->p++;
  r->bad = 1;
  return 0;
}

static inline uint64_t get_u64(reader *r) {
  if (r->end - r->p < 8) {
    r->bad = 1;
    return 0;
  }
  uint64_t v = 0;
  for (int i = 0; i < 8; i++) v |= (uint64_t)r->p[i] << (8 * i);
  r->p += 8;
  return v;
}

static inline uint64_t get_uvarint(reader *r) {
  uint64_t v = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    uint8_t b = get_u8(r);
    v |= (uint64_t)(b & 0x7f) << shift;
    if (b < 0x80) return v;
  }
  r->bad = 1;
  return 0;
}

// A count of things that take at least one byte each, so that a forged one cannot ask for more than is there.
static inline size_t get_count(reader *r) {
  uint64_t n = get_uvarint(r);
  if (n > (uint64_t)(r->end - r->p)) {
    r->bad = 1;
    return 0;
  }
  return (size_t)n;
}

static inline const char *get_raw(reader *r, size_t *n) {
  *n = get_count(r);
  const char *p = (const char *)r->p;
  r->p += *n;
  return p;
}

#endif
