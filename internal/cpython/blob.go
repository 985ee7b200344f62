//go:build cgo && (linux || darwin)

package cpython

// #include "request.h"
import "C"

import (
	"runtime"
	"unsafe"
)

// Blob lets the frame of a request refer to bytes where they are, by the index that it returns. Bytes of Go's stay in their
// place until the request is released. They are copied before it runs, and it does not run when its caller gives up before
// that, so that the caller may change them, and let go of memory that is not Go's, once Run has returned. Blob returns false for
// few bytes, and memory that cannot be pinned.
func (r *Request) Blob(b []byte) (index int, ok bool) { return r.blob(unsafe.SliceData(b), len(b), 0) }

// BlobStr is Blob for a text, which is valid UTF-8.
func (r *Request) BlobStr(s string) (index int, ok bool) {
	return r.blob(unsafe.StringData(s), len(s), 1)
}

func (r *Request) blob(p *byte, n int, text C.int) (index int, ok bool) {
	if n < C.BLOB_LEAST || !pin(&r.pinner, p) {
		return 0, false
	}
	index = int(r.c.blobs.len)
	if C.blobs_add(&r.c.blobs, C.uintptr_t(uintptr(unsafe.Pointer(p))), C.size_t(n), text) < 0 {
		panic("cpython: out of memory")
	}
	return index, true
}

// pin returns false for memory for which Pin panics. Memory that is not the Go runtime's stays where it is anyway.
func pin(p *runtime.Pinner, b *byte) (ok bool) {
	defer func() { ok = recover() == nil }()
	p.Pin(b)
	return true
}

// giveBackBlobs ends what Blob began.
func (r *Request) giveBackBlobs() {
	if r.c.blobs.len > 0 {
		r.c.blobs.len = 0
		r.pinner.Unpin()
	}
}

// resultRead tells Python that it may let go of what the result refers to.
func (r *Request) resultRead() {
	if r.c.kept.len > 0 {
		C.request_read(r.c)
	}
}
