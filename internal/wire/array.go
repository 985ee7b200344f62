package wire

import (
	"encoding/binary"
	"fmt"
	"math"
)

// ItemSize is how many bytes an item of an array takes, by its format; 0 where there is no such format.
func ItemSize(format byte) int {
	switch format {
	case '?', 'b', 'B':
		return 1
	case 'h', 'H':
		return 2
	case 'i', 'I', 'f':
		return 4
	case 'q', 'Q', 'd', 'F':
		return 8
	case 'D':
		return 16
	}
	return 0
}

// arrayParts reads the payload of an array.
func (d *Decoder) arrayParts() error {
	if err := d.parts(3); err != nil {
		return err
	}
	format, err := d.str()
	if err != nil {
		return err
	}
	n, err := d.Count(TagTuple)
	if err != nil {
		return err
	}
	p := &d.payload
	p.Shape = make([]int, n)
	for i := range p.Shape {
		if p.Shape[i], err = d.int(); err != nil {
			return err
		}
	}
	if p.Raw, err = d.bytes(); err != nil {
		return err
	}
	if len(format) == 1 {
		p.Format = format[0]
	}
	if size := ItemSize(p.Format); len(format) != 1 || size == 0 || !fills(p.Shape, size, len(p.Raw)) {
		return malformed("an array of format %q and shape %v in %d bytes", format, p.Shape, len(p.Raw))
	}
	return nil
}

// countArray counts the numbers of an array that stays one, where they are limited.
func (d *Decoder) countArray() error {
	if d.Hooks == nil || d.Hooks.Numbers == nil || !d.Hooks.Numbers(d.Scope) {
		return nil
	}
	n := uint64(len(d.payload.Raw) / ItemSize(d.payload.Format))
	err := d.grow(n, KindArray.String())
	d.account.items += n
	d.account.grown = true
	return err
}

// arrayBytes reads the payload of an array of bytes.
func (d *Decoder) arrayBytes() ([]byte, error) {
	if err := d.arrayParts(); err != nil {
		return nil, err
	}
	if p := &d.payload; p.Format != 'B' || len(p.Shape) != 1 {
		return nil, &Error{Type: KindArray.String(), Reason: fmt.Sprintf("expected bytes, got an array of format %q and shape %v", p.Format, p.Shape)}
	}
	return append([]byte{}, d.payload.Raw...), nil
}

// fills tells whether items of a size fill that many bytes.
func fills(shape []int, size, bytes int) bool {
	empty := false
	for _, n := range shape {
		if n < 0 {
			return false
		}
		empty = empty || n == 0
	}
	for _, n := range shape {
		if !empty && size > bytes/n {
			return false
		}
		size *= n
	}
	return empty && bytes == 0 || size == bytes
}

// expandArray turns an array that is next into a list, of lists where it has more than one dimension.
func (d *Decoder) expandArray() error {
	d.Buf = d.Buf[2:]
	if err := d.arrayParts(); err != nil {
		return err
	}
	p := &d.payload
	lists, all := uint64(1), uint64(0)
	most, _ := d.most()
	for _, n := range p.Shape {
		if lists *= uint64(n); lists > most {
			break
		}
		all += lists
	}
	if err := d.grow(max(all, lists), KindArray.String()); err != nil {
		return err
	}
	d.account.grown = true
	if len(p.Shape) == 0 {
		return &Error{Type: KindArray.String(), Reason: "an array without dimensions is no list"}
	}
	var e Encoder
	e.rows(p.Format, p.Shape, p.Raw)
	d.detour(detour{back: d.Buf})
	d.Buf = e.Buf
	d.budget += len(e.Buf)
	return nil
}

// Items is the encoded list of an array's items.
func (p *Payload) Items() []byte {
	var e Encoder
	e.rows(p.Format, []int{len(p.Raw) / ItemSize(p.Format)}, p.Raw)
	return e.Buf
}

func (e *Encoder) rows(format byte, shape []int, data []byte) {
	e.List(shape[0])
	if len(shape) == 1 {
		e.numbers(format, data)
		return
	}
	for i := range shape[0] {
		each := len(data) / shape[0]
		e.rows(format, shape[1:], data[i*each:][:each])
	}
}

func (e *Encoder) numbers(format byte, data []byte) {
	size := ItemSize(format)
	for i := 0; i < len(data); i += size {
		e.number(format, data[i:])
	}
}

func (e *Encoder) number(format byte, b []byte) {
	little := binary.LittleEndian
	switch format {
	case '?':
		e.Bool(b[0] != 0)
	case 'b':
		e.Int(int64(int8(b[0])))
	case 'B':
		e.Int(int64(b[0]))
	case 'h':
		e.Int(int64(int16(little.Uint16(b))))
	case 'H':
		e.Int(int64(little.Uint16(b)))
	case 'i':
		e.Int(int64(int32(little.Uint32(b))))
	case 'I':
		e.Int(int64(little.Uint32(b)))
	case 'q':
		e.Int(int64(little.Uint64(b)))
	case 'Q':
		e.Uint(little.Uint64(b))
	case 'f':
		e.Float(float64(math.Float32frombits(little.Uint32(b))))
	case 'd':
		e.Float(math.Float64frombits(little.Uint64(b)))
	case 'F', 'D':
		half, part := ItemSize(format)/2, map[byte]byte{'F': 'f', 'D': 'd'}[format]
		e.Standard(KindComplex)
		e.Tuple(2)
		e.number(part, b)
		e.number(part, b[half:])
	}
}
