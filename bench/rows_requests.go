package bench

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
			name: "call math.sqrt, one context, back to back", unit: nanoseconds, long: true, pinned: true, check: true,
			goal: goal{limit: 1000, pinned: 3000},
			of: append(each(way.timed, sqrtWays()...), floorOf((*floor.Floor).ReleasedCalls),
				commanded("import math, sys; print(math.sqrt(float(sys.argv[1])))", "16")),
		},
		{
			name: "the same on a worker context", unit: nanoseconds, long: true, pinned: true,
			of: []subject{on(worker, "", sqrt).timed(), floorOf((*floor.Floor).ReleasedCalls)},
		},
		{
			name: "eval x*y with two variables", unit: nanoseconds, long: true, pinned: true, check: true, goal: goal{limit: 1500},
			of: append(alternatives(
				on(ownLock, "", eval),
				func(f *floor.Floor) error { return f.Evals(1) },
				func(s service) error {
					var product int
					return s.call("evaluate", &product, "x*y", factors)
				}), floorOf((*floor.Floor).Evals), commanded("x, y = 3, 4; print(x*y)")),
		},
		{
			name: "exec z = 1", unit: nanoseconds, long: true, pinned: true, check: true,
			of: append(alternatives(
				on(ownLock, "", exec),
				func(f *floor.Floor) error { return f.Execs(1) },
				func(s service) error {
					var done bool
					return s.call("execute", &done, "z = 1")
				}), floorOf((*floor.Floor).Execs), commanded("z = 1")),
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
			name: "a call that makes one callback", unit: nanoseconds, pinned: true, check: true,
			of: append(each(way.timed, askedBack("run", 1)...), callbackRow("run", 1), floorOf(callbacksInC(1))),
		},
		{
			name: "a call that makes one callback, inline", unit: nanoseconds, pinned: true,
			of: []subject{callbackRow("run", 1, py.Inline()), floorOf(callbacksInC(1))},
		},
		{
			name: "a callback, one of 1,000 in a call", unit: nanoseconds, long: true, pinned: true, check: true, goal: goal{limit: 2000},
			of: eachOf(callbacks, append(each(way.timed, askedBack("run", callbacks)...), callbackRow("run", callbacks), floorOf(callbacksInC(callbacks)))...),
		},
		{
			name: "a callback, inline", unit: nanoseconds, pinned: true, check: true, goal: goal{limit: 200},
			of: eachOf(callbacks, callbackRow("run", callbacks, py.Inline()), floorOf(callbacksInC(callbacks))),
		},
		{
			name: "a callback, inline, written go.f(x)", unit: nanoseconds, pinned: true,
			of: eachOf(callbacks, callbackRow("run_looked_up", callbacks, py.Inline()), floorOf(callbacksInC(callbacks))),
		},
		{
			name: "Go and Python call each other, 1,000 deep", unit: nanoseconds, long: true, pinned: true, check: true, goal: goal{limit: 5e6},
			of: append(each(way.timed, askedBack("nest", depth)...), nestingRow(), floorOf(nestInC)),
		},
	}
}

// alternatives are an operation's ways, timed: ours, what C does by a channel, and what a service does.
func alternatives(us way, inC func(*floor.Floor) error, by func(service) error) []subject {
	return each(way.timed, append([]way{us, overChannel(inC)}, askedEach(by)...)...)
}

// askedBack is a call of a service that calls Go functions, which HTTP has no way for.
func askedBack(function string, n int) []way {
	op := func(s service) error {
		var result int
		return s.call(function, &result, n)
	}
	return []way{asked(jsonName, op), asked(msgpackName, op)}
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

func callbackRow(run string, n int, options ...py.FuncOption) subject {
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
			_, err := py.Call[int](l.ctx, c, "__main__", run, n)
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

func callbacksInC(many int) func(*floor.Floor, int) error {
	return func(f *floor.Floor, n int) error { return repeated(func() error { return f.Callbacks(many) })(n) }
}

func nestInC(f *floor.Floor, n int) error { return repeated(func() error { return f.Nest(depth) })(n) }
