// A growable byte buffer and the primitives of the wire format (internal/wire/SPEC.md). None of it touches Python.
#ifndef PY_BUF_H
#define PY_BUF_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct buf {
  uint8_t *p;
  size_t len, cap;
  uint8_t *local; // storage that was given, of BUF_GIVEN bytes or more, or NULL
} buf;

// buf.c
__attribute__((visibility("hidden"))) int buf_grow(buf *b, size_t n);
__attribute__((visibility("hidden"))) void buf_free(buf *b);

#define BUF_GIVEN 128
#define BUF_LARGE (64 << 10) // storage from this size on is shared by all buffers

// Makes room for n more bytes. Returns 0, or -1 when memory is out (the buffer is as before).
static inline int buf_reserve(buf *b, size_t n) { return b->cap - b->len >= n ? 0 : buf_grow(b, n); }

// The put functions need room that was reserved before.
static inline void put_u8(buf *b, uint8_t v) { b->p[b->len++] = v; }

static inline uint64_t little_endian(uint64_t v) {
  return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? v : __builtin_bswap64(v);
}

static inline void put_u64(buf *b, uint64_t v) {
  v = little_endian(v);
  memcpy(b->p + b->len, &v, 8);
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
  struct lent **lent; // where decode notes what it lends to Python; NULL: it may not
  struct blobs *blobs; // what the bytes refer to, or NULL
  int *busy;           // counts what must not change the bytes meanwhile, or NULL
  struct keys *keys;   // where decode has the keys of dicts from, or NULL
  int pointers;       // it comes from within Attach, where objects have addresses
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
  uint64_t v;
  memcpy(&v, r->p, 8);
  r->p += 8;
  return little_endian(v);
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
