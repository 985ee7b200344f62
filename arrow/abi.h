// The structures of Arrow's C data and C stream interfaces (https://arrow.apache.org/docs/format/CDataInterface.html), and the
// part of CPython's C API that this package uses, resolved at run time.
#ifndef PY_ARROW_ABI_H
#define PY_ARROW_ABI_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

struct ArrowSchema {
  const char *format, *name, *metadata;
  int64_t flags, n_children;
  struct ArrowSchema **children, *dictionary;
  void (*release)(struct ArrowSchema *);
  void *private_data;
};

struct ArrowArray {
  int64_t length, null_count, offset, n_buffers, n_children;
  const void **buffers;
  struct ArrowArray **children, *dictionary;
  void (*release)(struct ArrowArray *);
  void *private_data;
};

#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *);
  int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *);
  const char *(*get_last_error)(struct ArrowArrayStream *);
  void (*release)(struct ArrowArrayStream *);
  void *private_data;
};

#endif

// What an exported object can do.
enum { OF_SCHEMA, OF_ARRAY, OF_STREAM }; // capsules
enum { KIND_SCHEMA, KIND_ARRAY, KIND_BATCH, KIND_STREAM };

// python.c. Attached, but for the first two.
const char *pyarrow_name(int i);
void pyarrow_resolve(int i, uintptr_t address);
uintptr_t pyarrow_capsule(uintptr_t object, int of);
uintptr_t pyarrow_object(uint64_t number, int kind, uintptr_t next);
char *pyarrow_problem(void);

// stream.c. Attached, and detached meanwhile.
int pyarrow_stream_schema(uintptr_t stream, uintptr_t out);
int pyarrow_stream_next(uintptr_t stream, uintptr_t out);
const char *pyarrow_stream_error(uintptr_t stream);

// Anywhere.
int pyarrow_is_released(uintptr_t array);
int pyarrow_schema_is_released(uintptr_t schema);
void pyarrow_move(uintptr_t from, uintptr_t to);
uintptr_t pyarrow_new_array(void);
uintptr_t pyarrow_new_schema(void);
void pyarrow_free(uintptr_t p);

#endif
