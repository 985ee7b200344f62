package conformance

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/pycontext/py"
)

var lifetimeCases = []testCase{
	{"ClassesInThePlaceOfOthers", classesInPlace},
	{"NamesThatComeAndGo", namesThatComeAndGo},
}

func init() { hostileCases = append(hostileCases, lifetimeCases...) }

// classesInPlace has classes go whose end Python does not tell: one that is first met while the collector that frees it runs
// finalizers, and one that is freed where there is no room for another call. What was known of them must not be taken for known
// of a class that gets their place in memory.
func classesInPlace(t *testing.T, s *suite) {
	c := s.open(t)
	register(t, c, "look", func(ctx context.Context) ([]int, error) { return py.Eval[[]int](ctx, c, "current") })
	run(t, c, `
import gc, go, sys
from collections import UserList

def forget():
    global current
    del current

def in_finalizer(base):
    global current
    class Gone(base):
        def __del__(self):
            global current
            current = self
            try: go.look()
            except go.Error: pass
            del current
    gone = Gone()
    gone.me = gone
    number = id(Gone)
    del gone, Gone
    gc.collect()
    return number

def without_room(base):
    global current
    class Gone(base): pass
    current = Gone()
    try: go.look()
    except go.Error: pass
    number = id(Gone)
    del current, Gone
    def deeper():
        try: deeper()
        except RecursionError: gc.collect()
    hook, sys.unraisablehook = sys.unraisablehook, id
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(200)
    try: deeper()
    finally: sys.unraisablehook = hook; sys.setrecursionlimit(limit)
    return number

class Converted: pass

def renewed(number, base):
    """An object of a class in the place of one that is gone, or of no class."""
    others = []
    for _ in range(5000):
        others.append(type("Fresh", (base,), {}))
        if id(others[-1]) == number:
            return others[-1]()
`)
	err := py.RegisterConverter[[]int](limit(t), c, "__main__", "Converted", py.Converter{To: "lambda o: [1]"})
	is(t, "the converter", err, nil)
	for _, way := range []string{"in_finalizer", "without_room"} {
		for _, listed := range []string{"UserList", "Converted"} {
			found := 0
			for range 5 {
				run(t, c, fmt.Sprintf("o = renewed(%s(object), %s)", way, listed))
				if eval[bool](t, c, "o is not None") {
					found++
					_, err := py.Eval[[]int](limit(t), c, "o")
					is(t, way+": a "+listed+" in the place of an object", err, nil)
				}
				run(t, c, fmt.Sprintf("o = renewed(%s(%s), object)", way, listed))
				if eval[bool](t, c, "o is not None") {
					found++
					_, err := py.Eval[[]int](limit(t), c, "o")
					var misfit *py.ConversionError
					if !errors.As(err, &misfit) {
						t.Errorf("%s: an object in the place of a %s: %v", way, listed, err)
					}
				}
			}
			t.Logf("%s, %s: %d classes were in the place of others", way, listed, found)
		}
	}
}

// namesThatComeAndGo registers each function under a name of its own, has Python call it, and takes it back.
func namesThatComeAndGo(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "import go\ndef use(name): return getattr(go, name)()")
	register(t, c, "stays", func() int { return 1 }, py.Inline())
	run(t, c, "from go import stays")
	ctx, number := limit(t), 0
	flat(t, "20,000 names", 1<<20, func() {
		for range 20_000 {
			number++
			name, want := fmt.Sprint("name", number), number
			register(t, c, name, func() int { return want }, py.Inline())
			if got, err := py.Call[int](ctx, c, "__main__", "use", name); got != want || err != nil {
				t.Fatalf("%s: %v, %v", name, got, err)
			}
			c.Unregister(name)
		}
	})
	equal(t, "one that stayed", eval[int](t, c, "stays() + go.stays()"), 2)
	_, err := c.Call(ctx, "__main__", "use", "name1")
	raises(t, "one that went", err, "AttributeError")
}
