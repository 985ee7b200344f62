package py

import (
	"context"
	"fmt"

	"github.com/pycontext/py/internal/wire"
)

// An Env is a further namespace in a [Context]: code in one env does not see the names of another, nor those of the
// context. It starts with what the context's preload defines, by running it again. Modules are the interpreter's and so
// shared. Any number of goroutines may use it at the same time; its requests run on the context's thread like all
// others. As an argument of a call in the same context it is the namespace's dict.
type Env struct {
	context   *Context
	namespace *Object
}

// NewEnv makes an env. Close it when it is no longer needed; one that is forgotten is released too.
func (c *Context) NewEnv(ctx context.Context) (*Env, error) {
	q := &request{verb: wire.VerbEnv}
	if c != nil {
		q.name = c.preload
	}
	namespace, err := run[*Object](ctx, c, q)
	if err != nil {
		return nil, err
	}
	return &Env{context: c, namespace: namespace}, nil
}

// Context is the context that the env belongs to.
func (e *Env) Context() *Context { return e.context }

// Close lets the namespace go. Functions defined in it live on where Python still refers to them. Requests to a closed
// env fail with [ErrClosed]. Closing again does nothing.
func (e *Env) Close() error {
	if e == nil {
		return nil
	}
	return e.namespace.Close()
}

// Call is [Context.Call] with the env as "__main__".
func (e *Env) Call(ctx context.Context, module, function string, args ...any) (any, error) {
	return Call[any](ctx, e, module, function, args...)
}

// Eval is [Context.Eval] in the env.
func (e *Env) Eval(ctx context.Context, expr string, vars ...Vars) (any, error) {
	return Eval[any](ctx, e, expr, vars...)
}

// Exec is [Context.Exec] in the env.
func (e *Env) Exec(ctx context.Context, code string, vars ...Vars) error {
	return exec(ctx, e, code, vars)
}

func (e *Env) send(ctx context.Context, q *request, args []any) (reply, error) {
	if e == nil || e.context == nil {
		return reply{}, q.nowhere("env")
	}
	q.env = e
	return e.context.send(ctx, q, args)
}

// handleIn returns the handle of the namespace, which must be one of c, until what the encoder writes is read; 0 stands for the
// context's own.
func (e *Env) handleIn(to *wire.Encoder, c *Context) (uint64, error) {
	if e == nil {
		return 0, nil
	}
	return e.namespace.handleIn(to, c)
}

func encodeEnv(e *wire.Encoder, env *Env) error {
	switch {
	case env == nil:
		e.None()
		return nil
	case env.namespace == nil:
		return fmt.Errorf("py: the env was not made by py: %w", ErrClosed)
	}
	return encodeObject(e, env.namespace)
}
