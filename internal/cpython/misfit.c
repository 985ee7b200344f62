//go:build cgo && (linux || darwin)

// Why a value cannot travel to Go, and where in it that is.
#include <stdarg.h>
#include <stdio.h>

#include "encode.h"

// Writes the reason why a value cannot travel. Returns -1.
int refuse(encoder *e, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(e->why->reason, sizeof e->why->reason, format, args);
  va_end(args);
  return -1;
}

int beyond(encoder *e, const char *what, uint64_t most, const char *option) {
  e->why->limit = 1;
  return refuse(e, "%s more than %llu %s, which is the limit: see Options.Limits.%s", e->what,
                (unsigned long long)most, what, option);
}

int too_deep(encoder *e, int most) {
  e->why->limit = 1;
  return refuse(e, "the value nests more than %d deep, or contains itself: see Options.Limits.Depth", most);
}

int no_memory(encoder *e) {
  e->why->raised = 1;
  PyErr_NoMemory();
  return -1;
}

// A Python error that is set becomes the reason, but for a lack of memory and the like, which stay raised. Returns -1.
int refuse_raised(encoder *e, const char *reason) {
  if (PyErr_ExceptionMatches(PyExc(UnicodeEncodeError))) {
    PyErr_Clear();
    return refuse(e, "%s", reason);
  }
  e->why->raised = 1;
  return -1;
}

// How many bytes of a text of n are not more than that, and whole characters.
int text_part(const char *p, size_t n, size_t most) {
  if (n > most)
    for (n = most; n > 0 && (p[n] & 0xc0) == 0x80;) n--;
  return (int)n;
}

// Puts one step in front of the place, as the recursion unwinds. What becomes too long loses its middle. Returns -1.
int misfit_at(misfit *why, const char *format, ...) {
  char step[96], rest[sizeof why->place];
  va_list args;
  va_start(args, format);
  vsnprintf(step, sizeof step, format, args);
  va_end(args);
  size_t n = strlen(why->place);
  const char *end = why->place, *gap = "";
  if (strlen(step) + n >= sizeof why->place) {
    gap = "...";
    for (end += n - 100; (*end & 0xc0) == 0x80;) end++;
  }
  memcpy(rest, end, strlen(end) + 1);
  snprintf(why->place, sizeof why->place, "%s%s%s", step, gap, rest);
  return -1;
}

int at_key(encoder *e, PyObject *key) {
  if (e->why->raised) return -1;
  if (type_of(key) == EXACT(Unicode)) {
    Py_ssize_t n;
    const char *text = PyUnicode_AsUTF8AndSize(key, &n);
    if (text) return misfit_at(e->why, "[\"%.*s\"]", text_part(text, (size_t)n, 60), text);
    PyErr_Clear();
    return misfit_at(e->why, "[key]");
  }
  int overflow;
  long long n = type_of(key) == EXACT(Long) ? PyLong_AsLongLongAndOverflow(key, &overflow) : 0;
  return type_of(key) == EXACT(Long) && !overflow ? misfit_at(e->why, "[%lld]", n) : misfit_at(e->why, "[key]");
}

// Writes the reason as the payload of an unconvertible result. Returns -1 when memory is out.
int encode_misfit(buf *out, const misfit *why) {
  if (buf_reserve(out, 2) < 0) return -1;
  put_u8(out, TAG_TUPLE);
  put_u8(out, 3);
  if (put_bytes(out, TAG_STR, why->place, strlen(why->place)) < 0) return -1;
  if (put_bytes(out, TAG_STR, why->reason, strlen(why->reason)) < 0 || buf_reserve(out, 1) < 0) return -1;
  put_u8(out, why->limit ? TAG_TRUE : TAG_FALSE);
  return 0;
}
