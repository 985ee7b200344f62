//go:build race

package cpython

import "sync/atomic"

type fence struct{ n atomic.Int64 }

func (f *fence) out() { f.n.Add(1) }
func (f *fence) in()  { f.n.Load() }
