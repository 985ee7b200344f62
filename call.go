package py

import (
	"context"

	"github.com/pycontext/py/internal/wire"
)

// Vars are variables for an eval or an exec, by name.
type Vars map[string]any

// Call calls a function of a module, imported if need be, and returns its result in the Go form that "Values" in the package documentation lists. The module
// "__main__" is the namespace of r, with the built-ins behind it. A dotted function name walks attributes:
// "datetime.now". A last argument of type [Kw] holds the keyword arguments.
//
// When ctx ends, Call returns at once: a call that waits in the queue never runs, and a running one is interrupted.
func (c *Context) Call(ctx context.Context, module, function string, args ...any) (any, error) {
	return Call[any](ctx, c, module, function, args...)
}

// Eval evaluates an expression in the context's namespace. Variables are seen by this expression alone, also inside its
// lambdas and comprehensions; they hide names of the namespace and do not change it.
func (c *Context) Eval(ctx context.Context, expr string, vars ...Vars) (any, error) {
	return Eval[any](ctx, c, expr, vars...)
}

// Exec runs statements in the context's namespace; the names that they bind stay. Variables are assigned first, as if
// the code began with them. Code that does not compile changes nothing; after an exception the effects of the lines
// before it stay.
func (c *Context) Exec(ctx context.Context, code string, vars ...Vars) error {
	return exec(ctx, c, code, vars)
}

// Call calls a function, as [Context.Call], and decodes the result as a T. T may be *[Object] to keep the result in
// Python and get a reference to it. A result that a T cannot hold exactly is a *[ConversionError].
func Call[T any](ctx context.Context, r Runner, module, function string, args ...any) (T, error) {
	return run[T](ctx, r, &request{verb: wire.VerbCall, module: module, name: function}, args...)
}

// Eval evaluates an expression, as [Context.Eval], and decodes its value as a T.
func Eval[T any](ctx context.Context, r Runner, expr string, vars ...Vars) (T, error) {
	return run[T](ctx, r, &request{verb: wire.VerbEval, name: expr, vars: vars})
}

// CallMethod calls a method of an object and decodes the result as a T. An empty name calls the object itself; a dotted
// one walks attributes.
func CallMethod[T any](ctx context.Context, o *Object, name string, args ...any) (T, error) {
	return run[T](ctx, o.runner(), &request{verb: wire.VerbMethod, object: o, name: name}, args...)
}

// Attr decodes an attribute of an object as a T. A dotted name walks attributes.
func Attr[T any](ctx context.Context, o *Object, name string) (T, error) {
	return run[T](ctx, o.runner(), &request{verb: wire.VerbAttr, object: o, name: name})
}

// Decode converts an object to a T.
func Decode[T any](ctx context.Context, o *Object) (T, error) {
	return run[T](ctx, o.runner(), &request{verb: wire.VerbValue, object: o})
}

func exec(ctx context.Context, r Runner, code string, vars []Vars) error {
	_, err := run[any](ctx, r, &request{verb: wire.VerbExec, want: wire.WantNone, name: code, vars: vars})
	return err
}
