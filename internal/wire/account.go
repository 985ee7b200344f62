package wire

import "fmt"

// An account is what has been read of a value, or of the arguments of a call together, as far as the limits are concerned. Python
// counts what it writes; here is what ranges and arrays become in Go, and what is to be said to Python of the arguments where it
// writes more of them.
type account struct {
	items uint64 // of the containers so far, as they were read
	bytes uint64 // of what ranges became
	grown bool   // ranges or arrays became containers, whose items nobody else counts

	together bool   // for all values until the next Reset
	call     []byte // the arguments of a call
	spent    *Spent // of them, and of what was fetched for them, once that was asked for
}

// grow is the error of n more items where that is more than a value may have.
func (d *Decoder) grow(n uint64, typ string) error {
	if most, _ := d.most(); d.account.items > most || n > most-d.account.items {
		what := "the value has"
		if d.account.together {
			what = "the arguments have"
		}
		return &Error{Type: typ, Reason: fmt.Sprintf("%s more than %d items, which is the limit: see Options.Limits.Items", what, most), Err: ErrLimit}
	}
	return nil
}

// most is how many items a value may have in which ranges and arrays become containers, which nobody has counted, and how many
// bytes those may have.
func (d *Decoder) most() (items, bytes uint64) {
	if d.Hooks == nil || d.Hooks.Limits == nil {
		return 1 << 24, 1 << 28
	}
	return d.Hooks.Limits(d.Scope)
}

// Spent is what the arguments of a call have had of the limits, as Python counts it, and the containers around a part of them.
type Spent struct {
	Depth        int
	Items, Bytes uint64
}

// Spent returns that for the part that is being read.
func (d *Decoder) Spent() Spent {
	if d.account.spent == nil {
		d.account.spent = &Spent{}
		d.account.spent.addCall(d.account.call)
	}
	s := *d.account.spent
	s.Depth = d.depth
	return s
}

// Lead makes part, which reads what was fetched for a part of what d reads, count on from there; Follow goes on after it.
func (d *Decoder) Lead(part *Decoder) {
	if s := d.account.spent; s != nil {
		s.Bytes += uint64(len(part.Buf))
		s.add(&Decoder{Buf: part.Buf})
	}
	part.account = account{items: d.account.items, bytes: d.account.bytes, grown: d.account.grown, together: true}
}

func (d *Decoder) Follow(part *Decoder) {
	of := &part.account
	d.account.items, d.account.bytes, d.account.grown = of.items, of.bytes, of.grown
}

// addCall adds what the arguments of a call, as SPEC.md has them, have of the limits.
func (s *Spent) addCall(args []byte) {
	s.Bytes += uint64(len(args))
	d := &Decoder{Buf: args}
	n, err := d.Uvarint()
	for ; n > 0 && err == nil; n-- {
		err = s.add(d)
	}
	if err == nil {
		n, err = d.Uvarint()
	}
	for ; n > 0 && err == nil; n-- {
		if _, err = d.Raw(); err == nil {
			err = s.add(d)
		}
	}
}

// add passes over one value of d, which has no hooks, and adds what it has of the limits, but for its bytes in the buffer.
func (s *Spent) add(d *Decoder) error {
	if k, ok := d.kind(); ok {
		return s.addStandard(d, k)
	}
	before := len(d.Buf)
	at := Decoder{Buf: d.Buf}
	n, err := d.skipHead(0)
	switch {
	case at.is(TagMarked):
	case at.is(TagNamed):
		s.Bytes -= uint64(before - len(d.Buf))
	case at.is(TagKept) || at.is(TagKeptStr):
		at.Uint64() // where they are
		n, _ := at.Uint64()
		s.Bytes += n
	case at.is(TagDict):
		s.Items += uint64(n / 2)
	default:
		s.Items += uint64(n)
	}
	for ; n > 0 && err == nil; n-- {
		err = s.add(d)
	}
	return err
}

// addStandard is add for a standard value: what it consists of are no items, but for the parts of a slice and the fields of an
// object. Those of a named tuple are its items.
func (s *Spent) addStandard(d *Decoder, k Kind) error {
	if k != KindSlice && k != KindRecord {
		return d.skip(0)
	}
	d.Buf = d.Buf[2:]
	items := s.Items
	if k == KindSlice {
		n, err := d.Count(TagTuple)
		for ; n > 0 && err == nil; n-- {
			err = s.add(d)
		}
		return err
	}
	isTuple := len(d.Buf) > 0 && d.Buf[0] == byte(TagTuple)
	if err := s.add(d); err != nil {
		return err
	}
	n, err := d.Count(TagDict)
	if !isTuple {
		s.Items = items + uint64(n)
	}
	for ; n > 0 && err == nil; n-- {
		if err = d.skip(0); err == nil {
			err = s.add(d)
		}
	}
	return err
}
