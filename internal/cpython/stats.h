// Live counts of what must come back to zero. Read by Go as one array.
#ifndef PY_STATS_H
#define PY_STATS_H

#include <stdint.h>

enum { STAT_THREADS, STAT_CONTEXTS, STAT_LANES, STAT_REQUESTS, STAT_CALLBACKS, STAT_REFS, STAT_ERRORS, STAT_FUNCTIONS, STAT_LENT, STAT_COUNT };

extern __attribute__((visibility("hidden"))) int64_t stats[STAT_COUNT];

static inline void stats_add(int which, int64_t n) { __atomic_fetch_add(&stats[which], n, __ATOMIC_RELAXED); }

#endif
