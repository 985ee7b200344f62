package py

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/pycontext/py/internal/wire"
)

// A Converter says how objects of a Python class travel: see [RegisterConverter]. Its fields are Python expressions of
// something to call, such as "lambda p: (p.x, p.y)", "Point" or "operator.attrgetter('name')", or empty.
type Converter struct {
	// To is called with an object of the class, and returns what travels to Go in its place. Without it, such objects come as
	// if there were no converter.
	To string
	// From is called with what a T becomes in Python without a converter, such as a dict for a struct, and returns the object
	// that is to be there instead. Without it, a T arrives as if there were no converter.
	From string
}

// RegisterConverter gives a Python class, and the Go type T that stands for it, a converter. It holds for all values that
// cross between Go and one context, that of r, at any depth: arguments and results of requests and of Go functions, items
// of containers and streams, fields, variables. It does not matter where in the context the code runs.
//
// What To returns for an object is decoded into the type that Go asks for, and, where that is any, into a T. Subclasses count,
// unless one has a converter with To itself. A result of type *[Object] is the object itself, as ever. From makes objects of
// each T and *T that Go gives to Python; T is a struct or a defined type then, and not one of package py or another that
// has a meaning of its own in Python. Of several classes with one T, the last that was registered with a From is made.
//
// The class is named as the function in [Call] is, its module is imported for it, and it need not be known by that name later. A
// class that is defined again is another class. The expressions are evaluated once, now, in the namespace of r, where the
// names in them are looked up later. Registering the class again takes the place of its converter; the values that are under
// way at that moment get either. A failure changes nothing. Python's built-in types cannot have a converter.
//
// An exception in To or From is raised where the value was asked for, with a note that names the class. What To returns may hold
// objects that have a converter, but it must not be another object of the same class. Both run in the request that the value
// belongs to, with its deadline, and may call Go; within [Context.Attach], what they call cannot use the Attached. The [Limits] of
// the context hold for what To returns. [JSON], and fields with the tag option json, take that and no T.
//
// The converter ends with the context, or with [UnregisterConverter]. Any number of goroutines may register. It is a
// request, that waits for its turn, and returns what requests return: [ErrClosed], the exception for a class that does not
// exist or an expression that fails, the end of ctx.
func RegisterConverter[T any](ctx context.Context, r Runner, module, class string, conv Converter) error {
	q := &request{verb: wire.VerbConvert, want: wire.WantNone, module: module, name: class}
	q.convert = &conversion{conv, reflect.TypeFor[T]()}
	_, err := run[any](ctx, r, q)
	return err
}

// UnregisterConverter takes the converter of a Python class back. It returns false when the class had none.
func UnregisterConverter(ctx context.Context, r Runner, module, class string) (bool, error) {
	return run[bool](ctx, r, &request{verb: wire.VerbUnconvert, want: wire.WantLoose, module: module, name: class})
}

type conversion struct {
	Converter
	goType reflect.Type
}

func (q *request) checkConverter() error {
	if q.verb == wire.VerbUnconvert {
		return nil
	}
	t := q.convert.goType
	switch {
	case q.convert.Converter == Converter{}:
		return errors.New("py: " + q.describe() + ": neither To nor From is given")
	case t == codecHooks.RefType:
		return errors.New("py: " + q.describe() + ": without a converter its objects come as a *py.Object")
	case q.convert.From == "":
		return nil
	}
	why := codecHooks.CanConvert(t)
	if why == "" && isLive(t) {
		why = "it stays in Go, and Python gets a file"
	}
	if why != "" {
		return fmt.Errorf("py: %s: From cannot be for a Go %s: %s", q.describe(), t, why)
	}
	return nil
}

// writeConverter writes the operands that register a converter, or take it back.
func (c *Context) writeConverter(e *wire.Encoder, q *request) error {
	if err := writeNames(e, q.module, q.name); err != nil || q.verb == wire.VerbUnconvert {
		return err
	}
	number := uint64(0) // what To returns is what an any is
	if q.convert.goType != reflect.TypeFor[any]() {
		number = convertedTypes.number(q.convert.goType)
	}
	if q.convert.From != "" {
		c.converted.Add(q.convert.goType, number) // before Python can make any; until then it makes nothing of them
	}
	e.Uvarint(number)
	return writeNames(e, q.convert.To, q.convert.From)
}

// convertedTypes are the types that any converter was registered for. A number stays: a result may name it at any time.
var convertedTypes typeNumbers

type typeNumbers struct {
	mu      sync.RWMutex
	numbers map[reflect.Type]uint64
	types   []reflect.Type // that of number 1 comes first
}

func (n *typeNumbers) number(t reflect.Type) uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.numbers == nil {
		n.numbers = map[reflect.Type]uint64{}
	}
	if n.numbers[t] == 0 {
		n.types = append(n.types, t)
		n.numbers[t] = uint64(len(n.types))
	}
	return n.numbers[t]
}

// of returns the type of a number, or nil.
func (n *typeNumbers) of(number uint64) reflect.Type {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if number == 0 || number > uint64(len(n.types)) {
		return nil
	}
	return n.types[number-1]
}
