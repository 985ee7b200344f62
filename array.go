package py

import (
	"fmt"
	"math/big"
	"reflect"
	"slices"

	"github.com/pycontext/py/internal/cpython"
	"github.com/pycontext/py/internal/wire"
)

// Element is what the items of an [Array] may be: the Go types of numpy's bool, int, uint, float and complex ones.
type Element interface {
	bool | int | int8 | int16 | int32 | int64 | uint | uint8 | uint16 | uint32 | uint64 | float32 | float64 | complex64 | complex128
}

// An Array is numbers with a shape, by value. As an argument or a callback's result it becomes a numpy.ndarray of its own,
// which Python may write to and keep; where numpy is not installed that is an ImportError. A result that is a numpy array,
// or has the buffer protocol (an array.array, a memoryview, bytes), decodes into an Array, from any strides and byte order;
// its items become those of T where T holds each of them exactly, and an error otherwise. A number is an Array of a single
// item, as an array without dimensions is one. An argument of a Go function decodes as a result does.
//
// The zero Array has no items. See [Lend] and [View] for data that is not copied.
type Array[T Element] struct {
	// Shape is the number of items along each dimension. It is empty, and not nil, for a single item; nil stands for one
	// dimension, as long as Data.
	Shape []int
	// Data are the items, those of the last dimension closest together.
	Data []T
}

// An arrayType is what there is to know of an Array of one type.
type arrayType struct {
	typ    reflect.Type
	format byte
	usual  func(*wire.Payload) (any, error)
}

func arrayOf[T Element]() arrayType {
	return arrayType{reflect.TypeFor[Array[T]](), elementFormat[T](), func(p *wire.Payload) (any, error) {
		var a Array[T]
		err := a.decodeArray(wire.KindArray, p)
		return a, err
	}}
}

// arrays has the usual type for a format first.
var arrays = []arrayType{
	arrayOf[bool](), arrayOf[int8](), arrayOf[int16](), arrayOf[int32](), arrayOf[int64](), arrayOf[int](),
	arrayOf[uint8](), arrayOf[uint16](), arrayOf[uint32](), arrayOf[uint64](), arrayOf[uint](),
	arrayOf[float32](), arrayOf[float64](), arrayOf[complex64](), arrayOf[complex128](),
}

func arrayTypes() (types []reflect.Type) {
	for _, a := range arrays {
		types = append(types, a.typ)
	}
	return types
}

func usualArray(p *wire.Payload) (any, error) {
	i := slices.IndexFunc(arrays, func(a arrayType) bool { return a.format == p.Format })
	return arrays[i].usual(p)
}

// elementFormat is the letter of SPEC.md.
func elementFormat[T Element]() byte {
	if t := reflect.TypeFor[T](); t.Kind() != reflect.Bool {
		return formatOf(t)
	}
	return '?'
}

// An arrayValue is an Array of any type; an arrayDestination is a pointer to one.
type (
	arrayValue       interface{ encodeArray(*wire.Encoder) error }
	arrayDestination interface {
		decodeArray(wire.Kind, *wire.Payload) error
	}
)

func (a Array[T]) encodeArray(e *wire.Encoder) error {
	shape, n := a.Shape, 1
	if shape == nil {
		shape = []int{len(a.Data)}
	}
	for _, size := range shape {
		if size < 0 || size > 0 && n > len(a.Data) {
			n = -1
			break
		}
		n *= size
	}
	if n != len(a.Data) {
		return fmt.Errorf("a %T of shape %v with %d items", a, shape, len(a.Data))
	}
	format := elementFormat[T]()
	e.Standard(wire.KindArray)
	e.Tuple(3)
	if err := e.Str(string(rune(format))); err != nil {
		return err
	}
	e.Tuple(len(shape))
	for _, size := range shape {
		e.Int(int64(size))
	}
	if e.Lend != nil && n > 0 {
		return e.Memory(&a.Data[0], n, format, false)
	}
	e.Bytes(littleEndian(format, cpython.Bytes(a.Data)))
	return nil
}

// decodeArray stores an array, or bytes, as far as T holds every item exactly.
func (a *Array[T]) decodeArray(k wire.Kind, p *wire.Payload) error {
	data, format, shape := p.Raw, p.Format, p.Shape
	if k != wire.KindArray {
		plain, ok := p.Plain.([]byte)
		if k == 0 && ok {
			data = plain
		} else if k != wire.KindByteArray {
			return a.decodeSingle(k, p)
		}
		format, shape = 'B', []int{len(data)}
	}
	a.Shape = slices.Clone(shape)
	if format == elementFormat[T]() && format != '?' {
		a.Data = make([]T, len(data)/wire.ItemSize(format))
		copy(cpython.Bytes(a.Data), littleEndian(format, data))
		return nil
	}
	items := wire.Payload{Format: format, Raw: data}
	d := wire.Decoder{Buf: items.Items(), Hooks: funcHooks}
	n, err := d.Count(wire.TagList)
	a.Data = make([]T, n)
	for i := 0; i < n && err == nil; i++ {
		if a.Data[i], err = wire.Decode[T](&d); err != nil {
			err = wire.At(err, fmt.Sprintf("[%d]", i))
		}
	}
	return err
}

// decodeSingle stores the one number of an array without dimensions, which travels as that number.
func (a *Array[T]) decodeSingle(k wire.Kind, p *wire.Payload) error {
	number := p.Plain
	switch number.(type) {
	case bool, int64, *big.Int, float64:
	default:
		if k != wire.KindComplex {
			return errOther
		}
		number = complex(p.Floats[0], p.Floats[1])
	}
	var e wire.Encoder
	e.Hooks = funcHooks
	if err := e.Value(number); err != nil {
		return err
	}
	v, err := wire.Decode[T](&wire.Decoder{Buf: e.Buf, Hooks: funcHooks})
	a.Shape, a.Data = []int{}, []T{v}
	return err
}

// littleEndian turns bytes of items from the machine's order to little-endian, or back: a copy, unless they are the same.
func littleEndian(format byte, data []byte) []byte {
	if !cpython.BigEndian {
		return data
	}
	size := wire.ItemSize(format)
	if format == 'F' || format == 'D' {
		size /= 2
	}
	data = slices.Clone(data)
	for i := 0; i < len(data); i += size {
		slices.Reverse(data[i : i+size])
	}
	return data
}
