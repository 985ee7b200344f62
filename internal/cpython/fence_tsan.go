//go:build tsan && cgo

package cpython

// void __tsan_acquire(void *);
import "C"

import "unsafe"

// took shows the thread sanitizer of C the order that an atomic operation in Go gives: what was there before a thread of C wrote
// to that address comes before what this thread calls in C from here on. For builds with -fsanitize=thread and the tag tsan.
func took(address unsafe.Pointer) { C.__tsan_acquire(address) }
