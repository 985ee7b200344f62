package wire

import (
	"encoding/binary"
	"reflect"
)

// Decode reads one value as a T, by the rules of [Decoder.Reflect]. For the common
// types it takes no reflection, and nothing but the value itself is allocated.
func Decode[T any](d *Decoder) (T, error) {
	var v T
	if d.marksDue() {
		d.beginMarked()
	}
	d.begin()
	start, refs := d.Buf, d.refs
	ok, err := d.fast(&v)
	if !ok && err == nil {
		v, err = decodeSlow[T](d)
	} else if err != nil {
		v, err = decodeRef[T](d, start, err)
	}
	if err != nil {
		var zero T
		return zero, d.abandon(start, refs, err)
	}
	return v, nil
}

// decodeSlow has a variable of its own, so that the one in Decode can stay off the heap.
func decodeSlow[T any](d *Decoder) (T, error) {
	v := new(T)
	err := d.Hooks.orNone().decPlan(reflect.TypeFor[T]())(d, reflect.ValueOf(v).Elem())
	return *v, err
}

// decodeRef is for what did not go without reflection, for the reason why: it may be a reference, behind which there is more.
func decodeRef[T any](d *Decoder, at []byte, why error) (zero T, _ error) {
	if len(at) == 0 || at[0] != byte(TagRef) {
		return zero, why
	}
	d.Buf = at
	return decodeSlow[T](d)
}

// fast reads into p, a pointer, and reports whether it knows its type.
func (d *Decoder) fast(p any) (ok bool, err error) {
	switch p := p.(type) {
	case *any:
		*p, err = d.any()
	case *bool:
		*p, err = d.bool()
	case *int:
		*p, err = d.int()
	case *int64:
		*p, err = d.int64()
	case *float64:
		*p, err = d.float64()
	case *string:
		*p, err = d.string()
	default:
		return d.fastMore(p)
	}
	return true, err
}

// fastMore continues fast with slices and maps. fastType lists the same types.
func (d *Decoder) fastMore(p any) (ok bool, err error) {
	switch p := p.(type) {
	case *[]byte:
		*p, err = d.byteSlice()
	case *[]any:
		*p, err = decSlice(d, (*Decoder).any)
	case *[]int:
		*p, err = decInts(d, (*Decoder).int)
	case *[]int64:
		*p, err = decInts(d, (*Decoder).int64)
	case *[]float64:
		*p, err = decSlice(d, (*Decoder).float64)
	case *[]string:
		*p, err = decSlice(d, (*Decoder).string)
	case *map[string]any:
		*p, err = decMap(d, (*Decoder).any)
	case *map[string]float64:
		*p, err = decMap(d, (*Decoder).float64)
	case *map[string]int:
		*p, err = decMap(d, (*Decoder).int)
	case *map[string]string:
		*p, err = decMap(d, (*Decoder).string)
	default:
		return false, nil
	}
	return true, err
}

// fastType reports whether slices and maps of type t go without reflection.
func fastType(t reflect.Type) bool { return fastTypes[t] }

var fastTypes = map[reflect.Type]bool{
	reflect.TypeFor[[]any]():              true,
	reflect.TypeFor[[]int]():              true,
	reflect.TypeFor[[]int64]():            true,
	reflect.TypeFor[[]float64]():          true,
	reflect.TypeFor[[]string]():           true,
	reflect.TypeFor[map[string]any]():     true,
	reflect.TypeFor[map[string]float64](): true,
	reflect.TypeFor[map[string]int]():     true,
	reflect.TypeFor[map[string]string]():  true,
}

func (d *Decoder) int64() (int64, error) {
	n, big, err := d.integer()
	if big != nil {
		return 0, outOfRange(big, "int64")
	}
	return n, err
}

func (d *Decoder) int() (int, error) {
	n, big, err := d.integer()
	if big != nil {
		return 0, outOfRange(big, "int")
	}
	if err == nil && int64(int(n)) != n {
		return 0, outOfRange(n, "int")
	}
	return int(n), err
}

// float64 reads a float, or an int that a float64 holds exactly.
func (d *Decoder) float64() (float64, error) {
	if len(d.Buf) > 0 && d.Buf[0] != byte(TagFloat) {
		return d.floatOfInt()
	}
	return d.float()
}

func (d *Decoder) string() (string, error) {
	d.isKind(KindPath)
	b, err := d.str()
	return string(b), err
}

func (d *Decoder) byteSlice() ([]byte, error) {
	if d.is(TagNone) {
		return nil, nil
	}
	if d.isKind(KindArray) {
		return d.arrayBytes()
	}
	d.isKind(KindByteArray)
	b, err := d.bytes()
	return append([]byte{}, b...), err
}

// sequence starts a list, tuple, set or frozenset. None is a count of -1.
func (d *Decoder) sequence() (int, error) {
	if k, ok := d.kind(); ok {
		return d.standardSequence(k)
	}
	t, err := d.Peek()
	if err != nil {
		return 0, err
	}
	switch t {
	case TagNone:
		d.Buf = d.Buf[1:]
		return -1, nil
	case TagList, TagTuple, TagSet, TagFrozenSet:
		d.Buf = d.Buf[1:]
		return d.open(t)
	}
	return 0, d.mismatch("list")
}

// standardSequence is sequence for a standard value: a range, or a record of what is a sequence.
func (d *Decoder) standardSequence(k Kind) (int, error) {
	switch k {
	case KindRange:
		if err := d.expandRange(); err != nil {
			return 0, err
		}
		return d.sequence()
	case KindArray:
		if err := d.expandArray(); err != nil {
			return 0, err
		}
		return d.sequence()
	case KindRecord:
		d.Buf = d.Buf[2:]
		if d.is(TagNone) {
			return -1, d.skip(d.refs)
		}
		if len(d.detours) > MaxDepth {
			return 0, tooDeep(k.String())
		}
		d.detour(detour{fields: true})
		return d.sequence()
	}
	return 0, d.mismatch("list")
}

func decSlice[T any](d *Decoder, one func(*Decoder) (T, error)) ([]T, error) {
	n, err := d.sequence()
	if err != nil || n < 0 {
		return nil, err
	}
	s := make([]T, n)
	for i := range s {
		at := d.Buf
		if s[i], err = one(d); err != nil {
			if s[i], err = decodeRef[T](d, at, err); err != nil {
				return nil, atIndex(err, i)
			}
		}
	}
	d.shut()
	return s, nil
}

// decInts is decSlice without a call for the ints that every int type holds.
func decInts[T int | int64](d *Decoder, one func(*Decoder) (T, error)) ([]T, error) {
	n, err := d.sequence()
	if err != nil || n < 0 {
		return nil, err
	}
	s := make([]T, n)
	b := d.Buf
	for i := range s {
		if len(b) >= 2 && b[0] == byte(TagInt8) {
			s[i], b = T(int8(b[1])), b[2:]
			continue
		}
		if len(b) >= 9 && b[0] == byte(TagInt64) {
			x := int64(binary.LittleEndian.Uint64(b[1:]))
			if s[i], b = T(x), b[9:]; int64(s[i]) == x {
				continue
			}
			return nil, atIndex(outOfRange(x, "int"), i)
		}
		d.Buf = b
		if s[i], err = one(d); err != nil {
			if s[i], err = decodeRef[T](d, b, err); err != nil {
				return nil, atIndex(err, i)
			}
		}
		b = d.Buf
	}
	d.Buf = b
	d.shut()
	return s, nil
}

// mapping starts a dict. None is a count of -1. A record is none: its fields are those that some struct asks for, and not its own.
func (d *Decoder) mapping() (int, error) {
	switch {
	case d.is(TagNone):
		return -1, nil
	case d.is(TagDict):
		return d.open(TagDict)
	}
	return 0, d.mismatch("dict")
}

func decMap[V any](d *Decoder, one func(*Decoder) (V, error)) (map[string]V, error) {
	n, err := d.mapping()
	if err != nil || n < 0 {
		return nil, err
	}
	m := make(map[string]V, n)
	for i := range n {
		at := d.Buf
		b, err := d.str()
		k := string(b)
		if err != nil {
			if k, err = decodeRef[string](d, at, err); err != nil {
				return nil, atKeys(err)
			}
		}
		at = d.Buf
		v, err := one(d)
		if err != nil {
			if v, err = decodeRef[V](d, at, err); err != nil {
				return nil, atKey(err, k)
			}
		}
		if m[k] = v; len(m) <= i {
			return nil, collision(k)
		}
	}
	d.shut()
	return m, nil
}

func collision(key any) error {
	return atKey(&Error{Type: "dict", Reason: "two keys are equal in Go; take a dict as py.Dict, a set as py.Set"}, key)
}
