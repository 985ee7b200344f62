package wire

import (
	"math"
	"reflect"
	"slices"
)

// Any reads one value as what Go has closest to it:
//
//	None                   nil
//	bool                   bool
//	int                    int64, or *big.Int where that is too small
//	float                  float64
//	str                    string
//	bytes                  []byte
//	list                   []any
//	dict                   map[string]any if every key is a str, and for the empty dict;
//	                       map[any]any if every key is None, a bool, an int that
//	                       fits an int64, a float other than NaN, or a str;
//	                       otherwise what Hooks.Dict makes, which keeps all and its order
//	tuple, set, frozenset  what Hooks makes
//	standard value         what Hooks makes
//	reference              what Hooks makes
func (d *Decoder) Any() (any, error) {
	if d.marksDue() {
		d.beginMarked()
	}
	d.begin()
	start, refs := d.Buf, d.refs
	v, err := d.any()
	if err != nil {
		return nil, d.abandon(start, refs, err)
	}
	return v, nil
}

// Part reads one value within another that a hook reads for a Go type, as [Decoder.Any] does.
func (d *Decoder) Part() (any, error) {
	d.unmark()
	return d.any()
}

// Plain is Part for what no Go type is wanted of, not even one with a converter.
func (d *Decoder) Plain() (any, error) {
	marks := d.marks
	d.marks = nil
	v, err := d.any()
	d.marks = marks
	return v, err
}

// PartInto is Part into v, which must be settable, as [Decoder.Reflect] does.
func (d *Decoder) PartInto(v reflect.Value) error { return d.Hooks.orNone().decPlan(v.Type())(d, v) }

func (d *Decoder) any() (any, error) {
	t, err := d.Peek()
	if err != nil {
		return nil, err
	}
	if number := d.marked(); number != 0 {
		return d.anyMarked(number)
	}
	switch t {
	case TagNone:
		d.Buf = d.Buf[1:]
		return nil, nil
	case TagFalse, TagTrue:
		d.Buf = d.Buf[1:]
		return t == TagTrue, nil
	case TagInt8, TagInt64, TagBigInt:
		return d.anyInt()
	case TagFloat:
		f, err := d.float()
		return f, err
	case TagStr, TagKeptStr:
		b, err := d.str()
		return string(b), err
	case TagBytes, TagKept:
		b, err := d.bytes()
		return append([]byte{}, b...), err
	case TagDict:
		return d.anyDict()
	case TagStandard:
		return d.standard(nil)
	case TagRef, TagNamed:
		return d.ref()
	}
	return d.anyItems(t)
}

func (d *Decoder) anyInt() (any, error) {
	n, big, err := d.integer()
	if big != nil {
		return big, err
	}
	return n, err
}

func (d *Decoder) anyItems(t Tag) (any, error) {
	items, err := d.items(t)
	if err != nil || t == TagList {
		return items, err
	}
	h := d.Hooks.orNone()
	switch {
	case t == TagTuple && h.Tuple != nil:
		return h.Tuple(items), nil
	case t == TagSet && h.Set != nil:
		return h.Set(items), nil
	case t == TagFrozenSet && h.FrozenSet != nil:
		return h.FrozenSet(items), nil
	}
	return nil, noHook(t)
}

// items reads a container of the tag t, which is known to be next.
func (d *Decoder) items(t Tag) ([]any, error) {
	d.Buf = d.Buf[1:]
	n, err := d.open(t)
	if err != nil {
		return nil, err
	}
	items := make([]any, n)
	for i := range items {
		if t == TagSet || t == TagFrozenSet {
			if err := d.checkHashable(); err != nil {
				return nil, atIndex(err, i)
			}
		}
		if items[i], err = d.any(); err != nil {
			return nil, atIndex(err, i)
		}
	}
	d.shut()
	return items, nil
}

// checkHashable refuses what Python never takes as a key. What a converter made of a key may be anything.
func (d *Decoder) checkHashable() error {
	if len(d.Buf) > 0 && !Tag(d.Buf[0]).hashable() && d.marked() == 0 {
		return malformed("a %s as a dict key or an item of a set", Tag(d.Buf[0]))
	}
	return nil
}

// anyDict reads a dict. It sets out for a map[string]any, and takes the longer way
// at the first key that does not go into one.
func (d *Decoder) anyDict() (any, error) {
	d.Buf = d.Buf[1:]
	n, err := d.open(TagDict)
	if err != nil {
		return nil, err
	}
	start := d.Buf
	if n > 0 && !d.isPlainStr() {
		return d.dictOf(d.pairs(n, nil, nil))
	}
	m := make(map[string]any, n)
	for i := range n {
		before := d.Buf
		if !d.isPlainStr() {
			return d.recover(n, i, start, m)
		}
		b, err := d.str()
		if err != nil {
			return nil, atKeys(err)
		}
		if _, ok := m[string(b)]; ok {
			d.Buf = before
			return d.recover(n, i, start, m)
		}
		k := string(b)
		v, err := d.any()
		if err != nil {
			return nil, atKey(err, k)
		}
		m[k] = v
	}
	d.shut()
	return m, nil
}

// isPlainStr reports whether a str is next that stands for no other Go type.
func (d *Decoder) isPlainStr() bool {
	return d.isStr() && (d.marks == nil || d.marked() == 0)
}

// recover continues a dict of n pairs, of which the first i are in m. Their order is
// read again from start; their values are not, because a reference is taken once.
func (d *Decoder) recover(n, i int, start []byte, m map[string]any) (any, error) {
	again := Decoder{Buf: start, Bytes: d.Bytes}
	keys, values := make([]any, 0, n), make([]any, 0, n)
	for range i {
		b, err := again.str()
		if err != nil {
			return nil, err
		}
		if err := again.skip(math.MaxInt); err != nil {
			return nil, err
		}
		keys, values = append(keys, string(b)), append(values, m[string(b)])
	}
	return d.dictOf(d.pairs(n, keys, values))
}

// pairs reads the rest of a dict of n pairs behind those that are in keys and values.
func (d *Decoder) pairs(n int, keys, values []any) (_, _ []any, err error) {
	keys, values = slices.Grow(keys, n-len(keys)), slices.Grow(values, n-len(values))
	for len(keys) < n {
		if err := d.checkHashable(); err != nil {
			return nil, nil, atKeys(err)
		}
		k, err := d.any()
		if err != nil {
			return nil, nil, atKeys(err)
		}
		v, err := d.any()
		if err != nil {
			return nil, nil, atKey(err, k)
		}
		keys, values = append(keys, k), append(values, v)
	}
	d.shut()
	return keys, values, nil
}

// dictOf returns the dict of those keys and values.
func (d *Decoder) dictOf(keys, values []any, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	if m := anyMap(keys, values); m != nil {
		return m, nil
	}
	if d.Hooks == nil || d.Hooks.Dict == nil {
		return nil, &Error{Type: "dict", Reason: "no Go map can hold the keys of this dict"}
	}
	return d.Hooks.Dict(keys, values), nil
}

// anyMap returns a map with those keys, or nil if one is not plain or two are equal.
func anyMap(keys, values []any) map[any]any {
	m := make(map[any]any, len(keys))
	for i, k := range keys {
		if !plainKey(k) {
			return nil
		}
		m[k] = values[i]
	}
	if len(m) != len(keys) {
		return nil
	}
	return m
}

// plainKey reports whether k can be looked up in a Go map by its value.
func plainKey(k any) bool {
	switch k := k.(type) {
	case nil, bool, int64, string:
		return true
	case float64:
		return k == k
	}
	return false
}
