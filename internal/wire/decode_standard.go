package wire

import (
	"errors"
	"fmt"
	"math/big"
	"reflect"
)

// A Payload is what a standard value is made of, as SPEC.md has it for each kind: the parts that the kind has are set, the
// others mean nothing. It belongs to the decoder, and Raw to its buffer.
type Payload struct {
	Ints   [9]int64    // the ints of a date, time, datetime, timedelta or range, in their order
	Floats [2]float64  // of a complex
	Raw    []byte      // of a UUID or a bytearray; the text of a Decimal or a Path, or the name of a time zone
	Named  bool        // the time zone's name is a key of the IANA database
	Big    [2]*big.Int // of a Fraction; of a timedelta whose microseconds no int64 holds, the first
	Parts  [3]any      // of a slice
	Plain  any         // of kind 0: what was a plain value
	Format byte        // of an array, whose bytes are Raw
	Shape  []int       // of an array
}

// intsOf is how many ints the payload of a kind begins with.
var intsOf = [...]int{KindDate: 3, KindTime: 5, KindDateTime: 8, KindAware: 9, KindRange: 3}

// kind returns the kind of the standard value that is next, if one is.
func (d *Decoder) kind() (Kind, bool) {
	if len(d.Buf) < 2 || d.Buf[0] != byte(TagStandard) {
		return 0, false
	}
	return Kind(d.Buf[1]), true
}

// isKind reads the tag and the kind if a standard value of that kind is next. Its payload follows.
func (d *Decoder) isKind(k Kind) bool {
	if next, ok := d.kind(); !ok || next != k {
		return false
	}
	d.Buf = d.Buf[2:]
	return true
}

// standard reads a standard value as the hooks make it: where into points to, or the usual one where that is nil.
func (d *Decoder) standard(into any) (any, error) {
	k, ok := d.kind()
	switch {
	case !ok:
		return nil, truncated()
	case k == 0 || k > KindRecord && k != KindArray:
		return nil, malformed("there is no %s", k)
	case d.Hooks == nil || d.Hooks.Standard == nil:
		return nil, noHook(TagStandard)
	case k == KindRecord:
		v, err := any(nil), d.openRecord()
		if err == nil {
			v, err = d.any()
		}
		return v, d.shutRecord(err)
	}
	at := d.Buf
	d.Buf = d.Buf[2:]
	if k == KindSlice {
		if d.depth >= MaxDepth {
			return nil, tooDeep(k.String())
		}
		d.depth++
	}
	err := d.readPayload(k)
	if k == KindSlice {
		d.depth--
	}
	if err != nil && k != KindSlice && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrLimit) {
		err = malformed("a %s: %v", k, err) // its parts are of another type
	}
	if err != nil {
		return nil, err
	}
	v, err := d.Hooks.Standard(k, &d.payload, into)
	if err == ErrOther && into != nil {
		return nil, (&Decoder{Buf: at}).mismatch(becomes(reflect.TypeOf(into).Elem()))
	}
	return v, hookError(k.String(), err)
}

// hookError is what a hook says of a value, at the value's place or, where it says so, within it.
func hookError(typ string, err error) error {
	var placed *Error
	if err == nil || errors.As(err, &placed) {
		return err
	}
	return &Error{Type: typ, Reason: err.Error(), Err: err}
}

// readPayload reads the payload of a kind into d.payload.
func (d *Decoder) readPayload(k Kind) (err error) {
	p := &d.payload
	switch k {
	case KindComplex:
		if err = d.parts(2); err == nil {
			p.Floats[0], err = d.float()
		}
		if err == nil {
			p.Floats[1], err = d.float()
		}
	case KindTimedelta:
		p.Ints[0], p.Big[0], err = d.integer()
	case KindDecimal, KindPath:
		p.Raw, err = d.str()
	case KindFraction:
		if err = d.parts(2); err == nil {
			p.Big[0], err = d.bigInt()
		}
		if err == nil {
			p.Big[1], err = d.bigInt()
		}
		if err == nil && p.Big[1].Sign() <= 0 {
			err = malformed("a denominator of %v", p.Big[1])
		}
	case KindUUID:
		if p.Raw, err = d.bytes(); err == nil && len(p.Raw) != 16 {
			err = malformed("a UUID of %d bytes", len(p.Raw))
		}
	case KindByteArray:
		p.Raw, err = d.bytes()
	case KindSlice:
		err = d.sliceParts()
	case KindArray:
		if err = d.arrayParts(); err == nil {
			err = d.countArray()
		}
	default:
		err = d.intParts(k)
	}
	return err
}

// parts reads the head of a payload that is a tuple of n values.
func (d *Decoder) parts(n int) error {
	count, err := d.Count(TagTuple)
	if err == nil && count != n {
		err = malformed("a standard value of %d parts instead of %d", count, n)
	}
	return err
}

func (d *Decoder) intParts(k Kind) error {
	n := intsOf[k]
	total := n
	if k == KindAware {
		total += 2
	}
	err := d.parts(total)
	for i := 0; i < n && err == nil; i++ {
		d.payload.Ints[i], err = d.int64()
	}
	if k == KindRange && err == nil && d.payload.Ints[2] == 0 {
		err = malformed("a range with a step of 0")
	}
	if k == KindAware && err == nil {
		if d.payload.Raw, err = d.str(); err == nil {
			d.payload.Named, err = d.bool()
		}
	}
	return err
}

func (d *Decoder) sliceParts() error {
	err := d.parts(3)
	var parts [3]any // apart from d.payload, which a slice within a slice uses too
	for i := 0; i < 3 && err == nil; i++ {
		parts[i], err = d.any()
	}
	d.payload.Parts = parts
	return err
}

// decStandard reads into one of Hooks.StandardTypes.
func decStandard(d *Decoder, v reflect.Value) error {
	k, ok := d.kind()
	switch {
	case ok && k == KindRecord:
		err := d.openRecord()
		if err == nil {
			err = decStandard(d, v)
		}
		return d.shutRecord(err)
	case ok:
		_, err := d.standard(v.Addr().Interface())
		return err
	case (v.Kind() == reflect.Pointer || v.Kind() == reflect.Slice) && d.is(TagNone):
		v.SetZero()
		return nil
	case d.isRef():
		return d.mismatch(becomes(v.Type()))
	}
	return d.plainAs(v)
}

// plainAs gives the hooks a plain value, as kind 0, for a type that may be made of one.
func (d *Decoder) plainAs(v reflect.Value) error {
	at := d.Buf
	x, err := d.Part()
	if err != nil {
		return err
	}
	d.payload.Plain = x
	_, err = d.Hooks.Standard(0, &d.payload, v.Addr().Interface())
	d.payload.Plain = nil
	if err == ErrOther {
		return (&Decoder{Buf: at}).mismatch(becomes(v.Type()))
	}
	return hookError("value", err)
}

// A record is what an object is to those who want no fields, and then its fields: a dict. Who reads the former passes over
// the latter when that is read.

// openRecord goes on to what the object is to those who want no fields; shutRecord passes over its fields.
func (d *Decoder) openRecord() error {
	d.Buf = d.Buf[2:]
	if d.hops > MaxDepth {
		return tooDeep(KindRecord.String())
	}
	d.hops++
	return nil
}

func (d *Decoder) shutRecord(err error) error {
	d.hops--
	if err == nil {
		err = d.skip(d.refs)
	}
	return err
}

// takeFields turns a record that is next into its fields.
func (d *Decoder) takeFields() error {
	if !d.isKind(KindRecord) {
		return nil
	}
	return d.skip(d.refs)
}

// A detour is what has to be done when the container at a depth has been read.
type detour struct {
	depth  int
	back   []byte // what follows a range, whose items were put in its place
	fields bool   // the fields of a record are to be passed over
}

// detours lets the container that is read next, at the present depth, end with what to says.
func (d *Decoder) detour(to detour) {
	to.depth = d.depth
	d.detours = append(d.detours, to)
}

// rejoin ends the detours of a container that has been read.
func (d *Decoder) rejoin() {
	for n := len(d.detours); n > 0 && d.detours[n-1].depth == d.depth; n-- {
		to := d.detours[n-1]
		d.detours = d.detours[:n-1]
		if to.fields && d.skip(d.refs) != nil {
			d.Buf = nil
		} else if !to.fields {
			d.Buf = to.back
		}
	}
}

// expandRange turns a range that is next into a list.
func (d *Decoder) expandRange() error {
	d.Buf = d.Buf[2:]
	if err := d.intParts(KindRange); err != nil {
		return err
	}
	list, err := d.listOf(d.payload.Ints[0], d.payload.Ints[1], d.payload.Ints[2])
	if err != nil {
		return err
	}
	d.detour(detour{back: d.Buf})
	d.Buf = list
	d.budget += len(list)
	return nil
}

// listOf is the encoded list of a range.
func (d *Decoder) listOf(start, stop, step int64) ([]byte, error) {
	count := uint64(0)
	switch {
	case step > 0 && start < stop:
		count = (uint64(stop)-uint64(start)-1)/uint64(step) + 1
	case step < 0 && start > stop:
		count = (uint64(start)-uint64(stop)-1)/(-uint64(step)) + 1
	}
	size := uint64(9)
	if start == int64(int8(start)) && stop == int64(int8(stop)) {
		size = 2
	}
	items, bytes := d.most()
	option, limit := "Items", items-min(d.account.items, items)
	if left := (bytes - min(d.account.bytes, bytes)) / size; left < limit {
		option, limit = "Bytes", left
	}
	if count > limit {
		return nil, &Error{Type: "range", Reason: fmt.Sprintf("a range of %d numbers is more than a slice may have by the limit: "+
			"see Options.Limits.%s, or take it as py.Range", count, option), Err: ErrLimit}
	}
	d.account.grown = true
	d.account.bytes += count * size
	e := Encoder{Buf: make([]byte, 0, 10+count*size)}
	e.List(int(count))
	for i := range count {
		e.Int(start + int64(i)*step)
	}
	return e.Buf, nil
}

func (d *Decoder) isRecord() bool {
	k, ok := d.kind()
	return ok && k == KindRecord
}
