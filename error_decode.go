package py

import (
	"fmt"
	"slices"

	"github.com/pycontext/py/internal/wire"
)

// decodeError reads an exception of SPEC.md.
func decodeError(d *wire.Decoder) error {
	record, err := wire.Decode[Tuple](d)
	if err != nil {
		return malformedError(err)
	}
	e := newError(record)
	itself, err := d.Object("an exception")
	if err != nil {
		return malformedError(err)
	}
	if o, ok := itself.(*Object); ok {
		e.hold(o, d.Scope)
	}
	return e
}

func malformedError(err error) error {
	return fmt.Errorf("py: the exception from Python is malformed; please report this: %w", err)
}

// fields reads a tuple of known shape. What has another type than expected is zero.
type fields []any

func field[T any](f fields, i int) (v T) {
	if i < len(f) {
		v, _ = f[i].(T)
	}
	return v
}

func newError(record Tuple) *Error {
	f := fields(record)
	e := &Error{
		Type:        field[string](f, 0),
		Module:      field[string](f, 1),
		Message:     field[string](f, 2),
		Cause:       newErrorOrNil(field[Tuple](f, 6)),
		Context:     newErrorOrNil(field[Tuple](f, 7)),
		hideContext: field[bool](f, 8),
	}
	if field[bool](f, 7) {
		e.Context = e.Cause
	}
	for _, base := range field[[]any](f, 3) {
		pair := fields(asTuple(base))
		e.Bases = append(e.Bases, qualified(field[string](pair, 0), field[string](pair, 1)))
	}
	for _, note := range field[[]any](f, 4) {
		text, _ := note.(string)
		e.Notes = append(e.Notes, text)
	}
	if number := field[int64](f, 9); number != 0 {
		e.goError = takeError(uint64(number))
		if same, ok := e.goError.(sameException); ok {
			e.goError, e.again = same.error, true
		}
	}
	for _, frame := range field[[]any](f, 5) {
		if len(asTuple(frame)) == 0 { // the rest is known
			e.goOn()
			break
		}
		e.Traceback = append(e.Traceback, newFrame(fields(asTuple(frame))))
		e.beneath = append(e.beneath, field[string](fields(asTuple(frame)), 4))
	}
	e.entries = slices.Clone(e.Traceback)
	if syntax := fields(field[Tuple](f, 10)); syntax != nil {
		e.Syntax = &Syntax{
			File:   field[string](syntax, 0),
			Line:   int(field[int64](syntax, 1)),
			Column: int(field[int64](syntax, 2)),
			Text:   field[string](syntax, 3),
		}
	}
	for _, member := range field[[]any](f, 11) {
		e.Group = append(e.Group, newError(asTuple(member)))
	}
	e.last = field[string](f, 12)
	return e
}

func newErrorOrNil(record Tuple) *Error {
	if record == nil {
		return nil
	}
	return newError(record)
}

func asTuple(v any) Tuple {
	t, _ := v.(Tuple)
	return t
}

func newFrame(f fields) Frame {
	return Frame{
		File:     field[string](f, 0),
		Line:     int(field[int64](f, 1)),
		Function: field[string](f, 2),
		Source:   field[string](f, 3),
	}
}
