package py

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/pycontext/py/internal/cpython"
	"github.com/pycontext/py/internal/handle"
	"github.com/pycontext/py/internal/wire"
)

// FuncOption says how a Go function is registered.
type FuncOption func(*function)

// Inline makes a function run on the Python thread itself, with the interpreter's lock held, instead of on a goroutine.
// That is three times quicker, ten times for the first in a call, and for functions that return at once: until it returns,
// nothing else runs in the context, nor in the others that share its lock, and it cannot be cancelled. Where there is no lock, on a
// free-threaded CPython, others run meanwhile, and threads that Python started may be in it at the same time. It may call its own
// context, which then runs at once on the same thread. It must not wait for anything that needs its context: a request that
// another goroutine makes, or code in another context that calls back into this one, waits until the function has returned.
// It must not end its goroutine (runtime.Goexit, testing.T.FailNow): that is the end of the context, and its thread is lost.
func Inline() FuncOption { return func(f *function) { f.inline = true } }

// function is a registered Go function.
type function struct {
	*goFunc
	number uint64
	inline bool
	title  string // given by the option Name
	uses   int    // of one that is lent: frames that name it and callables in Python
	ended  func() // of one that is lent: called after its last use, if it is not nil
}

var registry = struct {
	mu     sync.RWMutex
	global map[string]*function
	all    handle.Table[function] // may be read without mu
}{global: map[string]*function{}}

// Register makes a Go function callable from every context, as go.name(...), from go import name, or go.call("name",
// ...). It takes the place of one registered before under that name.
//
// fn is a function with an optional first [context.Context], parameters of types that Python values convert to, and the
// results (), (T), (error) or (T, error). A last parameter of type [Kw], of a struct type or of a pointer to one takes
// the keyword arguments. Anything else is an error.
//
// The function runs on a goroutine of its own while the Python thread serves other requests (see [Inline] for another
// way). Its context.Context derives from the one of the request that it is called in; requests made with it, by any
// goroutine, run on top of the suspended Python code. A returned error raises go.Error in Python, or an exception that
// is also of a built-in class where one says the same (SystemExit and others that are no Exception are that class alone); an
// [Error] of such a request is the exception that it was. A panic raises RuntimeError.
func Register(name string, fn any, options ...FuncOption) error {
	f, err := newFunction(name, fn, options)
	if err != nil {
		return err
	}
	registry.mu.Lock()
	addFunction(registry.global, name, f)
	registry.mu.Unlock()
	cpython.FunctionsChanged()
	return nil
}

// Unregister takes a function back. Python code that still has it gets an AttributeError from then on. It returns false
// when there was none.
func Unregister(name string) bool {
	registry.mu.Lock()
	defer cpython.FunctionsChanged()
	defer registry.mu.Unlock()
	return removeFunction(registry.global, name)
}

// Register makes a Go function callable from this context alone. It hides a global one of the same name. See [Register].
func (c *Context) Register(name string, fn any, options ...FuncOption) error {
	if c == nil || c.core == nil {
		return fmt.Errorf("py: cannot register %q: the context is nil or was not made by py: %w", name, ErrClosed)
	}
	f, err := newFunction(name, fn, options)
	if err != nil {
		return err
	}
	registry.mu.Lock()
	defer cpython.FunctionsChanged()
	defer registry.mu.Unlock()
	if c.forgotten {
		return fmt.Errorf("py: cannot register %q with context %s: %w", name, c.name, ErrClosed)
	}
	if c.functions == nil {
		c.functions = map[string]*function{}
	}
	addFunction(c.functions, name, f)
	return nil
}

// Unregister takes back a function that was registered with this context. It returns false when there was none.
func (c *Context) Unregister(name string) bool {
	if c == nil {
		return false
	}
	registry.mu.Lock()
	defer cpython.FunctionsChanged()
	defer registry.mu.Unlock()
	return removeFunction(c.functions, name)
}

func newFunction(name string, fn any, options []FuncOption) (*function, error) {
	if !isIdentifier(name) || strings.HasPrefix(name, "__") || name == "call" || name == "Error" || name == "Interrupted" {
		return nil, fmt.Errorf("py: cannot register %q: the name must be a Python identifier that does not begin with "+
			"two underscores, other than call, Error and Interrupted", name)
	}
	g, err := newGoFunc(name, fn)
	if err != nil {
		return nil, err
	}
	f := &function{goFunc: g}
	for _, option := range options {
		option(f)
	}
	if f.title != "" {
		return nil, fmt.Errorf("py: cannot register %q with the option py.Name: it has its name from Register", name)
	}
	return f, nil
}

// addFunction and removeFunction are called with the registry locked.
func addFunction(functions map[string]*function, name string, f *function) {
	removeFunction(functions, name)
	functions[name] = f
	f.number = registry.all.Add(f)
}

func removeFunction(functions map[string]*function, name string) bool {
	f := functions[name]
	if f != nil {
		delete(functions, name)
		registry.all.Remove(f.number)
	}
	return f != nil
}

// forget drops the functions of a context that is gone.
func (c *Context) forget() {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	for _, f := range c.functions {
		registry.all.Remove(f.number)
	}
	c.functions, c.forgotten = nil, true
}

// lookup answers Python's question for a name.
func lookup(core *cpython.Context, name string) (number uint64, inline bool, takes cpython.Arity) {
	registry.mu.RLock()
	defer registry.mu.RUnlock()
	f := core.Owner.(*Context).functions[name]
	if f == nil {
		f = registry.global[name]
	}
	if f == nil {
		return 0, false, takes
	}
	return f.number, f.inline, f.arity()
}

func functionNames(core *cpython.Context) string {
	registry.mu.RLock()
	defer registry.mu.RUnlock()
	names := maps.Clone(registry.global)
	maps.Copy(names, core.Owner.(*Context).functions)
	return strings.Join(slices.Sorted(maps.Keys(names)), "\n")
}

// exchange is what the encoding and decoding of one request or callback needs, kept for the next.
type exchange struct {
	encoder wire.Encoder
	decoder wire.Decoder
	home    *Context
	within  func() context.Context // of a callback
	via     *cpython.Link          // of a request: the callback that it was made in, or nil
	brief   []byte                 // of a callback: what was given as scalars
	taken   taken                  // of a callback that is ready
}

func (x *exchange) context() *Context    { return x.home }
func (x *exchange) asker() *cpython.Link { return x.via }

func (x *exchange) origin() *chain {
	if x.within == nil {
		return nil
	}
	return x.within().(*chain)
}

// over ends what the encoder's bytes hold.
func (x *exchange) over(read bool) { endHolds(&x.encoder, read) }

func endHolds(e *wire.Encoder, read bool) {
	clear(e.Keep)
	e.Keep = e.Keep[:0]
	for i, over := range e.Holds {
		over(read)
		e.Holds[i] = nil
	}
	e.Holds = e.Holds[:0]
}

// arguments puts scalars into the wire format. Not a part of runCallback, which is on the stack once for each level of nesting.
//
//go:noinline
func (x *exchange) arguments(args []cpython.Scalar) []byte {
	e := wire.Encoder{Buf: x.brief[:0]}
	encodeScalars(&e, args)
	x.brief = e.Buf
	return e.Buf
}

// answer gives Python the answer, and keeps what it holds until Python has read it.
func (x *exchange) answer(cb *cpython.Callback) {
	if len(x.decoder.Buf) > 0 { // the arguments were not read to their end
		x.decoder.Again(cb.Args())
		skipArguments(&x.decoder)
	}
	if len(x.encoder.Holds) > 0 || len(x.encoder.Keep) > 0 {
		gone := wire.Encoder{Holds: x.encoder.Holds, Keep: x.encoder.Keep}
		x.encoder.Holds, x.encoder.Keep = nil, nil
		cb.Hold(func(read bool) { endHolds(&gone, read) })
	}
	cb.Answer(x.encoder.Buf)
}

// skipArguments passes over the arguments of a call, as SPEC.md has them.
func skipArguments(d *wire.Decoder) {
	n, err := d.Uvarint()
	for ; n > 0 && err == nil; n-- {
		err = d.Skip()
	}
	if err == nil {
		n, err = d.Uvarint()
	}
	for ; n > 0 && err == nil; n-- {
		if _, err = d.Raw(); err == nil {
			err = d.Skip()
		}
	}
}

func exchangeOf(cb *cpython.Callback) *exchange {
	x, ok := cb.Scratch.(*exchange)
	if !ok {
		x = &exchange{
			encoder: wire.Encoder{Grow: cb.Grow, Hooks: codecHooks},
			decoder: wire.Decoder{Bytes: pythonBytes, Hooks: codecHooks},
			within:  func() context.Context { ctx := cb.Within(); return &chain{ctx, cb.Link(ctx.Done())} },
		}
		cb.Scratch = x
	}
	return x
}

// runCallback answers one call from Python. The answer is set also when the function ends its goroutine.
func runCallback(cb *cpython.Callback) {
	c := cb.Context().Owner.(*Context)
	f := registry.all.Find(cb.Function())
	x := exchangeOf(cb)
	x.encoder.Reset(cb.Buffer())
	x.encoder.Scope, x.decoder.Scope, x.home = x, x, c
	x.encoder.Converted = &c.converted
	x.decoder.ResetCall(cb.Args())
	defer x.answer(cb)
	if f == nil {
		(&raise{kind: "AttributeError", message: "the Go function is not registered any more"}).write(&x.encoder)
		return
	}
	within, over := c.watchCall(f.name, x.within)
	if over != nil {
		defer over()
	}
	if args, ok := cb.Scalars(); ok {
		if f.quick != nil {
			if result, ok := f.callScalars(within, args, &x.encoder); ok {
				if result.Kind != 0 {
					cb.AnswerScalar(result)
				}
				return
			}
		}
		x.decoder.Reset(x.arguments(args))
	}
	if err := f.call(within, &x.decoder, &x.encoder); err != nil {
		x.encoder.Reset(cb.Buffer())
		(&raise{kind: "SystemError", message: err.Error()}).write(&x.encoder)
	}
}

// runReady is runCallback on the Python thread, where the function has what it needs. It reports whether it had.
func runReady(cb *cpython.Callback) bool {
	f := registry.all.Find(cb.Function())
	if f == nil || f.ready == nil {
		return false
	}
	item, ok := f.ready()
	if ok {
		exchangeOf(cb).taken = item
		runCallback(cb)
	}
	return ok
}

// chain is the context.Context of a Go function that Python called. It links to the callback, so that requests made with
// it, or with one derived from it, find the Python thread that waits.
type chain struct {
	context.Context
	link *cpython.Link
}

type chainKey struct{}

// now is what to use a value from Python with that has no context.Context of its own: the chain of the callback that it
// was an argument of, as long as that runs. It is nil for other values.
func (c *chain) now() context.Context {
	if c != nil && c.link.Active() {
		return c
	}
	return context.Background()
}

// Value returns the innermost chain for chainKey.
func (c *chain) Value(key any) any {
	if key == (chainKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// callbackFor finds the link to the innermost callback of a chain that belongs to the context, or nil.
func callbackFor(ctx context.Context, c *Context) *cpython.Link {
	in, _ := ctx.Value(chainKey{}).(*chain)
	for in != nil {
		if in.link.Context() == c.core {
			return in.link
		}
		in, _ = in.Context.Value(chainKey{}).(*chain)
	}
	return nil
}
