package main

import (
	"context"

	"github.com/pycontext/py"
	"github.com/pycontext/py/internal/cpython/floor"
)

// Python for the rows with callbacks.
const callbackSource = `
import go
from go import f

def run(n):
    x = 0
    for i in range(n):
        x = f(x)
    return x

def run_looked_up(n):
    x = 0
    for i in range(n):
        x = go.f(x)
    return x
`

const nestSource = `
import go

def nest(n):
    return 1 + go.nest(n) if n else 0
`

// A row of callbacks makes many in one call.
const (
	callbacks = 1000
	depth     = 1000
)

func requestRows() []row {
	return []row{
		{
			name: "call math.sqrt, one context, back to back", unit: nanoseconds, pinned: true, check: true,
			goal: goal{limit: 1000, pinned: 3000},
			of:   []subject{inContext("", sqrt), floorOf((*floor.Floor).ReleasedCalls)},
		},
		{
			name: "the same on a worker context", unit: nanoseconds, pinned: true,
			of: []subject{inMode(py.Worker, "", sqrt), floorOf((*floor.Floor).ReleasedCalls)},
		},
		{
			name: "eval x*y with two variables", unit: nanoseconds, pinned: true, check: true,
			goal: goal{limit: 1500},
			of:   []subject{inContext("", eval), floorOf((*floor.Floor).Evals)},
		},
		{
			name: "exec z = 1", unit: nanoseconds, pinned: true, check: true,
			of: []subject{inContext("", exec), floorOf((*floor.Floor).Execs)},
		},
		{
			name: "math.sqrt within Attach, against C in a loop", unit: nanoseconds, pinned: true, check: true,
			goal: goal{limit: 1.3, pinned: 1.3, ofFloor: true},
			of:   []subject{within(ours, sqrtAttached), floorOf((*floor.Floor).Calls)},
		},
		{
			name: "math.sqrt within Attach, against C by cgo", unit: nanoseconds, pinned: true, check: true,
			goal: goal{limit: 1.3, pinned: 1.3, ofFloor: true},
			of:   []subject{within(ours, sqrtAttached), floorOf(crossings)},
		},
		{
			name: "a callback, one of 1,000 in a call", unit: nanoseconds, pinned: true, check: true,
			goal: goal{limit: 2000},
			of:   eachOf(callbacks, callbackRow("run"), floorOf(callbacksInC)),
		},
		{
			name: "a callback, inline", unit: nanoseconds, pinned: true, check: true,
			goal: goal{limit: 200},
			of:   eachOf(callbacks, callbackRow("run", py.Inline()), floorOf(callbacksInC)),
		},
		{
			name: "Go and Python call each other, 1,000 deep", unit: nanoseconds, pinned: true, check: true,
			goal: goal{limit: 5e6},
			of:   []subject{nestingRow(), floorOf(nestInC)},
		},
	}
}

func sqrt(ctx context.Context, c *py.Context) error {
	_, err := py.Call[float64](ctx, c, "math", "sqrt", 16.0)
	return err
}

var factors = py.Vars{"x": 3, "y": 4}

func eval(ctx context.Context, c *py.Context) error {
	_, err := py.Eval[int](ctx, c, "x*y", factors)
	return err
}

func exec(ctx context.Context, c *py.Context) error { return c.Exec(ctx, "z = 1") }

func next(n int) int { return n + 1 }

func callbackRow(run string, options ...py.FuncOption) subject {
	return subject{ours, func(l *lab) (probe, error) {
		c, err := l.context(ownLock(), "")
		if err != nil {
			return nil, err
		}
		if err := c.Register("f", next, options...); err != nil {
			return nil, err
		}
		if err := c.Exec(l.ctx, callbackSource); err != nil {
			return nil, err
		}
		return l.timed(repeated(func() error {
			_, err := py.Call[int](l.ctx, c, "__main__", run, callbacks)
			return err
		}))
	}}
}

func nestingRow() subject {
	return subject{ours, func(l *lab) (probe, error) {
		c, err := l.context(ownLock(), nestSource)
		if err != nil {
			return nil, err
		}
		if err := c.Register("nest", nestIn(c)); err != nil {
			return nil, err
		}
		return l.timed(repeated(func() error { return nest(l.ctx, c) }))
	}}
}

// nestIn is the Go function that nestSource calls.
func nestIn(c *py.Context) func(ctx context.Context, n int) (int, error) {
	return func(ctx context.Context, n int) (int, error) { return py.Call[int](ctx, c, "__main__", "nest", n-1) }
}

func nest(ctx context.Context, c *py.Context) error {
	_, err := py.Call[int](ctx, c, "__main__", "nest", depth)
	return err
}

func callbacksInC(f *floor.Floor, n int) error {
	return repeated(func() error { return f.Callbacks(callbacks) })(n)
}

func nestInC(f *floor.Floor, n int) error { return repeated(func() error { return f.Nest(depth) })(n) }
