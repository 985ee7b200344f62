//go:build cgo && (linux || darwin)

package arrow

import (
	"runtime"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// rebuild makes data of the same items whose buffers are what wrap makes of those of d. The caller owns it.
func rebuild(d arrow.ArrayData, wrap func(*memory.Buffer) *memory.Buffer) *array.Data {
	buffers, children, offset := wrapped(d.Buffers(), wrap), make([]arrow.ArrayData, len(d.Children())), d.Offset()
	for i, child := range d.Children() {
		children[i] = rebuild(child, wrap)
	}
	var dictionary *array.Data
	if of, ok := d.Dictionary().(*array.Data); ok && of != nil {
		dictionary = rebuild(of, wrap)
		defer dictionary.Release()
	}
	data := array.NewData(d.DataType(), d.Len(), buffers, children, d.NullN(), offset)
	if dictionary != nil {
		data.SetDictionary(dictionary)
	}
	for _, b := range buffers {
		if b != nil {
			b.Release()
		}
	}
	for _, child := range children {
		child.Release()
	}
	return data
}

func wrapped(buffers []*memory.Buffer, wrap func(*memory.Buffer) *memory.Buffer) []*memory.Buffer {
	all := make([]*memory.Buffer, len(buffers))
	for i, b := range buffers {
		switch {
		case b == nil:
		case b.Len() == 0:
			b.Retain()
			all[i] = b
		default:
			all[i] = wrap(b)
		}
	}
	return all
}

// A holder ends what a buffer was wrapped for, by the role of an allocator whose memory is let go.
type holder struct {
	buffer *memory.Buffer
	pinner runtime.Pinner
	free   func(*holder)
}

func (h *holder) Free([]byte)                 { h.free(h) }
func (*holder) Allocate(int) []byte           { panic("py/arrow: memory of another") }
func (*holder) Reallocate(int, []byte) []byte { panic("py/arrow: memory of another") }

func hold(b *memory.Buffer, free func(*holder)) (*memory.Buffer, *holder) {
	b.Retain()
	h := &holder{buffer: b, free: free}
	return memory.NewBufferWithAllocator(b.Bytes(), h), h
}

// pinned keeps a buffer in its place until Python has let go of it. Memory that is not the Go runtime's does so by itself.
func pinned(b *memory.Buffer) *memory.Buffer {
	buffer, h := hold(b, func(h *holder) {
		h.pinner.Unpin()
		h.buffer.Release()
		exported.Add(-1)
	})
	pin(&h.pinner, &buffer.Bytes()[0])
	exported.Add(1)
	return buffer
}

func pin(p *runtime.Pinner, b *byte) {
	defer func() { recover() }() // it panics for memory that is not Go's
	p.Pin(b)
}

// borrowed is Python's memory. It is given back elsewhere, later: whoever releases it may hold a lock of an interpreter, and of
// another one than the producer's.
func borrowed(b *memory.Buffer) *memory.Buffer {
	buffer, _ := hold(b, func(h *holder) { releases.add(h.buffer) })
	imported.Add(1)
	return buffer
}

// copied is Go's.
func copied(b *memory.Buffer) *memory.Buffer {
	buffer := memory.NewResizableBuffer(memory.DefaultAllocator)
	buffer.Resize(b.Len())
	copy(buffer.Bytes(), b.Bytes())
	return buffer
}

// releases gives back, one after the other, on a goroutine that is there while there is something to do: the producer may have
// to wait for the interpreter's lock, with a thread for each.
var releases releaser

type releaser struct {
	sync.Mutex
	waiting []*memory.Buffer
	running bool
}

func (r *releaser) add(b *memory.Buffer) {
	r.Lock()
	defer r.Unlock()
	r.waiting = append(r.waiting, b)
	if !r.running {
		r.running = true
		go r.run()
	}
}

func (r *releaser) run() {
	for {
		r.Lock()
		all := r.waiting
		r.waiting = nil
		r.running = len(all) > 0
		r.Unlock()
		if len(all) == 0 {
			return
		}
		for _, b := range all {
			b.Release()
			imported.Add(-1)
		}
	}
}

// whole makes an array of the same items that begins at the start of its children: what arrow-go exports of a part of a struct or
// sparse union array is offset twice. The bits that tell nulls are copied then. The caller owns it.
func whole(d arrow.ArrayData) *array.Data {
	children, offset, buffers, nulls := make([]arrow.ArrayData, len(d.Children())), d.Offset(), d.Buffers(), d.NullN()
	shift := offset != 0 && (d.DataType().ID() == arrow.STRUCT || d.DataType().ID() == arrow.SPARSE_UNION)
	for i, child := range d.Children() {
		if shift {
			child = array.NewSliceData(child, int64(offset), int64(offset+d.Len()))
			defer child.Release()
		}
		children[i] = whole(child)
		defer children[i].Release()
	}
	if shift {
		buffers = shifted(d)
		offset = 0
		for _, b := range buffers {
			if b != nil {
				defer b.Release()
			}
		}
	}
	data := array.NewData(d.DataType(), d.Len(), buffers, children, nulls, offset)
	if of, ok := d.Dictionary().(*array.Data); ok && of != nil {
		dictionary := whole(of)
		defer dictionary.Release()
		data.SetDictionary(dictionary)
	}
	return data
}

func shifted(d arrow.ArrayData) []*memory.Buffer {
	buffers, offset, n := make([]*memory.Buffer, len(d.Buffers())), d.Offset(), d.Len()
	if valid := d.Buffers()[0]; valid != nil && valid.Len() > 0 {
		bits := make([]byte, bitutil.BytesForBits(int64(n)))
		bitutil.CopyBitmap(valid.Bytes(), offset, n, bits, 0)
		buffers[0] = memory.NewBufferBytes(bits)
	}
	if len(buffers) > 1 { // the type of each item
		buffers[1] = memory.SliceBuffer(d.Buffers()[1], offset, n)
	}
	return buffers
}
