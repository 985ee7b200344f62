package py

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/pycontext/py/internal/cpython"
	"github.com/pycontext/py/internal/wire"
)

// A Buffer is the memory of a Python object, of bytes, a bytearray, an array, a memoryview, a numpy array or anything else
// with the buffer protocol, where it is: [View] makes one. Python keeps the memory as it is, so that a bytearray cannot be
// resized, until Close, or until the context closes. From then on the memory is not touched any more: Data and Copy are
// [ErrClosed], and At panics. A Buffer that Go forgets is closed; so the use of its data has to end before the last use of
// the Buffer, such as a deferred Close.
//
// Any number of goroutines may use it, as far as Python leaves the memory alone meanwhile.
type Buffer[T Number] struct {
	object   *Object // the memoryview that keeps the memory
	life     *bufferLife
	address  uint64
	readOnly bool
	shape    []int
	strides  []int
	len      int
}

// bufferLife says whether memory of Python may be touched; while it is locked, it stays as it is.
type bufferLife struct {
	sync.RWMutex
	over bool
}

func (l *bufferLife) end() {
	l.Lock()
	l.over = true
	l.Unlock()
}

// View returns the memory of an object as items of type T, without a copy. A T that is not what the memory holds, by the
// object's own description, is a *[ConversionError]; an object without the buffer protocol is a TypeError. Close the Buffer
// when it is no longer needed.
//
// When ctx ends, View returns at once.
func View[T Number](ctx context.Context, o *Object) (*Buffer[T], error) {
	found, err := run[any](ctx, o.runner(), &request{verb: wire.VerbBuffer, object: o})
	if err != nil {
		return nil, err
	}
	f := fields(asTuple(found))
	b := &Buffer[T]{
		object:   field[*Object](f, 0),
		life:     &bufferLife{},
		address:  uint64(field[int64](f, 1)),
		readOnly: field[bool](f, 2),
		shape:    ints(field[Tuple](f, 5)),
		strides:  ints(field[Tuple](f, 6)),
		len:      1,
	}
	for _, n := range b.shape {
		b.len *= n
	}
	if err := checkItems[T](field[string](f, 3), int(field[int64](f, 4))); err != nil {
		b.object.Close()
		return nil, err
	}
	c := o.context
	if !c.addBuffer(b.life) {
		return nil, fmt.Errorf("py: view: %w", ErrClosed)
	}
	runtime.AddCleanup(b, c.removeBuffer, b.life)
	return b, nil
}

func ints(t Tuple) []int {
	all := make([]int, len(t))
	for i := range t {
		all[i] = int(field[int64](fields(t), i))
	}
	return all
}

// addBuffer makes the end of the context the end of a buffer. It returns false when that has come.
func (c *Context) addBuffer(l *bufferLife) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	if c.buffers == nil {
		c.buffers = map[*bufferLife]struct{}{}
	}
	c.buffers[l] = struct{}{}
	return true
}

func (c *Context) removeBuffer(l *bufferLife) {
	c.mu.Lock()
	delete(c.buffers, l)
	c.mu.Unlock()
}

// endBuffers ends all buffers, and waits for who copies from one at this moment. Python's memory is about to go.
func (c *Context) endBuffers() {
	c.mu.Lock()
	c.ended = true
	buffers := c.buffers
	c.buffers = nil
	c.mu.Unlock()
	for l := range buffers {
		l.end()
	}
}

// Shape is the number of items along each dimension; it has no elements for a single item. The caller owns it.
func (b *Buffer[T]) Shape() []int { return slices.Clone(b.shape) }

// Strides is the number of bytes from one item to the next along each dimension. The caller owns it.
func (b *Buffer[T]) Strides() []int { return slices.Clone(b.strides) }

// Len is the number of items.
func (b *Buffer[T]) Len() int { return b.len }

// ReadOnly tells that Data must not be written to: Python takes it that the memory never changes.
func (b *Buffer[T]) ReadOnly() bool { return b.readOnly }

// Close gives the memory back to Python, before that runs the next request. It does not wait; closing again does nothing. It
// always returns nil.
func (b *Buffer[T]) Close() error {
	b.life.end()
	b.object.context.removeBuffer(b.life)
	b.object.Close()
	return nil
}

// Data is the memory itself, where the items lie one after the other, the last dimension's closest (C-contiguous);
// otherwise it is an error, and Copy and At do. The slice is Python's memory: it must not be used any more when the Buffer
// or the context is closed, nor written to if ReadOnly.
func (b *Buffer[T]) Data() ([]T, error) {
	b.life.RLock()
	defer b.life.RUnlock()
	switch {
	case b.life.over:
		return nil, b.closedError()
	case b.len == 0:
		return []T{}, nil
	case !b.contiguous() || !cpython.Aligned[T](b.address, nil):
		return nil, fmt.Errorf("py: a buffer with the strides %v for the shape %v is no Go slice: use Copy", b.strides, b.shape)
	}
	return cpython.Items[T](b.address, b.len), nil
}

func (b *Buffer[T]) contiguous() bool {
	next := int(reflect.TypeFor[T]().Size())
	for i := len(b.shape) - 1; i >= 0; i-- {
		if b.shape[i] > 1 && b.strides[i] != next {
			return false
		}
		next *= b.shape[i]
	}
	return true
}

// Copy is a copy of all items, those of the last dimension closest together, whatever the strides. The caller owns it.
func (b *Buffer[T]) Copy() ([]T, error) {
	b.life.RLock()
	defer b.life.RUnlock()
	defer runtime.KeepAlive(b) // whose memory is given back when it is garbage
	if b.life.over {
		return nil, b.closedError()
	}
	items := make([]T, b.len)
	switch {
	case b.len == 0:
	case b.contiguous():
		copy(cpython.Bytes(items), cpython.Items[byte](b.address, len(cpython.Bytes(items))))
	default:
		cpython.Gather(items, b.address, b.shape, b.strides)
	}
	return items, nil
}

// At is the item at an index in each dimension. It panics where there is none, as indexing a slice does, and when the Buffer
// or the context is closed.
func (b *Buffer[T]) At(index ...int) T {
	if len(index) != len(b.shape) {
		panic(fmt.Sprintf("py: %d indices into a buffer of %d dimensions", len(index), len(b.shape)))
	}
	b.life.RLock()
	defer b.life.RUnlock()
	defer runtime.KeepAlive(b)
	if b.life.over {
		panic(b.closedError())
	}
	address := b.address
	for i, n := range index {
		if n < 0 || n >= b.shape[i] {
			panic(fmt.Sprintf("py: index %v out of range of a buffer of shape %v", index, b.shape))
		}
		address += uint64(n * b.strides[i])
	}
	return cpython.Item[T](address)
}

func (b *Buffer[T]) closedError() error { return fmt.Errorf("py: the buffer: %w", ErrClosed) }

// checkItems checks that items of a format of PEP 3118 are what a T is.
func checkItems[T Number](format string, size int) error {
	t := reflect.TypeFor[T]()
	kind, swapped := itemKind(format, size)
	if kind == itemOf(t) && !swapped {
		return nil
	}
	reason := fmt.Sprintf("the memory holds items of format %q, %d bytes each, and a Go %s is something else", format, size, t)
	switch {
	case swapped:
		reason += ": its byte order is not this machine's"
	case kind != reflect.Invalid:
		reason += ": use a " + kind.String()
	default:
		reason += ": take it as a slice or a py.Array"
	}
	return misfit("view", reason, nil)
}

// itemOf is the kind of a type's memory: int is int32 or int64.
func itemOf(t reflect.Type) reflect.Kind {
	k := t.Kind()
	if k == reflect.Int || k == reflect.Uint {
		k += reflect.Int64 - reflect.Int
		if t.Bits() == 32 {
			k--
		}
	}
	return k
}

// itemKind is the Go kind of a format, or Invalid, and whether the bytes are in the wrong order.
func itemKind(format string, size int) (kind reflect.Kind, swapped bool) {
	order, letter := byte('@'), format
	if letter != "" && strings.IndexByte("@=<>!", letter[0]) >= 0 {
		order, letter = letter[0], letter[1:]
	}
	big := order == '>' || order == '!'
	little := order == '<'
	swapped = size > 1 && (big && !cpython.BigEndian || little && cpython.BigEndian)
	switch letter {
	case "b", "h", "i", "l", "q", "n":
		kind = map[int]reflect.Kind{1: reflect.Int8, 2: reflect.Int16, 4: reflect.Int32, 8: reflect.Int64}[size]
	case "B", "H", "I", "L", "Q", "N", "c", "?":
		kind = map[int]reflect.Kind{1: reflect.Uint8, 2: reflect.Uint16, 4: reflect.Uint32, 8: reflect.Uint64}[size]
	case "f", "d":
		kind = map[int]reflect.Kind{4: reflect.Float32, 8: reflect.Float64}[size]
	case "F", "D", "Zf", "Zd":
		kind = map[int]reflect.Kind{8: reflect.Complex64, 16: reflect.Complex128}[size]
	}
	return kind, swapped
}
