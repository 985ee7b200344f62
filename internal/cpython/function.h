// Go functions as Python sees them.
#ifndef PY_FUNCTION_H
#define PY_FUNCTION_H

#include "context.h"

// A registered function as the Go side describes it.
typedef struct resolved {
  uint64_t number; // 0: there is none
  int is_inline;
} resolved;

// Moves on with every Register and Unregister, so that what was looked up is known to be old. Atomic.
extern HIDDEN uint64_t registry_version;

#endif
