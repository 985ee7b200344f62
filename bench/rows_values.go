package main

import (
	"context"
	"fmt"

	"github.com/pycontext/py"
	"github.com/pycontext/py/internal/cpython/floor"
)

const identitySource = "def identity(x): return x"

// person is a struct of five fields.
type person struct {
	ID    int     `json:"id"`
	Name  string  `json:"name"`
	Score float64 `json:"score"`
	Live  bool    `json:"live"`
	Tag   string  `json:"tag"`
}

func valueRows() []row {
	return []row{
		identityRow("identity of 10 ints", ints(10), goal{}),
		identityRow("identity of 1,000 ints", ints(1000), goal{limit: 40e3}),
		identityRow("identity of 100,000 ints", ints(100_000), goal{}),
		identityRow("identity of 1,000 floats", floats(1000), goal{}),
		identityRow("identity of a dict of 100 str to float", scores(100), goal{limit: 20e3}),
		identityRow("identity of 1,000 structs of 5 fields", people(1000), goal{}),
		identityRow("identity of a JSON-like tree of 10,000 nodes", tree(10_000/8), goal{}),
		identityRow("identity of 1 KiB of bytes", make([]byte, 1<<10), goal{}),
		identityRow("identity of 1 MiB of bytes", make([]byte, 1<<20), goal{limit: 100e3}),
		identityRow("identity of 1 MiB of text", string(make([]byte, 1<<20)), goal{}),
	}
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
		each(way.timed, on(ownLock, identitySource, us), asked(jsonName, given(asJSON)), asked(msgpackName, given("identity")),
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

func ints(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i * 1000
	}
	return s
}

func floats(n int) []float64 {
	s := make([]float64, n)
	for i := range s {
		s[i] = float64(i) / 7
	}
	return s
}

func scores(n int) map[string]float64 {
	m := map[string]float64{}
	for i := range n {
		m[fmt.Sprintf("key%d", i)] = float64(i) / 3
	}
	return m
}

func people(n int) []person {
	s := make([]person, n)
	for i := range s {
		s[i] = person{i, fmt.Sprintf("name %d", i), float64(i) / 7, i%2 == 0, "tag"}
	}
	return s
}

// tree is what a JSON document decodes to: objects of eight values each, with up to ten others below each.
func tree(objects int) any { return treeFrom(0, objects) }

func treeFrom(i, objects int) any {
	children := []any{}
	for child := 10*i + 1; child <= 10*i+10 && child < objects; child++ {
		children = append(children, treeFrom(child, objects))
	}
	return map[string]any{"id": int64(i), "name": fmt.Sprintf("node %d", i), "live": i%2 == 0,
		"tags": []any{"a", float64(i) / 3}, "children": children}
}
