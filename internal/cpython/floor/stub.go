//go:build !cgo || !(linux || darwin)

package floor

// Floor cannot be made.
type Floor struct{}

// New returns ErrFailed.
func New() (*Floor, error) { return nil, ErrFailed }

// The methods of types that cannot be made are never called.

func (*Floor) Close()                               {}
func (*Floor) Calls(int) error                      { return ErrFailed }
func (*Floor) ReleasedCalls(int) error              { return ErrFailed }
func (*Floor) Evals(int) error                      { return ErrFailed }
func (*Floor) Execs(int) error                      { return ErrFailed }
func (*Floor) Callbacks(int) error                  { return ErrFailed }
func (*Floor) Sort() error                          { return ErrFailed }
func (*Floor) Nest(int) error                       { return ErrFailed }
func (*Floor) Identity(*Value, int) error           { return ErrFailed }
func (*Floor) NewInterpreter() (Interpreter, error) { return Interpreter{}, ErrFailed }

// EmptyCall does nothing.
func EmptyCall() {}

// Trips cannot be made.
type Trips struct{}

// NewTrips returns ErrFailed.
func NewTrips(bool) (*Trips, error) { return nil, ErrFailed }

func (*Trips) Run(int) error { return ErrFailed }
func (*Trips) Close()        {}

// Mark does nothing.
func Mark() {}

// Value cannot be made.
type Value struct{}

// NewValue returns ErrFailed.
func NewValue(any) (*Value, error) { return nil, ErrFailed }

// Close does nothing.
func (*Value) Close() {}

// Interpreter cannot be made.
type Interpreter struct{}

// Close does nothing.
func (Interpreter) Close() {}
