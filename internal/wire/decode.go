package wire

import (
	"encoding/binary"
	"math"
	"math/big"
	"slices"
	"unicode/utf8"
)

// A Decoder reads values from the front of Buf. Whatever it returns is a copy: the
// memory behind Buf may be used for something else afterwards. It is for one
// goroutine at a time.
//
// Any, Reflect, Field and [Decode] read one value. Where it does not fit the wanted
// type they pass over it all the same, so that the next value can be read; the
// destination is then in no defined state. Where the bytes are malformed, nothing
// more can be read.
type Decoder struct {
	// Buf is what is left to read.
	Buf []byte
	// Hooks makes the types of package py. Nil: there are none.
	Hooks *Hooks
	// Scope is given to the hooks: what they need to know about this one decoding.
	Scope any
	// Bytes returns the memory of this process that a value refers to by address. Nil: there is none.
	Bytes func(address, n uint64) []byte

	depth  int // containers around the value being read
	hops   int // pointers made on the way to it
	budget int // items that can still be promised, see count
	refs   int // references met since Reset, which were given to the hooks or dropped
	taken  int // as many were before Again

	account account

	marks map[*byte]uint64 // the Go types of parts of the value, by their first bytes; nil where there are none

	payload Payload  // of the standard value being read
	detours []detour // the innermost last
}

// Reset makes the decoder read buf.
func (d *Decoder) Reset(buf []byte) { d.Buf, d.refs, d.taken, d.account = buf, 0, 0, account{} }

// ResetCall makes it read the arguments of a call, as SPEC.md has them, for all of which together the limits hold.
func (d *Decoder) ResetCall(buf []byte) {
	d.Reset(buf)
	d.account.together, d.account.call = true, buf
}

// Again makes it read buf, which it was reset to, once more, to pass over values: those of its references that were not given to the
// hooks are dropped. It is for what code of a hook left in the middle.
func (d *Decoder) Again(buf []byte) { d.Buf, d.refs, d.taken = buf, 0, d.refs }

// Byte reads a u8.
func (d *Decoder) Byte() (byte, error) {
	if len(d.Buf) == 0 {
		return 0, truncated()
	}
	b := d.Buf[0]
	d.Buf = d.Buf[1:]
	return b, nil
}

// Uint64 reads a u64.
func (d *Decoder) Uint64() (uint64, error) {
	if len(d.Buf) < 8 {
		return 0, truncated()
	}
	u := binary.LittleEndian.Uint64(d.Buf)
	d.Buf = d.Buf[8:]
	return u, nil
}

// Uvarint reads a uvarint.
func (d *Decoder) Uvarint() (uint64, error) {
	if len(d.Buf) > 0 && d.Buf[0] < 0x80 {
		u := uint64(d.Buf[0])
		d.Buf = d.Buf[1:]
		return u, nil
	}
	u, n := binary.Uvarint(d.Buf)
	switch {
	case n == 0:
		return 0, truncated()
	case n < 0:
		return 0, malformed("a uvarint exceeds 64 bits")
	}
	d.Buf = d.Buf[n:]
	return u, nil
}

// Raw reads a raw. The bytes are not copied.
func (d *Decoder) Raw() ([]byte, error) {
	n, err := d.Uvarint()
	if err != nil {
		return nil, err
	}
	if n > uint64(len(d.Buf)) {
		return nil, truncated()
	}
	b := d.Buf[:n:n]
	d.Buf = d.Buf[n:]
	return b, nil
}

// text reads a raw that must be valid UTF-8. The bytes are not copied.
func (d *Decoder) text() ([]byte, error) {
	b, err := d.Raw()
	if err == nil && !utf8.Valid(b) {
		err = notText(b)
	}
	return b, err
}

func notText(b []byte) error {
	return malformed("text is not valid UTF-8: %s", quote(string(b)))
}

// Text reads a raw that must be valid UTF-8.
func (d *Decoder) Text() (string, error) {
	b, err := d.text()
	return string(b), err
}

// Peek returns the tag of the next value, and leaves it there.
func (d *Decoder) Peek() (Tag, error) {
	if len(d.Buf) == 0 {
		return 0, truncated()
	}
	if t := Tag(d.Buf[0]); t.known() {
		return t, nil
	}
	return 0, malformed("there is no %s", Tag(d.Buf[0]))
}

// tag reads the tag of a value that is known to have more than one byte.
func (d *Decoder) tag() (Tag, error) {
	t, err := d.Peek()
	if err == nil {
		d.Buf = d.Buf[1:]
	}
	return t, err
}

// is reads the tag t if it is the next one.
func (d *Decoder) is(t Tag) bool {
	if len(d.Buf) == 0 || d.Buf[0] != byte(t) {
		return false
	}
	d.Buf = d.Buf[1:]
	return true
}

// Count reads the head of a container of the wanted tag, and returns how many items,
// or pairs of a dict, follow.
func (d *Decoder) Count(want Tag) (int, error) {
	if !d.is(want) {
		return 0, d.mismatch(want.String())
	}
	n, err := d.Uvarint()
	if err != nil {
		return 0, err
	}
	return d.fits(n, width(want))
}

// width returns how many values make one entry of a container.
func width(t Tag) int {
	if t == TagDict {
		return 2
	}
	return 1
}

// fits checks a count of entries, of width values each, against the bytes left.
func (d *Decoder) fits(n uint64, width int) (int, error) {
	if n > uint64(len(d.Buf)/width) {
		return 0, malformed("a count of %d exceeds the %d bytes left", n, len(d.Buf))
	}
	return int(n), nil
}

// open reads the count of a container and counts one level more; shut ends it.
//
// Every value takes a byte of its own, so all the counts of a value together cannot
// exceed its bytes: the budget. It bounds what is allocated for counts, where each
// alone could promise all the bytes that are left, a thousand levels deep.
func (d *Decoder) open(t Tag) (int, error) {
	u, err := d.Uvarint()
	if err != nil {
		return 0, err
	}
	n, err := d.fits(u, width(t))
	if err != nil {
		return 0, err
	}
	if d.budget -= n * width(t); d.budget < 0 {
		return 0, malformed("the counts together exceed the bytes")
	}
	if d.depth >= MaxDepth {
		return 0, tooDeep(t.String())
	}
	d.depth++
	if d.account.items += uint64(n); d.account.grown {
		return n, d.grow(0, t.String())
	}
	return n, nil
}

func (d *Decoder) shut() {
	d.depth--
	if len(d.detours) > 0 {
		d.rejoin()
	}
}

// begin starts one value, behind its marks: beginMarked comes first where marksDue says so, which keeps both in line.
func (d *Decoder) begin() {
	d.depth, d.hops, d.budget, d.detours = 0, 0, len(d.Buf), d.detours[:0]
	if a := &d.account; !a.together {
		a.items, a.bytes, a.grown = 0, 0, false
	}
}

// abandon ends a value that could not be decoded: it passes over the whole of it, and
// drops the references that were not yet given to the hooks.
func (d *Decoder) abandon(start []byte, refs int, err error) error {
	s := Decoder{Buf: start, Hooks: d.Hooks, Scope: d.Scope}
	given := d.refs - refs
	if s.skip(given) != nil {
		s.Buf = nil
	}
	d.Buf, d.refs = s.Buf, refs+s.refs
	return err
}

// bool reads a bool.
func (d *Decoder) bool() (bool, error) {
	if d.is(TagTrue) {
		return true, nil
	}
	if d.is(TagFalse) {
		return false, nil
	}
	return false, d.mismatch("bool")
}

// integer reads an int; big is nil if it fits an int64.
func (d *Decoder) integer() (n int64, big *big.Int, err error) {
	b := d.Buf
	if len(b) >= 2 && b[0] == byte(TagInt8) {
		d.Buf = b[2:]
		return int64(int8(b[1])), nil, nil
	}
	if len(b) >= 9 && b[0] == byte(TagInt64) {
		d.Buf = b[9:]
		return int64(binary.LittleEndian.Uint64(b[1:])), nil, nil
	}
	return d.bigint()
}

func (d *Decoder) bigint() (int64, *big.Int, error) {
	if !d.is(TagBigInt) {
		if d.is(TagInt8) || d.is(TagInt64) {
			return 0, nil, truncated()
		}
		return 0, nil, d.mismatch("int")
	}
	sign, err := d.Byte()
	if err != nil {
		return 0, nil, err
	}
	b, err := d.Raw()
	switch {
	case err != nil:
		return 0, nil, err
	case sign > 1:
		return 0, nil, malformed("a sign of %d", sign)
	case len(b) > 0 && b[len(b)-1] == 0:
		return 0, nil, malformed("a bigint ends with a zero byte")
	}
	b = slices.Clone(b)
	slices.Reverse(b)
	x := new(big.Int).SetBytes(b)
	if sign == 1 {
		x.Neg(x)
	}
	if x.IsInt64() {
		return x.Int64(), nil, nil
	}
	return 0, x, nil
}

// float reads a float, nothing else.
func (d *Decoder) float() (float64, error) {
	b := d.Buf
	if len(b) < 9 || b[0] != byte(TagFloat) {
		if d.is(TagFloat) {
			return 0, truncated()
		}
		return 0, d.mismatch("float")
	}
	d.Buf = b[9:]
	return math.Float64frombits(binary.LittleEndian.Uint64(b[1:])), nil
}

// str reads a str. The bytes are not copied.
func (d *Decoder) str() ([]byte, error) {
	b, err := d.rawStr()
	if err == nil && !utf8.Valid(b) {
		err = notText(b)
	}
	return b, err
}

// rawStr is str without a look at the bytes.
func (d *Decoder) rawStr() ([]byte, error) {
	b := d.Buf
	if len(b) >= 2 && b[0] == byte(TagStr) && b[1] < 0x80 {
		if n := 2 + int(b[1]); n <= len(b) {
			d.Buf = b[n:]
			return b[2:n:n], nil
		}
	}
	if d.is(TagKeptStr) {
		return d.kept()
	}
	if !d.is(TagStr) {
		return nil, d.mismatch("str")
	}
	return d.Raw()
}

// isStr reports whether a str is next.
func (d *Decoder) isStr() bool {
	return len(d.Buf) > 0 && (d.Buf[0] == byte(TagStr) || d.Buf[0] == byte(TagKeptStr))
}

// bytes reads bytes, which are not copied.
func (d *Decoder) bytes() ([]byte, error) {
	if d.is(TagKept) {
		return d.kept()
	}
	if !d.is(TagBytes) {
		return nil, d.mismatch("bytes")
	}
	return d.Raw()
}

// kept reads what follows TagKept or TagKeptStr: where the bytes are.
func (d *Decoder) kept() ([]byte, error) {
	address, err := d.Uint64()
	if err != nil {
		return nil, err
	}
	n, err := d.Uint64()
	if err != nil {
		return nil, err
	}
	if d.Bytes == nil {
		return nil, malformed("bytes by address")
	}
	return d.Bytes(address, n), nil
}

// ref reads a reference and gives it to the hooks.
func (d *Decoder) ref() (any, error) {
	if !d.isRef() {
		return nil, d.mismatch("object that has no Go form")
	}
	if err := d.unname(); err != nil {
		return nil, err
	}
	handle, err := d.Uint64()
	if err != nil {
		return nil, err
	}
	if d.Hooks == nil || d.Hooks.Ref == nil {
		return nil, noHook(TagRef)
	}
	d.refs++
	return d.Hooks.Ref(d.Scope, handle)
}

// Object reads a reference as the hooks make it, and None as nil; want names what it is to be.
func (d *Decoder) Object(want string) (any, error) {
	if d.isRecord() {
		v, err := any(nil), d.openRecord()
		if err == nil {
			v, err = d.Object(want)
		}
		return v, d.shutRecord(err)
	}
	if d.is(TagNone) {
		return nil, nil
	}
	if len(d.Buf) > 0 && !d.isRef() {
		return nil, d.mismatch(want)
	}
	return d.ref()
}

// isRef reports whether a reference is next, with the name of its class or without.
func (d *Decoder) isRef() bool {
	return len(d.Buf) > 0 && (d.Buf[0] == byte(TagRef) || d.Buf[0] == byte(TagNamed))
}

// unname reads the head of a reference, which is known to be next: the name of its class, if there is one, and the tag.
func (d *Decoder) unname() error {
	if d.is(TagNamed) {
		if _, err := d.Raw(); err != nil {
			return err
		}
	}
	if !d.is(TagRef) {
		return malformed("the name of a class without an object")
	}
	return nil
}

func noHook(t Tag) error {
	return &Error{Type: t.String(), Reason: "no Go type stands for a Python " + t.String() + " here"}
}
