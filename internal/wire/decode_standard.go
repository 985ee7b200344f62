package wire

import (
	"fmt"
	"math"
	"reflect"
)

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

// standard reads a standard value as the hooks make it, of type want if that is not nil.
func (d *Decoder) standard(want reflect.Type) (any, error) {
	k, ok := d.kind()
	if !ok {
		return nil, truncated()
	}
	if k == 0 || k > KindRecord {
		return nil, malformed("there is no %s", k)
	}
	if d.Hooks == nil || d.Hooks.Standard == nil {
		return nil, noHook(TagStandard)
	}
	if k == KindRecord {
		if err := d.dropFields(); err != nil {
			return nil, err
		}
		return d.any()
	}
	d.Buf = d.Buf[2:]
	if d.depth >= MaxDepth {
		return nil, tooDeep(k.String())
	}
	d.depth++
	payload, err := d.any()
	d.depth--
	if err != nil {
		return nil, err
	}
	v, err := d.Hooks.Standard(k, payload, want)
	if err != nil {
		return nil, &Error{Type: k.String(), Reason: err.Error(), Err: err}
	}
	return v, nil
}

// decStandard reads into one of Hooks.StandardTypes.
func decStandard(d *Decoder, v reflect.Value) error {
	if err := d.dropFields(); err != nil {
		return err
	}
	k, ok := d.kind()
	switch {
	case !ok && d.is(TagNone) && v.Kind() == reflect.Pointer:
		v.SetZero()
		return nil
	case !ok:
		return d.plainAs(v)
	}
	x, err := d.standard(v.Type())
	if err != nil {
		return err
	}
	rx := reflect.ValueOf(x)
	if rx.Type() != v.Type() {
		return &Error{Type: k.String(), Reason: "expected what becomes a Go " + v.Type().String() + ", got " + k.String()}
	}
	v.Set(rx)
	return nil
}

// plainAs gives the hooks a plain value, as kind 0, for a type that may be made of one.
func (d *Decoder) plainAs(v reflect.Value) error {
	want := d.mismatch("what becomes a Go " + v.Type().String())
	x, err := d.any()
	if err != nil {
		return err
	}
	made, err := d.Hooks.Standard(0, x, v.Type())
	if err != nil || reflect.TypeOf(made) != v.Type() {
		return want
	}
	v.Set(reflect.ValueOf(made))
	return nil
}

// A record is what an object is to those who want no fields, and then its fields: a dict.

// dropFields turns a record that is next into what the object is without its fields.
func (d *Decoder) dropFields() error {
	if !d.isKind(KindRecord) {
		return nil
	}
	itself := d.Buf
	look := Decoder{Buf: itself}
	if err := look.skip(math.MaxInt); err != nil {
		return err
	}
	itself = itself[:len(itself)-len(look.Buf)]
	after := Decoder{Buf: look.Buf, Hooks: d.Hooks, Scope: d.Scope}
	if err := after.skip(0); err != nil {
		return err
	}
	d.Buf = append(append(make([]byte, 0, len(itself)+len(after.Buf)), itself...), after.Buf...)
	return nil
}

// takeFields turns a record that is next into its fields.
func (d *Decoder) takeFields() error {
	if !d.isKind(KindRecord) {
		return nil
	}
	itself := Decoder{Buf: d.Buf, Hooks: d.Hooks, Scope: d.Scope}
	err := itself.skip(0)
	d.Buf = itself.Buf
	return err
}

// expandRange turns a range that is next into a list.
func (d *Decoder) expandRange() error {
	if k, ok := d.kind(); !ok || k != KindRange {
		return nil
	}
	d.Buf = d.Buf[2:]
	n, err := d.Count(TagTuple)
	if err != nil || n != 3 {
		return malformed("a range of %d parts, %v", n, err)
	}
	var part [3]int64
	for i := range part {
		if part[i], err = d.int64(); err != nil {
			return err
		}
	}
	list, err := d.listOf(part[0], part[1], part[2])
	if err != nil {
		return err
	}
	d.Buf = append(list, d.Buf...)
	d.budget += len(list)
	return nil
}

// maxRange is how many numbers the ranges in one value may become in slices.
const maxRange = 1 << 24

// listOf is the encoded list of a range.
func (d *Decoder) listOf(start, stop, step int64) ([]byte, error) {
	count := uint64(0)
	switch {
	case step == 0:
		return nil, malformed("a range with a step of 0")
	case step > 0 && start < stop:
		count = (uint64(stop)-uint64(start)-1)/uint64(step) + 1
	case step < 0 && start > stop:
		count = (uint64(start)-uint64(stop)-1)/(-uint64(step)) + 1
	}
	if count > uint64(maxRange-d.ranges) {
		return nil, &Error{Type: "range", Reason: fmt.Sprintf("a range of %d numbers is too long for a slice; take it as py.Range", count)}
	}
	d.ranges += int(count)
	var e Encoder
	e.List(int(count))
	for i := range count {
		e.Int(start + int64(i)*step)
	}
	return e.Buf, nil
}
