package py_test

import (
	"runtime/debug"
	"slices"
	"testing"

	"github.com/pycontext/py"
)

// What a small request needs in Go is kept from one to the next, or on the caller's stack; but for the list of variables.
func TestAllocations(t *testing.T) {
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-asan", Value: "true"}) {
		t.Skip("what is on the stack elsewhere is on the heap in builds for the address sanitizer")
	}
	ctx := t.Context()
	c, err := py.New(ctx, py.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	vars := py.Vars{"x": 6.0, "y": 7.0}
	for _, x := range []struct {
		what string
		most float64
		f    func() error
	}{
		{"call", 0, func() error {
			_, err := py.Call[float64](ctx, c, "math", "hypot", 3.0, 4.0)
			return err
		}},
		{"eval", 1, func() error {
			_, err := py.Eval[float64](ctx, c, "x*y", vars)
			return err
		}},
		{"exec", 0, func() error { return c.Exec(ctx, "z = 1") }},
		{"call that takes long", 0, func() error {
			_, err := py.Call[any](ctx, c, "time", "sleep", 1e-3)
			return err
		}},
	} {
		allocations := testing.AllocsPerRun(500, func() {
			if err := x.f(); err != nil {
				t.Fatal(err)
			}
		})
		if allocations > x.most {
			t.Errorf("%s: %v allocations, want %v at most", x.what, allocations, x.most)
		}
	}
}
