//go:build !cgo || !(linux || darwin)

package cpython

import (
	"context"
	"time"
)

// Supported tells whether this build can run Python.
const Supported = false

// Start returns ErrUnsupported.
func Start(Config, Hooks) (Version, error) { return Version{}, ErrUnsupported }

// Symbol returns 0.
func Symbol(string) uintptr { return 0 }

// FunctionsChanged does nothing.
func FunctionsChanged() {}

// CountErrors does nothing.
func CountErrors(int) {}

// CountFunctions does nothing.
func CountFunctions(int) {}

// Counts returns zeros.
func Counts() Live { return Live{} }

// Context cannot be made.
type Context struct{ Owner any }

// NewContext returns ErrUnsupported.
func NewContext(Mode, int, time.Duration, any) (*Context, error) { return nil, ErrUnsupported }

// Wait calls f.
func Wait(f func()) { f() }

// The methods of types that cannot be made are never called.

func (*Context) InterpreterID() int64           { return 0 }
func (*Context) Close()                         {}
func (*Context) Ended() <-chan struct{}         { return nil }
func (*Context) Drop(uint64)                    {}
func (*Context) Interrupt(error) bool           { return false }
func (*Context) Request(bool) (*Request, error) { return nil, ErrUnsupported }
func (*Context) Drain()                         {}
func (*Context) Calm(context.Context) bool      { return true }

// Request cannot be made.
type Request struct{ Scratch any }

func (*Request) Buffer() []byte                { return nil }
func (*Request) Grow(buf []byte, _ int) []byte { return buf }
func (*Request) Lend(any) (uint64, uint64)     { return 0, 0 }
func (*Request) Blob([]byte) (int, bool)       { return 0, false }
func (*Request) BlobStr(string) (int, bool)    { return 0, false }
func (*Request) Time(bool)                     {}
func (*Request) Trace(context.Context, string) {}
func (*Request) Times() Times                  { return Times{} }
func (*Request) Release()                      {}
func (*Request) Result() []byte                { return nil }
func (*Request) Run(context.Context, *Link, []byte) ([]byte, error) {
	return nil, ErrUnsupported
}

// Callback cannot be made.
type Callback struct{ Scratch any }

// Link cannot be made.
type Link struct{}

func (*Link) Context() *Context { return nil }
func (*Link) Active() bool      { return false }
func (*Link) AtEnd(func()) bool { return false }

func (*Callback) Context() *Context             { return nil }
func (*Callback) Link(<-chan struct{}) *Link    { return nil }
func (*Callback) Within() context.Context       { return nil }
func (*Callback) Function() uint64              { return 0 }
func (*Callback) Args() []byte                  { return nil }
func (*Callback) Buffer() []byte                { return nil }
func (*Callback) Grow(buf []byte, _ int) []byte { return buf }
func (*Callback) Answer([]byte)                 {}
func (*Callback) Scalars() ([]Scalar, bool)     { return nil, false }
func (*Callback) AnswerScalar(Scalar)           {}
func (*Callback) Hold(func(bool))               {}

// Limit does nothing.
func (*Context) Limit(int, uint64, uint64) {}

// Pointer is a PyObject*.
type Pointer uintptr

// Attached cannot be made.
type Attached struct{}

// AddAttachment does nothing.
func AddAttachment(func(*Attached)) uint64 { return 0 }

// RemoveAttachment does nothing.
func RemoveAttachment(uint64) {}

func (*Attached) Result() []byte                         { return nil }
func (*Attached) Import(string) (Pointer, error)         { return 0, ErrUnsupported }
func (*Attached) Global(string, uint64) (Pointer, error) { return 0, ErrUnsupported }
func (*Attached) Busy() bool                             { return false }
func (*Attached) Claim()                                 {}
func (*Attached) Yield()                                 {}
func (*Attached) Buffer() []byte                         { return nil }
func (*Attached) Grow(b []byte, _ int) []byte            { return b }
func (*Attached) Lend(any) (uint64, uint64)              { return 0, 0 }
func (*Attached) Input([]byte)                           {}
func (*Attached) New() (Pointer, error)                  { return 0, ErrUnsupported }
func (*Attached) Object(uint64) (Pointer, error)         { return 0, ErrUnsupported }
func (*Attached) Attr(Pointer, string) (Pointer, error)  { return 0, ErrUnsupported }
func (*Attached) SetAttr(Pointer, string) error          { return ErrUnsupported }
func (*Attached) Item(Pointer) (Pointer, error)          { return 0, ErrUnsupported }
func (*Attached) HasAttr(Pointer, string) (bool, error)  { return false, ErrUnsupported }
func (*Attached) DelAttr(Pointer, string) error          { return ErrUnsupported }
func (*Attached) SetItem(Pointer) error                  { return ErrUnsupported }
func (*Attached) DelItem(Pointer) error                  { return ErrUnsupported }
func (*Attached) Contains(Pointer) (bool, error)         { return false, ErrUnsupported }
func (*Attached) Compare(Pointer, int) (bool, error)     { return false, ErrUnsupported }
func (*Attached) IsInstance(Pointer) (bool, error)       { return false, ErrUnsupported }
func (*Attached) Truth(Pointer) (bool, error)            { return false, ErrUnsupported }
func (*Attached) Len(Pointer) (int, error)               { return 0, ErrUnsupported }
func (*Attached) Hash(Pointer) (int64, error)            { return 0, ErrUnsupported }
func (*Attached) Type(Pointer) (Pointer, error)          { return 0, ErrUnsupported }
func (*Attached) Iter(Pointer) (Pointer, error)          { return 0, ErrUnsupported }
func (*Attached) Next(Pointer) (Pointer, error)          { return 0, ErrUnsupported }
func (*Attached) Describe(Pointer, byte) error           { return ErrUnsupported }
func (*Attached) CallMethod(Pointer, string) (Pointer, error) {
	return 0, ErrUnsupported
}
func (*Attached) CallMethodValue(Pointer, string, uint8) error { return ErrUnsupported }
func (*Attached) Call(Pointer) (Pointer, error)                { return 0, ErrUnsupported }
func (*Attached) CallValue(Pointer, uint8) error               { return ErrUnsupported }
func (*Attached) Value(Pointer, uint8) error                   { return ErrUnsupported }
func (*Attached) SetScalar(int, Scalar)                        {}
func (*Attached) CallScalars(Pointer, int, ScalarKind, uint8) (Scalar, error) {
	return Scalar{}, ErrUnsupported
}
func (*Attached) CallMethodScalars(Pointer, string, int, ScalarKind, uint8) (Scalar, error) {
	return Scalar{}, ErrUnsupported
}
func (*Attached) Scalar(Pointer, ScalarKind, uint8) (Scalar, error) { return Scalar{}, ErrUnsupported }
func (*Attached) Release(Pointer) error                             { return ErrUnsupported }
func (*Attached) Detach() error                                     { return ErrUnsupported }
func (*Attached) Attach()                                           {}
func (*Attached) ThreadState() uintptr                              { return 0 }
