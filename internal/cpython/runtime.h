// Starting CPython, once per process.
#ifndef PY_RUNTIME_H
#define PY_RUNTIME_H

#include <stdint.h>
#include <wchar.h>

typedef struct runtime_config {
  const char *library;    // path of libpython
  const char *home;       // prefix of the standard library, or NULL to derive it from executable
  const char *executable; // sys.executable, or NULL
  struct wide_paths {
    const wchar_t *home, *executable;
  } wide; // the same, for CPython before 3.14
  const char *bootstrap;  // source that furnishes every interpreter
  int64_t spin_ns;
  int spinners; // at a time
  int few;      // callers of a context that need not take turns
} runtime_config;

// Blocks until CPython runs on a thread of its own, which stays. Returns NULL, or what went wrong in static memory.
__attribute__((visibility("hidden"))) const char *runtime_start(const runtime_config *config);

__attribute__((visibility("hidden"))) const char *runtime_version(void);

extern __attribute__((visibility("hidden"))) int runtime_forked; // 1 in a child made by os.fork

#endif
