package wire

import (
	"encoding/binary"
	"math"
	"math/big"
	"slices"
	"unicode/utf8"
)

// An Encoder writes values behind what Buf holds. Its zero value works. It is for
// one goroutine at a time.
//
// After an error the bytes written since are of no use, and the encoder needs a
// Reset before it writes values again.
type Encoder struct {
	// Buf is what was written. Its array may be memory that is not Go's.
	Buf []byte
	// Grow returns buf with its contents and room for n bytes more; it should grow by
	// a factor, and panics where it cannot. Nil stands for growing on the Go heap.
	Grow func(buf []byte, n int) []byte
	// Lend keeps the memory that p points to where it is, for as long as Python may use it, and returns its number and
	// its address. Nil: nothing can be lent here.
	Lend func(p any) (number, address uint64)
	// Blob makes bytes a blob of the request, and returns its index. Nil, or false, as for few bytes: they are written out.
	Blob func(b []byte) (index int, ok bool)
	// BlobStr is Blob for a text.
	BlobStr func(s string) (index int, ok bool)
	// Converted are the numbers of the Go types whose values Python may make objects of. Nil: there are none.
	Converted *ConvertedTypes
	// Hooks writes the types of package py. Nil: there are none.
	Hooks *Hooks
	// Scope is for the hooks: what they need to know about this one encoding.
	Scope any
	// Holds are to be called, and dropped, by who owns the encoder once the bytes were read, or, with false, when it is
	// known that they never will be: hooks add what the bytes name in this process. Reset leaves them.
	Holds []func(read bool)
	// Keep is what must stay reachable for as long: its owner clears it where it calls Holds.
	Keep []any

	depth int // containers around the value being written
	hops  int // pointers followed to it, which may form a ring without a container
}

// Reset makes the encoder write into buf, behind its contents.
func (e *Encoder) Reset(buf []byte) {
	e.Buf, e.depth, e.hops = buf, 0, 0
}

// extend makes Buf n bytes longer and returns the new part.
func (e *Encoder) extend(n int) []byte {
	if cap(e.Buf)-len(e.Buf) < n {
		e.grow(n)
	}
	old := len(e.Buf)
	e.Buf = e.Buf[:old+n]
	return e.Buf[old:]
}

func (e *Encoder) grow(n int) {
	if e.Grow == nil {
		e.Buf = slices.Grow(e.Buf, max(n, 64))
	} else {
		e.Buf = e.Grow(e.Buf, n)
	}
}

// Byte writes a u8.
func (e *Encoder) Byte(b byte) { e.extend(1)[0] = b }

// Uint64 writes a u64.
func (e *Encoder) Uint64(u uint64) { binary.LittleEndian.PutUint64(e.extend(8), u) }

// Uvarint writes a uvarint.
func (e *Encoder) Uvarint(u uint64) {
	for u >= 0x80 {
		e.Byte(byte(u) | 0x80)
		u >>= 7
	}
	e.Byte(byte(u))
}

// Raw writes a raw: the length of s and its bytes, whatever they are. For text that
// was not checked before, use Text.
func (e *Encoder) Raw(s string) {
	e.Uvarint(uint64(len(s)))
	copy(e.extend(len(s)), s)
}

// Text writes a raw that must be valid UTF-8.
func (e *Encoder) Text(s string) error {
	if !utf8.ValidString(s) {
		return notUTF8(s)
	}
	e.Raw(s)
	return nil
}

func notUTF8(s string) error {
	return &Error{Type: "string", Reason: "a Python str is text, and this string is not valid UTF-8: " + quote(s) + "; use []byte for bytes"}
}

// None writes None.
func (e *Encoder) None() { e.Byte(byte(TagNone)) }

// Bool writes a bool.
func (e *Encoder) Bool(b bool) {
	if b {
		e.Byte(byte(TagTrue))
	} else {
		e.Byte(byte(TagFalse))
	}
}

// Int writes an int.
func (e *Encoder) Int(i int64) {
	if i == int64(int8(i)) {
		b := e.extend(2)
		b[0], b[1] = byte(TagInt8), byte(i)
		return
	}
	e.word(TagInt64, uint64(i))
}

// Uint writes an int.
func (e *Encoder) Uint(u uint64) {
	if u <= math.MaxInt64 {
		e.Int(int64(u))
		return
	}
	b := e.extend(11)
	b[0], b[1], b[2] = byte(TagBigInt), 0, 8
	binary.LittleEndian.PutUint64(b[3:], u)
}

// BigInt writes an int of any size, and None for nil.
func (e *Encoder) BigInt(x *big.Int) {
	switch {
	case x == nil:
		e.None()
	case x.IsInt64():
		e.Int(x.Int64())
	default:
		b := e.extend(2)
		b[0], b[1] = byte(TagBigInt), 0
		if x.Sign() < 0 {
			b[1] = 1
		}
		n := (x.BitLen() + 7) / 8
		e.Uvarint(uint64(n))
		slices.Reverse(x.FillBytes(e.extend(n)))
	}
}

// Float writes a float, a NaN with all its bits.
func (e *Encoder) Float(f float64) { e.word(TagFloat, math.Float64bits(f)) }

// Str writes a str. It is an error if s is not valid UTF-8.
func (e *Encoder) Str(s string) error {
	if !utf8.ValidString(s) {
		return notUTF8(s)
	}
	if len(s) < 0x80 {
		b := e.extend(2 + len(s))
		b[0], b[1] = byte(TagStr), byte(len(s))
		copy(b[2:], s)
		return nil
	}
	if e.BlobStr != nil {
		if i, ok := e.BlobStr(s); ok {
			e.blob(i)
			return nil
		}
	}
	e.head(TagStr, len(s))
	copy(e.extend(len(s)), s)
	return nil
}

// Bytes writes bytes.
func (e *Encoder) Bytes(b []byte) {
	if e.Blob != nil {
		if i, ok := e.Blob(b); ok {
			e.blob(i)
			return
		}
	}
	e.head(TagBytes, len(b))
	copy(e.extend(len(b)), b)
}

func (e *Encoder) blob(index int) {
	e.Byte(byte(TagBlob))
	e.Uvarint(uint64(index))
}

// List starts a list: its n items must follow.
func (e *Encoder) List(n int) { e.head(TagList, n) }

// Tuple starts a tuple: its n items must follow.
func (e *Encoder) Tuple(n int) { e.head(TagTuple, n) }

// Set starts a set: its n items must follow.
func (e *Encoder) Set(n int) { e.head(TagSet, n) }

// FrozenSet starts a frozenset: its n items must follow.
func (e *Encoder) FrozenSet(n int) { e.head(TagFrozenSet, n) }

// Dict starts a dict: n times a key and its value must follow.
func (e *Encoder) Dict(n int) { e.head(TagDict, n) }

// Ref writes a reference to a live Python object.
func (e *Encoder) Ref(handle uint64) { e.word(TagRef, handle) }

// Pointer writes the address of a live Python object, within Attach.
func (e *Encoder) Pointer(address uint64) { e.word(TagPointer, address) }

// Func writes a Go function by its number, which has to stay one until the bytes are read: see Holds.
func (e *Encoder) Func(number uint64, run FuncRun, name string) {
	e.word(TagFunc, number)
	e.Byte(byte(run))
	e.Raw(name)
}

// Memory writes n items that Python is to see where they are, at p, a pointer to the first. The format is that of SPEC.md.
func (e *Encoder) Memory(p any, n int, format byte, writable bool) error {
	if e.Lend == nil {
		return &Error{Type: "memory", Reason: "memory can only be lent in the arguments of a request: give Python a copy here"}
	}
	var number, address uint64
	if n > 0 {
		number, address = e.Lend(p)
	}
	e.word(TagMemory, number)
	e.Uint64(address)
	e.Uint64(uint64(n))
	e.Byte(format)
	if writable {
		e.Byte(1)
	} else {
		e.Byte(0)
	}
	return nil
}

// Standard starts a value of a standard class: its payload, one value, must follow.
func (e *Encoder) Standard(k Kind) {
	b := e.extend(2)
	b[0], b[1] = byte(TagStandard), byte(k)
}

// head writes a tag and a length or count.
func (e *Encoder) head(t Tag, n int) {
	if n < 0x80 {
		b := e.extend(2)
		b[0], b[1] = byte(t), byte(n)
		return
	}
	e.Byte(byte(t))
	e.Uvarint(uint64(n))
}

// word writes a tag and eight bytes.
func (e *Encoder) word(t Tag, u uint64) {
	putWord(e.extend(9), t, u)
}

func putWord(b []byte, t Tag, u uint64) {
	b = b[:9]
	b[0] = byte(t)
	binary.LittleEndian.PutUint64(b[1:], u)
}

// Nested writes a value in the place of one of a Go type that a hook writes, and counts it as a container: it may come back
// to itself.
func (e *Encoder) Nested(typ string, v any) error {
	if err := e.enter(typ); err != nil {
		return err
	}
	err := e.Value(v)
	e.leave()
	return err
}

// enter counts one container more around what follows; leave ends it.
func (e *Encoder) enter(typ string) error {
	if e.depth >= MaxDepth {
		return tooDeep(typ)
	}
	e.depth++
	return nil
}

func (e *Encoder) leave() { e.depth-- }
