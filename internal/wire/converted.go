package wire

import (
	"maps"
	"reflect"
	"sync/atomic"
)

// ConvertedTypes are the Go types whose values Python may make objects of, in one context. Types are never taken out: Python
// knows best what is made of them. Its zero value works, for any number of goroutines.
type ConvertedTypes struct {
	numbers atomic.Pointer[map[reflect.Type]uint64]
}

// Add gives a type, and pointers to it, a number other than 0.
func (c *ConvertedTypes) Add(t reflect.Type, number uint64) {
	for {
		old, numbers := c.numbers.Load(), map[reflect.Type]uint64{}
		if old != nil {
			numbers = maps.Clone(*old)
		}
		numbers[t], numbers[reflect.PointerTo(t)] = number, number
		if c.numbers.CompareAndSwap(old, &numbers) {
			return
		}
	}
}

func (c *ConvertedTypes) number(t reflect.Type) uint64 {
	if numbers := c.numbers.Load(); numbers != nil {
		return (*numbers)[t]
	}
	return 0
}

// CanConvert reports why Python cannot make objects of the values of a type, or nothing: those that have a meaning to Python
// of their own arrive as that.
func (h *Hooks) CanConvert(t reflect.Type) (why string) {
	switch kind := t.Kind(); {
	case kind == reflect.Pointer:
		return "name the type it points to: pointers to it are converted too"
	case h.isSpecial(t), t == bigIntType, kind == reflect.Interface, kind == reflect.Func, kind == reflect.Chan,
		t.PkgPath() == "" && kind != reflect.Struct:
		return "it has a meaning of its own in Python: use a type of your own"
	}
	return ""
}

// converting returns how values of type t are written where Python may make objects of them.
func (h *Hooks) converting(t reflect.Type, enc encFunc) encFunc {
	// Of pointers, those that are looked at themselves; the others get to what they point to.
	if h.CanConvert(t) != "" && (t.Kind() != reflect.Pointer || h.Encodes == nil || !h.Encodes(t)) {
		return enc
	}
	return func(e *Encoder, v reflect.Value) error {
		if e.Converted != nil {
			if number := e.Converted.number(t); number != 0 {
				return e.converted(number, enc, v)
			}
		}
		return enc(e, v)
	}
}

func (e *Encoder) converted(number uint64, enc encFunc, v reflect.Value) error {
	if v.Kind() == reflect.Pointer && v.IsNil() {
		return enc(e, v)
	}
	if err := e.enter(v.Type().String()); err != nil {
		return err
	}
	e.Standard(KindConverted)
	e.Tuple(2)
	e.Int(int64(number))
	if err := enc(e, v); err != nil {
		return err
	}
	e.leave()
	return nil
}

// readMarks reads what stands in front of a value that has parts which a converter made: where they begin, and the number of
// the Go type that each stands for where nothing else is asked for. Who asks for something else does not look.
func (d *Decoder) readMarks() error {
	d.Buf = d.Buf[1:]
	n, err := d.Uvarint()
	if err != nil {
		return err
	}
	count, err := d.fits(n, 2)
	if err != nil {
		return err
	}
	type mark struct{ at, number uint64 }
	marks := make([]mark, count)
	for i := range marks {
		if marks[i].at, err = d.Uvarint(); err == nil {
			marks[i].number, err = d.Uvarint()
		}
		if err != nil {
			return err
		}
	}
	d.marks = make(map[*byte]uint64, count)
	for _, m := range marks {
		if m.at >= uint64(len(d.Buf)) {
			return malformed("a mark at %d of %d bytes", m.at, len(d.Buf))
		}
		d.marks[&d.Buf[m.at]] = m.number
	}
	return nil
}

// marksDue reports whether the value that is next has marks, or the last one had some.
func (d *Decoder) marksDue() bool {
	return d.marks != nil || len(d.Buf) > 0 && d.Buf[0] == byte(TagMarked)
}

func (d *Decoder) beginMarked() {
	d.marks = nil
	if len(d.Buf) > 0 && d.Buf[0] == byte(TagMarked) && d.readMarks() != nil {
		d.Buf = nil
	}
}

// marked returns the number of the Go type that the next value stands for, or 0.
func (d *Decoder) marked() uint64 {
	if d.marks == nil || len(d.Buf) == 0 {
		return 0
	}
	return d.marks[&d.Buf[0]]
}

// unmark makes the next value one that stands for no Go type. What is within it may.
func (d *Decoder) unmark() {
	if d.marks != nil && len(d.Buf) > 0 {
		delete(d.marks, &d.Buf[0])
	}
}

// anyMarked reads a value as the Go type that it stands for.
func (d *Decoder) anyMarked(number uint64) (any, error) {
	d.unmark()
	h := d.Hooks.orNone()
	var t reflect.Type
	if h.Converted != nil {
		t = h.Converted(number)
	}
	if t == nil {
		return nil, malformed("there is no Go type %d", number)
	}
	v := reflect.New(t).Elem()
	if err := h.decPlan(t)(d, v); err != nil {
		if e, ok := err.(*Error); ok && e.Err == nil {
			e.Reason += "; the converter stands for a Go " + t.String()
		}
		return nil, err
	}
	return v.Interface(), nil
}
