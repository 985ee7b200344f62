package arrow

import "sync/atomic"

// Counts is what is alive between Go and Python.
type Counts struct {
	Imported int64 // buffers of Python's that Go holds
	Exported int64 // buffers of Go's that Python can reach
	Objects  int64 // objects and streams of Go's in Python
}

// Live returns the counts. They go down a moment after the last Release, or after Python's garbage collection.
func Live() Counts {
	return Counts{imported.Load(), exported.Load(), objects.Load()}
}

var imported, exported, objects atomic.Int64
