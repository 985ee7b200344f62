package py

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/pycontext/py/internal/cpython"
	"github.com/pycontext/py/internal/wire"
)

// Runner is where Python code runs: a *[Context], in its own namespace, or an *[Env].
type Runner interface {
	// send encodes the request, waits for its result, and returns it undecoded.
	send(ctx context.Context, q *request, args []any) (reply, error)
}

// request is everything that can be asked of Python, but for the arguments of a call: those are with it everywhere, and on their own
// so that they stay on the caller's stack.
type request struct {
	verb     wire.Verb
	want     wire.Want
	fields   wire.Fields // for wire.WantFields
	env      *Env
	object   *Object // of a method, attribute or value
	what     string  // names the request in errors, where its verb and names do not
	module   string
	name     string // function, method, attribute, or the source of an eval or exec
	vars     []Vars
	attached uint64
	batch    batch       // of wire.VerbNext
	spent    wire.Spent  // of wire.VerbValue
	convert  *conversion // of wire.VerbConvert
}

// reply is a result in C memory, until it is released.
type reply struct {
	request *cpython.Request
	decoder *wire.Decoder // over the result
}

func (r *reply) release() {
	if d := r.decoder; len(d.Buf) > 0 { // it was not read to its end
		d.Again(r.request.Result())
		skipResult(d)
	}
	r.request.Release()
}

// describe names the request in errors.
func (q *request) describe() string {
	if q.what != "" {
		return q.what + " of an object"
	}
	switch q.verb {
	case wire.VerbCall:
		return "call of " + q.module + "." + q.name
	case wire.VerbEval:
		return "eval"
	case wire.VerbExec:
		return "exec"
	case wire.VerbMethod:
		if q.name == "" {
			return "call of an object"
		}
		return "call of method " + q.name
	case wire.VerbAttr:
		return "attribute " + q.name
	case wire.VerbValue:
		return "conversion"
	case wire.VerbEnv:
		return "new env"
	case wire.VerbNext:
		return "stream"
	case wire.VerbBuffer:
		return "view"
	case wire.VerbConvert, wire.VerbUnconvert:
		return "converter of " + q.module + "." + q.name
	default:
		return "attach"
	}
}

func (q *request) check() error {
	switch q.verb {
	case wire.VerbCall:
		if q.module == "" {
			return errors.New("py: call without a module: use \"__main__\" for the context's own namespace, or \"builtins\"")
		}
		return checkDotted("function", q.name)
	case wire.VerbConvert, wire.VerbUnconvert:
		if q.module == "" {
			return errors.New("py: " + q.describe() + ": it has no module: use \"__main__\" for the context's own namespace")
		}
		return errors.Join(checkDotted("class", q.name), q.checkConverter())
	case wire.VerbMethod, wire.VerbAttr:
		if q.verb == wire.VerbMethod && q.name == "" {
			return nil
		}
		return checkDotted("attribute", q.name)
	}
	return nil
}

// nowhere is the error of a request to something that is nil, or was not made by this package.
func (q *request) nowhere(what string) error {
	return notSent(fmt.Errorf("py: %s: the %s is nil or was not made by py: %w", q.describe(), what, ErrClosed))
}

func checkDotted(what, name string) error {
	if name == "" || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, "..") {
		return fmt.Errorf("py: %q is no name of a Python %s", name, what)
	}
	return nil
}

// send is the way of every request of every context.
func (c *Context) send(ctx context.Context, q *request, args []any) (reply, error) {
	if c == nil || c.core == nil {
		return reply{}, q.nowhere("context")
	}
	if ctx == nil {
		return reply{}, notSent(fmt.Errorf("py: %s: %w", q.describe(), errNoContext))
	}
	via := callbackFor(ctx, c)
	if err := ctx.Err(); err != nil {
		return reply{}, &unfinishedError{what: q.describe(), err: err, cause: context.Cause(ctx)}
	}
	r, err := c.core.Request(via != nil)
	if err != nil {
		return reply{}, c.closedError(q, false)
	}
	frame, err := c.frame(r, q, args)
	if err != nil {
		return reply{}, notSent(err)
	}
	w := c.watchFor(ctx, q)
	r.Time(w != nil)
	out, err := c.watched(ctx, w, r, via, frame)
	if err != nil {
		return reply{}, c.unfinished(ctx, q, err)
	}
	x := r.Scratch.(*exchange)
	x.via = via
	x.decoder.Reset(out)
	return reply{r, &x.decoder}, nil
}

// watched is Run under a watch, or none.
func (c *Context) watched(ctx context.Context, w *watch, r *cpython.Request, via *cpython.Link, frame []byte) ([]byte, error) {
	if w == nil {
		return r.Run(ctx, via, frame)
	}
	var times *cpython.Times
	defer func() { w.end(ctx, times) }() // also where a function that Python called on this goroutine ended it
	if w.region != nil {
		r.Trace(w.ctx, w.name)
	}
	out, err := r.Run(w.ctx, via, frame)
	if err == nil {
		t := r.Times()
		times = &t
	}
	return out, err
}

func (c *Context) unfinished(ctx context.Context, q *request, err error) error {
	if errors.Is(err, cpython.ErrClosed) {
		return c.closedError(q, cpython.Started(err))
	}
	return &unfinishedError{what: q.describe(), started: cpython.Started(err), err: ctx.Err(), cause: context.Cause(ctx)}
}

func (c *Context) closedError(q *request, started bool) error {
	cause := c.Err()
	if cause == nil {
		cause = ErrClosed
	}
	return &unfinishedError{what: q.describe(), started: started, err: ErrClosed, cause: cause}
}

var errNoContext = errors.New("the context.Context is nil: use context.Background(), or one with a deadline")

// run sends a request and decodes its result as a T, whose kind says how it travels.
func run[T any](ctx context.Context, r Runner, q *request, args ...any) (T, error) {
	if q.want == wire.WantExact {
		q.want, q.fields = wantOf[T]()
	}
	answer, err := sendTo(ctx, r, q, args)
	if err != nil {
		var zero T
		return zero, err
	}
	defer answer.release()
	return decodeResult[T](answer.decoder)
}

func sendTo(ctx context.Context, r Runner, q *request, args []any) (reply, error) {
	switch r := r.(type) { // called directly, q and args stay on the stack
	case *Context:
		return r.send(ctx, q, args)
	case *Env:
		return r.send(ctx, q, args)
	case nil:
		moved := *q
		return reply{}, moved.nowhere("context, env or object")
	default:
		moved := *q
		return r.send(ctx, &moved, slices.Clone(args))
	}
}

// runInto is run with a result of a type that is known only now; q says how it travels.
func runInto(ctx context.Context, r Runner, q *request, v reflect.Value, args ...any) error {
	answer, err := sendTo(ctx, r, q, args)
	if err != nil {
		return err
	}
	defer answer.release()
	d := answer.decoder
	if status, _ := d.Byte(); wire.Status(status) != wire.StatusOK {
		return decodeFailure(d, wire.Status(status))
	}
	if err := d.Reflect(v); err != nil {
		return conversionError("result", err)
	}
	return nil
}

// decodeResult reads a result of SPEC.md.
func decodeResult[T any](d *wire.Decoder) (zero T, _ error) {
	status, _ := d.Byte()
	if wire.Status(status) != wire.StatusOK {
		return zero, decodeFailure(d, wire.Status(status))
	}
	value, err := wire.Decode[T](d)
	if err != nil {
		return zero, conversionError("result", err)
	}
	return value, nil
}

// decodeFailure reads a result that is no value.
func decodeFailure(d *wire.Decoder, status wire.Status) error {
	if status == wire.StatusRaised {
		return decodeError(d)
	}
	return decodeMisfit(d, "result")
}

// wantOf is how a result that becomes a T has to travel, and the fields of the structs in T.
func wantOf[T any]() (wire.Want, wire.Fields) {
	switch any((*T)(nil)).(type) {
	case *any:
		return wire.WantExact, wire.Fields{}
	case **Object:
		return wire.WantRef, wire.Fields{}
	case *bool, *int, *int64, *float64, *string, *[]byte:
		return wire.WantLoose, wire.Fields{}
	}
	return wantOfType(reflect.TypeFor[T]())
}

func wantOfType(t reflect.Type) (wire.Want, wire.Fields) {
	switch t {
	case reflect.TypeFor[any]():
		return wire.WantExact, wire.Fields{}
	case codecHooks.RefType:
		return wire.WantRef, wire.Fields{}
	}
	if isSequence(t) {
		return wire.WantRef, wire.Fields{}
	}
	if fields := codecHooks.Fields(t); fields.Names != "" {
		return wire.WantFields, fields
	}
	return wire.WantLoose, wire.Fields{}
}

func decodeMisfit(d *wire.Decoder, what string) error {
	why, err := wire.Decode[Tuple](d)
	if err != nil || len(why) != 3 {
		return fmt.Errorf("py: the result from Python is malformed; please report this: %w", err)
	}
	place, _ := why[0].(string)
	reason, _ := why[1].(string)
	if why[2] == true {
		return misfit(what+place, reason, ErrLimit)
	}
	return misfit(what+place, reason, nil)
}

// discard drops what an undecoded result holds.
func discard(core *cpython.Context, out []byte) {
	if len(out) == 0 {
		return
	}
	skipResult(&wire.Decoder{Buf: out, Hooks: codecHooks, Scope: core.Owner})
}

// skipResult passes over a result.
func skipResult(d *wire.Decoder) {
	status, _ := d.Byte()
	switch wire.Status(status) {
	case wire.StatusRaised:
		decodeError(d)
	case wire.StatusItems:
		if d.Skip() == nil {
			decodeEnd(d, "")
		}
	default:
		d.Skip()
	}
}
