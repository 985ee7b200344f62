package wire

import (
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

func (h *Hooks) decSlice(t reflect.Type) decFunc {
	if t.Elem().Kind() == reflect.Uint8 && !h.isSpecial(t.Elem()) {
		return decBytes
	}
	elem, size := h.decPlan(t.Elem()), int(t.Elem().Size())
	return func(d *Decoder, v reflect.Value) error {
		n, err := d.sequence()
		if err != nil {
			return err
		}
		v.SetZero()
		if n < 0 {
			return nil
		}
		if n == 0 {
			v.Set(reflect.MakeSlice(t, 0, 0))
		} else {
			v.Grow(firstCap(n, size, len(d.Buf)))
		}
		for i := range n {
			if i >= v.Len() {
				v.Grow(1)
				v.SetLen(min(n, v.Cap()))
			}
			if err := elem(d, v.Index(i)); err != nil {
				return atIndex(err, i)
			}
		}
		d.shut()
		return nil
	}
}

// firstCap returns for how many of n elements memory is taken before they are read:
// all, unless the count is out of proportion to the bytes left.
func firstCap(n, size, left int) int {
	const proportion = 32
	if size == 0 || n <= proportion*left/size {
		return n
	}
	return max(1, proportion*left/size)
}

func decBytes(d *Decoder, v reflect.Value) error {
	b, err := d.byteSlice()
	if err == nil {
		v.SetBytes(b)
	}
	return err
}

func (h *Hooks) decArray(t reflect.Type) decFunc {
	if t.Elem().Kind() == reflect.Uint8 && !h.isSpecial(t.Elem()) {
		return decByteArray
	}
	elem := h.decPlan(t.Elem())
	return func(d *Decoder, v reflect.Value) error {
		tag, err := d.Peek()
		if err != nil {
			return err
		}
		if tag != TagList && tag != TagTuple && tag != TagStandard {
			return d.mismatch("list")
		}
		n, err := d.sequence()
		if tag == TagStandard {
			tag = TagList
		}
		if err != nil {
			return err
		}
		if n != t.Len() {
			return wrongLen(tag, t, n)
		}
		for i := range n {
			if err := elem(d, v.Index(i)); err != nil {
				return atIndex(err, i)
			}
		}
		d.shut()
		return nil
	}
}

func wrongLen(tag Tag, t reflect.Type, n int) error {
	return &Error{Type: tag.String(), Reason: fmt.Sprintf("expected %s of length %d, got length %d; a slice takes any", tag, t.Len(), n)}
}

func decByteArray(d *Decoder, v reflect.Value) error {
	_ = d.isKind(KindUUID) || d.isKind(KindByteArray)
	b, err := d.bytes()
	if err != nil {
		return err
	}
	if len(b) != v.Len() {
		return wrongLen(TagBytes, v.Type(), len(b))
	}
	copy(v.Bytes(), b)
	return nil
}

func (h *Hooks) decMap(t reflect.Type) decFunc {
	key, elem := h.decKey(t.Key()), h.decPlan(t.Elem())
	set := h.decSet(t, key)
	return func(d *Decoder, v reflect.Value) error {
		if set != nil && len(d.Buf) > 0 && d.Buf[0] != byte(TagDict) && d.Buf[0] != byte(TagStandard) {
			return set(d, v)
		}
		n, err := d.mapping()
		if err != nil {
			return err
		}
		if n < 0 {
			v.SetZero()
			return nil
		}
		m := reflect.MakeMapWithSize(t, n)
		k, x := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		for i := range n {
			k.SetZero()
			x.SetZero()
			if err := key(d, k); err != nil {
				return atKeys(err)
			}
			if err := elem(d, x); err != nil {
				return atKey(err, k.Interface())
			}
			if m.SetMapIndex(k, x); m.Len() <= i {
				return collision(k.Interface())
			}
		}
		v.Set(m)
		d.shut()
		return nil
	}
}

// decSet reads sets into a map[K]struct{}; it is nil for other maps.
func (h *Hooks) decSet(t reflect.Type, key decFunc) decFunc {
	if t.Elem() != emptyType {
		return nil
	}
	return func(d *Decoder, v reflect.Value) error {
		tag, err := d.Peek()
		if err != nil {
			return err
		}
		if tag == TagNone {
			d.Buf = d.Buf[1:]
			v.SetZero()
			return nil
		}
		if tag != TagSet && tag != TagFrozenSet {
			return d.mismatch("set")
		}
		d.Buf = d.Buf[1:]
		n, err := d.open(tag)
		if err != nil {
			return err
		}
		m := reflect.MakeMapWithSize(t, n)
		k, x := reflect.New(t.Key()).Elem(), reflect.Zero(emptyType)
		for i := range n {
			k.SetZero()
			if err := key(d, k); err != nil {
				return atKeys(err)
			}
			if m.SetMapIndex(k, x); m.Len() <= i {
				return collision(k.Interface())
			}
		}
		v.Set(m)
		d.shut()
		return nil
	}
}

// decKey returns how keys of a map are read. An interface takes what can be found
// again by its value, since a Go map panics about some of the rest, and would hold
// the others by their address.
func (h *Hooks) decKey(t reflect.Type) decFunc {
	dec := h.decPlan(t)
	return func(d *Decoder, k reflect.Value) error {
		at := d.Buf
		if _, err := d.Peek(); err != nil {
			return err
		}
		if err := d.checkHashable(); err != nil {
			return err
		}
		if err := dec(d, k); err != nil {
			return err
		}
		if !k.Comparable() || k.Kind() == reflect.Interface && !plainKey(k.Interface()) {
			got, _ := (&Decoder{Buf: at}).what()
			return &Error{Type: got, Reason: got + " cannot be a key of a Go map[" + t.String() + "]; take a dict as py.Dict, a set as py.Set"}
		}
		return nil
	}
}

func (h *Hooks) decStruct(t reflect.Type) decFunc {
	s := h.structure(t)
	decs := h.decFields(s)
	return func(d *Decoder, v reflect.Value) error {
		if s.err != nil {
			return copyError(s.err)
		}
		if err := d.takeFields(); err != nil {
			return err
		}
		if !d.is(TagDict) {
			return s.mismatch(d)
		}
		n, err := d.open(TagDict)
		if err != nil {
			return err
		}
		var few [64]bool
		seen := few[:]
		if len(s.fields) > len(few) {
			seen = make([]bool, len(s.fields))
		}
		for at := -1; n > 0; n-- {
			var f *field
			key := d.Buf
			if f, at, err = d.key(s, at+1); err != nil {
				return err
			}
			switch {
			case f == nil && s.strict:
				return d.unknownKey(key)
			case f == nil:
				err = d.skip(d.refs)
			case seen[at]:
				return collision(f.name)
			default:
				seen[at] = true
				if err = f.decode(d, v, decs[at]); err != nil {
					err = At(err, "."+f.name)
				}
			}
			if err != nil {
				return err
			}
		}
		d.shut()
		return s.missing(seen)
	}
}

// unknownKey is the error of a key, which is next in buf, that a strict struct has no field for.
func (d *Decoder) unknownKey(buf []byte) error {
	key, _ := (&Decoder{Buf: buf, Bytes: d.Bytes}).any()
	return atKey(&Error{Type: "dict", Reason: "the Go struct has no field for this key, and is strict"}, key)
}

// mismatch is the error of what is no dict and, where it is an object, has none of the fields; a class is not asked for them.
func (s *structure) mismatch(d *Decoder) error {
	if t, _ := d.Peek(); t != TagRef && t != TagNamed && t != TagTuple {
		return d.mismatch("dict")
	}
	var names []string
	for i := range s.fields[:min(len(s.fields), 5)] {
		names = append(names, s.fields[i].name)
	}
	return d.mismatchThat("dict", ", which is no instance with one of the attributes "+strings.Join(names, ", "))
}

// missing is the error of a required field that did not come.
func (s *structure) missing(seen []bool) error {
	for i := range s.fields {
		if s.fields[i].required && !seen[i] {
			return At(&Error{Type: "dict", Reason: "it is missing, and required"}, "."+s.fields[i].name)
		}
	}
	return nil
}

// key reads the key of a dict and returns the field that it names, or nil; guess is
// the one to try first.
func (d *Decoder) key(s *structure, guess int) (*field, int, error) {
	if len(d.Buf) > 0 && !d.isStr() {
		return nil, guess - 1, d.skip(d.refs)
	}
	name, err := d.rawStr()
	if err != nil {
		return nil, guess - 1, atKeys(err)
	}
	f, at := s.find(name, guess)
	if f == nil && !utf8.Valid(name) { // the names of fields are valid
		err = atKeys(notText(name))
	}
	return f, at, err
}

func (f *field) decode(d *Decoder, v reflect.Value, dec decFunc) error {
	if len(f.path) == 1 {
		return dec(d, v.Field(f.path[0]))
	}
	x, err := f.make(v)
	if err != nil {
		return err
	}
	return dec(d, x)
}

// Field reads one value into the field named name of v, which must be a settable
// struct, and reports whether it has such a field. If not, the value is left there.
// The path of an error starts at the field's value.
func (d *Decoder) Field(v reflect.Value, name string) (bool, error) {
	h := d.Hooks.orNone()
	s := h.structure(v.Type())
	if s.err != nil {
		return false, copyError(s.err)
	}
	i, ok := s.index[name]
	if !ok {
		return false, nil
	}
	if d.marksDue() {
		d.beginMarked()
	}
	d.begin()
	start, refs := d.Buf, d.refs
	f := &s.fields[i]
	if err := f.decode(d, v, h.decFields(s)[i]); err != nil {
		return true, d.abandon(start, refs, err)
	}
	return true, nil
}
