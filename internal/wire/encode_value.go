package wire

import (
	"math"
	"math/big"
	"reflect"
)

// Value writes any Go value that has a Python counterpart; the package comment has
// the table. The common types go by a type switch, the types of package py by the
// hooks, and the rest by reflection, planned once per type.
func (e *Encoder) Value(v any) error {
	switch v := v.(type) {
	case nil:
		e.None()
	case bool:
		e.Bool(v)
	case int:
		e.Int(int64(v))
	case float64:
		e.Float(v)
	case string:
		return e.Str(v)
	case int64:
		e.Int(v)
	case []byte:
		e.Bytes(v)
	case []any:
		return e.Items(TagList, v)
	case map[string]any:
		return encMap(e, v, (*Encoder).Value)
	default:
		return e.valueMore(v)
	}
	return nil
}

// valueMore continues Value with what is met less often.
func (e *Encoder) valueMore(v any) error {
	switch v := v.(type) {
	case int8:
		e.Int(int64(v))
	case int16:
		e.Int(int64(v))
	case int32:
		e.Int(int64(v))
	case uint:
		e.Uint(uint64(v))
	case uint8:
		e.Uint(uint64(v))
	case uint16:
		e.Uint(uint64(v))
	case uint32:
		e.Uint(uint64(v))
	case uint64:
		e.Uint(v)
	case float32:
		e.Float(float64(v))
	case *big.Int:
		e.BigInt(v)
	case big.Int:
		e.BigInt(&v)
	default:
		return e.valueTyped(v)
	}
	return nil
}

// valueTyped continues Value with slices and maps of one type, the hooks, and
// reflection.
func (e *Encoder) valueTyped(v any) error {
	switch v := v.(type) {
	case []int:
		return encInts(e, v)
	case []int64:
		return encInts(e, v)
	case []float64:
		return e.floats(v)
	case []string:
		return e.strs(v)
	case map[string]float64:
		return encMap(e, v, func(e *Encoder, f float64) error { e.Float(f); return nil })
	case map[string]int:
		return encMap(e, v, func(e *Encoder, i int) error { e.Int(int64(i)); return nil })
	case map[string]string:
		return encMap(e, v, (*Encoder).Str)
	}
	h := e.Hooks.orNone()
	if e.Converted != nil && e.Converted.number(reflect.TypeOf(v)) != 0 {
		return h.encPlan(reflect.TypeOf(v))(e, reflect.ValueOf(v))
	}
	if h.Encode != nil {
		if ok, err := h.Encode(e, v); ok || err != nil {
			return err
		}
	}
	rv := reflect.ValueOf(v)
	return h.encPlan(rv.Type())(e, rv)
}

// Encode is Value without the allocation that it takes to pass a small value as any.
func Encode[T any](e *Encoder, v T) error {
	switch p := any(&v).(type) {
	case *bool:
		e.Bool(*p)
	case *int:
		e.Int(int64(*p))
	case *int64:
		e.Int(*p)
	case *float64:
		e.Float(*p)
	case *string:
		return e.Str(*p)
	default:
		return e.Value(v)
	}
	return nil
}

// Items writes a list, tuple, set or frozenset of items.
func (e *Encoder) Items(tag Tag, items []any) error {
	if err := e.enter(tag.String()); err != nil {
		return err
	}
	e.head(tag, len(items))
	inSet := tag == TagSet || tag == TagFrozenSet
	for i, item := range items {
		one := e.Value
		if inSet {
			one = e.key
		}
		if err := one(item); err != nil {
			return atIndex(err, i)
		}
	}
	e.leave()
	return nil
}

// Pairs writes a dict of n keys and values, in the order in which at gives them.
func (e *Encoder) Pairs(n int, at func(i int) (key, value any)) error {
	if err := e.enter("dict"); err != nil {
		return err
	}
	e.Dict(n)
	for i := range n {
		key, value := at(i)
		if err := e.key(key); err != nil {
			return atKeys(err)
		}
		if err := e.Value(value); err != nil {
			return atKey(err, key)
		}
	}
	e.leave()
	return nil
}

// encInts writes a list of ints; a whole chunk's room is made at once.
func encInts[T int | int64](e *Encoder, s []T) error {
	const chunk = 4096
	if err := e.enter("[]int"); err != nil {
		return err
	}
	e.List(len(s))
	for len(s) > 0 {
		part := s[:min(len(s), chunk)]
		s = s[len(part):]
		start := len(e.Buf)
		n := putInts(e.extend(9*len(part)), part)
		e.Buf = e.Buf[:start+n]
	}
	e.leave()
	return nil
}

// putInts writes ints into b, which has room for all, and returns how far it got.
func putInts[T int | int64](b []byte, s []T) int {
	n := 0
	for _, i := range s {
		if int64(i) == int64(int8(i)) {
			p := b[n : n+2]
			p[0], p[1] = byte(TagInt8), byte(i)
			n += 2
			continue
		}
		putWord(b[n:], TagInt64, uint64(i))
		n += 9
	}
	return n
}

func (e *Encoder) floats(s []float64) error {
	if err := e.enter("[]float64"); err != nil {
		return err
	}
	e.List(len(s))
	b := e.extend(9 * len(s))
	for i, f := range s {
		putWord(b[9*i:], TagFloat, math.Float64bits(f))
	}
	e.leave()
	return nil
}

func (e *Encoder) strs(s []string) error {
	if err := e.enter("[]string"); err != nil {
		return err
	}
	e.List(len(s))
	for i, x := range s {
		if err := e.Str(x); err != nil {
			return atIndex(err, i)
		}
	}
	e.leave()
	return nil
}

// encMap writes a dict with str keys.
func encMap[V any](e *Encoder, m map[string]V, one func(*Encoder, V) error) error {
	if err := e.enter("map"); err != nil {
		return err
	}
	left := len(m)
	e.Dict(left)
	for k, v := range m {
		if err := e.Str(k); err != nil {
			return atKeys(err)
		}
		if err := one(e, v); err != nil {
			return atKey(err, k)
		}
		left--
	}
	if left != 0 {
		return changed("map")
	}
	e.leave()
	return nil
}

// changed is the error of a container that a Marshaler in it changed: what was written is not what its head says.
func changed(typ string) error {
	return &Error{Type: typ, Reason: "the Go " + typ + " changed while it was converted"}
}
