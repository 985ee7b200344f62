package py

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pycontext/py/internal/cpython"
	"github.com/pycontext/py/internal/wire"
)

// Options says what kind of context [New] makes. The zero value is a worker context.
type Options struct {
	// Mode is the interpreter and lock that the context uses.
	Mode Mode
	// Name is for messages. Empty: the mode and the context's number.
	Name string
	// Preload is Python code that runs in the new context's namespace, and in each new [Env] of it. An exception in it
	// fails New, or NewEnv, with that error.
	Preload string
	// Grace is how long Close waits for running Python code to end. Zero: five seconds.
	Grace time.Duration
	// StackSize is the C stack of the context's thread in bytes: how deep Go and Python can call each other. It is
	// reserved, not used, memory. Zero: 64 MiB. At least 1 MiB, and 16 MiB before CPython 3.14, which does not notice
	// that a smaller one is full.
	StackSize int
	// Spin is how long the context's thread looks for the next request before it sleeps. Zero: while requests follow one
	// another within 100 us or so, and for 50 us then. A request that comes within a longer Spin takes a microsecond or two
	// instead of what the system needs to wake a thread, 5 to 50 us; the thread uses a processor meanwhile, so leave one for
	// Go. Without requests, it sleeps after that time.
	Spin time.Duration
	// Limits bound what values from Python may be.
	Limits Limits
	// Profile makes requests known to Go's profiler, by the labels py.context and py.request, and Go functions that Python
	// calls by py.function; and [Context.Times] adds up where their time goes. It costs about a microsecond each.
	Profile bool
}

const (
	defaultGrace = 5 * time.Second
	defaultStack = 64 << 20
	minimumStack = 1 << 20
	countedStack = 16 << 20 // for a CPython that counts nested calls and does not look at the stack
)

// A Context owns one Python namespace and one OS thread: every request to it, whatever goroutine sends it, runs on that
// thread, in the order of arrival. Any number of goroutines may use it at the same time.
//
// While Python code in it waits for a Go function, the context serves other requests (see the package documentation).
type Context struct {
	core    *cpython.Context
	id      uint64
	mode    Mode
	name    string
	preload string
	profile bool
	total   stopwatch // with profile
	grace   time.Duration

	bytes, items uint64 // at most, of a value from Python

	mu     sync.Mutex
	err    error       // why it closed
	unbind func() bool // stops watching the ctx given to New

	buffers map[*bufferLife]struct{} // under mu; nil before the first
	ended   bool                     // under mu: Python's memory is going

	converted wire.ConvertedTypes // that Python may make objects of

	functions map[string]*function // under the registry's lock
	forgotten bool                 // the context is gone, and its functions with it
}

var lastID atomic.Uint64

// New starts a context. It loads and initialises Python first if that was not done. The context closes when ctx ends, as
// a process of exec.CommandContext does, or when it is closed.
func New(ctx context.Context, opts Options) (*Context, error) {
	if ctx == nil {
		return nil, fmt.Errorf("py: no context was made: %w", errNoContext)
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("py: no context was made: %w", ended(ctx))
	}
	if err := opts.check(); err != nil {
		return nil, err
	}
	if err := ensureStarted(); err != nil {
		return nil, err
	}
	if err := opts.Mode.check(process.version); err != nil {
		return nil, err
	}
	if err := opts.checkStack(process.version); err != nil {
		return nil, err
	}
	c := &Context{
		id:      lastID.Add(1),
		mode:    opts.Mode,
		name:    opts.Name,
		preload: opts.Preload,
		profile: opts.Profile,
		grace:   opts.Grace,
	}
	if c.name == "" {
		c.name = fmt.Sprintf("%s-%d", c.mode, c.id)
	}
	if c.grace == 0 {
		c.grace = defaultGrace
	}
	stack := opts.StackSize
	if stack == 0 {
		stack = defaultStack
	}
	core, err := cpython.NewContext(opts.Mode.internal(), stack, opts.Spin, c)
	if err != nil {
		return nil, fmt.Errorf("py: cannot make the %s context %s: %w", c.mode, c.name, err)
	}
	c.core = core
	depth, bytes, items := opts.Limits.orDefault()
	core.Limit(depth, bytes, items)
	c.bytes, c.items = bytes, items
	stop := context.AfterFunc(ctx, func() { c.close(ended(ctx)) })
	c.mu.Lock()
	c.unbind = stop
	c.mu.Unlock()
	if c.preload != "" {
		if err := c.Exec(ctx, c.preload); err != nil {
			return nil, errors.Join(fmt.Errorf("py: the preload of context %s failed: %w", c.name, err), c.Close())
		}
	}
	return c, nil
}

func (o Options) check() error {
	if o.Mode < Worker || o.Mode > OwnGIL {
		return o.Mode.check(cpython.Version{})
	}
	if err := o.Limits.check(); err != nil {
		return err
	}
	if o.Grace < 0 {
		return fmt.Errorf("py: Options.Grace is %v: it must not be negative", o.Grace)
	}
	if o.Spin < 0 {
		return fmt.Errorf("py: Options.Spin is %v: it must not be negative", o.Spin)
	}
	if strings.ContainsRune(o.Preload, 0) {
		return errors.New("py: Options.Preload holds a NUL byte, which Python source cannot")
	}
	return nil
}

func (o Options) checkStack(v cpython.Version) error {
	least := minimumStack
	if v.Major == 3 && v.Minor < 14 {
		least = countedStack
	}
	if o.StackSize != 0 && o.StackSize < least {
		return fmt.Errorf("py: Options.StackSize is %d: with CPython %d.%d it must be at least %d bytes, or 0", o.StackSize,
			v.Major, v.Minor, least)
	}
	return nil
}

// ID is the context's number, which no other context of the process has.
func (c *Context) ID() uint64 { return c.id }

// Name is the name given in Options, or the one made up for it.
func (c *Context) Name() string { return c.name }

// Mode is the mode given in Options.
func (c *Context) Mode() Mode { return c.mode }

// InterpreterID is CPython's number of the interpreter that the context runs in. It is 0 for the main one.
func (c *Context) InterpreterID() int64 { return c.core.InterpreterID() }

// IsSubinterp tells whether the context has an interpreter of its own: it is true for Subinterp and OwnGIL.
func (c *Context) IsSubinterp() bool { return c.mode != Worker }

// String returns the context's name.
func (c *Context) String() string { return c.name }

// Done is closed when the context is closed and gone: its thread has ended and its interpreter with it.
func (c *Context) Done() <-chan struct{} { return c.core.Ended() }

// Err is nil while the context takes requests. From then on it is an error for which errors.Is(err, ErrClosed) holds,
// and which wraps what the context.Context that ended says, its cause too, if that was the reason.
func (c *Context) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close ends the context: requests that wait fail with [ErrClosed] and never run, running ones are interrupted and fail
// with ErrClosed at once. It waits until the thread and the interpreter are gone, for no longer than Options.Grace; after
// that it returns an error for which errors.Is(err, ErrStuck) holds, and the thread is reclaimed when its code comes back.
// Closing again waits again. It may be called from any goroutine, but not from code that the context itself runs, which
// it would wait for until the grace time is over.
func (c *Context) Close() error {
	if c == nil || c.core == nil {
		return nil
	}
	c.close(nil)
	var err error
	cpython.Wait(func() { err = c.waitForEnd() })
	return err
}

func (c *Context) waitForEnd() error {
	timer := time.NewTimer(c.grace)
	defer timer.Stop()
	select {
	case <-c.core.Ended():
		return nil
	case <-timer.C:
		return fmt.Errorf("py: context %s did not end within %v: %w", c.name, c.grace, ErrStuck)
	}
}

func (c *Context) close(cause error) {
	c.mu.Lock()
	if c.err == nil {
		c.err = ErrClosed
		if cause != nil {
			c.err = fmt.Errorf("%w: %w", ErrClosed, cause)
		}
	}
	unbind := c.unbind
	c.mu.Unlock()
	if unbind != nil {
		unbind()
	}
	c.core.Close()
}

// Shutdown refuses new requests, lets those that run or wait finish, and closes the context. When ctx ends first, it
// closes the context at once, as Close does, and returns the cause. Code that the context itself runs must not call it: it would
// wait for itself until ctx ends.
func (c *Context) Shutdown(ctx context.Context) error {
	if c == nil || c.core == nil {
		return fmt.Errorf("py: shutdown: the context is nil or was not made by py: %w", ErrClosed)
	}
	if ctx == nil {
		return fmt.Errorf("py: context %s was not shut down: %w", c.name, errNoContext)
	}
	c.core.Drain()
	c.mu.Lock()
	if c.err == nil {
		c.err = ErrClosed
	}
	c.mu.Unlock()
	var err error
	cpython.Wait(func() { err = errors.Join(c.waitForRequests(ctx), c.Close()) })
	return err
}

func (c *Context) waitForRequests(ctx context.Context) error {
	if !c.core.Calm(ctx) {
		return fmt.Errorf("py: context %s was closed with requests under way: %w", c.name, ended(ctx))
	}
	return nil
}

// Interrupt makes the request that runs in the context fail with [ErrInterrupted], at its next bytecode, or, when it
// waits for a Go function, as soon as that returns; the function's context.Context is cancelled. An event loop of asyncio cancels
// what it runs. Code that catches the exception, a KeyboardInterrupt, or the cancellation, may go on. It returns false, and does
// nothing, when no request runs. It cannot stop code inside C that does not return to Python, and waits while such code keeps the
// interpreter's lock, or imports, for up to three seconds.
func (c *Context) Interrupt() bool {
	return c != nil && c.core != nil && c.core.Interrupt(ErrInterrupted)
}
