//go:build cgo && (linux || darwin)

// The storage of buffers. Large blocks are kept for the next large message, up to a limit for the whole process: fresh
// ones cost a page fault for every 4 KiB.
#include "buf.h"

#include <pthread.h>

#define BLOCKS 8
#define BLOCK_LIMIT (8 << 20)  // of one that is kept
#define BLOCKS_LIMIT (16 << 20) // of all that are kept

typedef struct block {
  uint8_t *p;
  size_t cap;
} block;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static block kept[BLOCKS];
static size_t kept_bytes;

static block take_kept(size_t cap) {
  block found = {0};
  pthread_mutex_lock(&lock);
  block *best = NULL;
  for (block *k = kept; k < kept + BLOCKS; k++)
    if (k->cap >= cap && (!best || k->cap < best->cap)) best = k;
  if (best) {
    found = *best;
    *best = (block){0};
    kept_bytes -= found.cap;
  }
  pthread_mutex_unlock(&lock);
  return found;
}

static void let_go(block b) {
  if (b.cap >= BUF_LARGE && b.cap <= BLOCK_LIMIT) {
    pthread_mutex_lock(&lock);
    for (block *k = kept; k < kept + BLOCKS && kept_bytes + b.cap <= BLOCKS_LIMIT; k++)
      if (!k->p) {
        *k = b;
        kept_bytes += b.cap;
        b.p = NULL;
        break;
      }
    pthread_mutex_unlock(&lock);
  }
  free(b.p);
}

// Any thread. Returns 0, or -1 when memory is out (the buffer is as before).
int buf_grow(buf *b, size_t n) {
  if (n > SIZE_MAX / 4 || b->len > SIZE_MAX / 4) return -1;
  size_t cap = b->cap < 128 ? 256 : b->cap * 2;
  if (cap < b->len + n) cap = b->len + n;
  int given = b->p == b->local;
  block fresh = cap >= BUF_LARGE ? take_kept(cap) : (block){0};
  if (fresh.p) {
    if (b->len) memcpy(fresh.p, b->p, b->len);
    if (!given) let_go((block){b->p, b->cap});
  } else {
    fresh = (block){given ? malloc(cap) : realloc(b->p, cap), cap};
    if (!fresh.p) return -1;
    if (given && b->len) memcpy(fresh.p, b->p, b->len);
  }
  b->p = fresh.p;
  b->cap = fresh.cap;
  return 0;
}

// Any thread. Gives up the storage; the buffer is empty, and can be used again.
void buf_free(buf *b) {
  if (b->p != b->local) let_go((block){b->p, b->cap});
  b->p = b->local;
  b->cap = b->local ? BUF_GIVEN : 0;
  b->len = 0;
}
