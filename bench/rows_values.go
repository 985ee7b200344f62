package bench

import (
	"context"
	"encoding/json"
	"runtime"

	"github.com/pycontext/py"
	"github.com/pycontext/py/bench/internal/sample"
	"github.com/pycontext/py/internal/cpython/floor"
)

const identitySource = `
import json
def identity(x): return x
def identity_of_text(x): return json.dumps(json.loads(x))
`

func valueRows() []row {
	// Go collects garbage when the heap has doubled: here, where it is empty otherwise, after every third result of 1 MiB.
	amongOthers := identityRow("identity of 1 MiB of bytes, in a program that holds 64 MiB", make([]byte, 1<<20), goal{limit: 100e3})
	amongOthers.beside = func(l *lab) error {
		held := make([]byte, 64<<20)
		l.onClose(func() { runtime.KeepAlive(held) })
		runtime.GC()
		return nil
	}
	return []row{
		identityRow("identity of 10 ints", sample.Ints(10), goal{}),
		identityRow("identity of 1,000 ints", sample.Ints(1000), goal{limit: 40e3}),
		identityRow("identity of 100,000 ints", sample.Ints(100_000), goal{}),
		identityRow("identity of 1,000 floats", sample.Floats(1000), goal{}),
		identityRow("identity of a dict of 100 str to float", sample.Scores(100), goal{limit: 20e3}),
		identityRow("identity of 1,000 structs of 5 fields", sample.People(1000), goal{}),
		identityRow("identity of a JSON-like tree of 10,000 nodes", sample.Tree(10_000), goal{}),
		identityRow("identity of 1 KiB of bytes", make([]byte, 1<<10), goal{}),
		identityRow("identity of 1 MiB of bytes", make([]byte, 1<<20), goal{limit: 100e3}),
		amongOthers,
		identityRow("identity of 1 MiB of text", string(make([]byte, 1<<20)), goal{}),
	}
}

// asText sends a value as JSON through this package. Bytes are text there; Python leaves them so.
func asText[T any](v T) way {
	w := on(ownLock, identitySource, func(ctx context.Context, c *py.Context) error {
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		back, err := py.Call[string](ctx, c, "__main__", "identity_of_text", string(text))
		if err != nil {
			return err
		}
		var same T
		return json.Unmarshal([]byte(back), &same)
	})
	w.name = textName
	return w
}

// identityRow gives a value to a Python function and takes it back.
func identityRow[T any](name string, v T, g goal) row {
	asJSON := "identity"
	if _, ok := any(v).([]byte); ok {
		asJSON = "identity_base64"
	}
	given := func(function string) func(s service) error {
		return func(s service) error {
			var same T
			return s.call(function, &same, v)
		}
	}
	us := func(ctx context.Context, c *py.Context) error {
		_, err := py.Call[T](ctx, c, "__main__", "identity", v)
		return err
	}
	inC := func(l *lab) (*floor.Value, error) {
		value, err := floor.NewValue(v)
		if err == nil {
			l.onClose(value.Close)
		}
		return value, err
	}
	return row{name: name, unit: nanoseconds, goal: g, check: true, of: append(
		each(way.timed, on(ownLock, identitySource, us), asText[T](v), asked(jsonName, given(asJSON)), asked(msgpackName, given("identity")),
			asked(httpName, given(asJSON))),
		subject{floorName, func(l *lab) (probe, error) {
			value, err := inC(l)
			if err != nil {
				return nil, err
			}
			return floorOf(func(f *floor.Floor, n int) error { return f.Identity(value, n) }).open(l)
		}},
		subject{channelName, func(l *lab) (probe, error) {
			value, err := inC(l)
			if err != nil {
				return nil, err
			}
			return overChannel(func(f *floor.Floor) error { return f.Identity(value, 1) }).timed().open(l)
		}},
	)}
}
