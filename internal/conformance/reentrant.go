package conformance

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pycontext/py"
)

// reentrantCases are about what is used again by the code that it runs.
var reentrantCases = []testCase{
	{"AttachedWithinConversions", attachedWithinConversions},
	{"LentWithinCalls", lentWithinCalls},
	{"RefsReleasedInUse", refsReleasedInUse},
	{"RefsAfterRelease", refsAfterRelease},
}

func init() { hostileCases = append(hostileCases, reentrantCases...) }

// attachedTo runs f within Attach of a fresh context, in which code has run.
func attachedTo(t *testing.T, s *suite, code string, f func(c *py.Context, a *py.Attached)) {
	t.Helper()
	c := s.open(t)
	run(t, c, "import go\n"+code)
	if err := c.Attach(limit(t), func(a *py.Attached) error { f(c, a); return nil }); err != nil {
		t.Errorf("attach: %v", err)
	}
	works(t, c)
}

// refused checks that what was used in the middle of something said so, by an error or a panic.
func refused(t testing.TB, what string, f func() error) {
	t.Helper()
	defer func() {
		if v := recover(); v != nil && !strings.Contains(fmt.Sprint(v), "a conversion within it called") {
			t.Errorf("%s: panic: %v", what, v)
		}
	}()
	if err := f(); err == nil || !strings.Contains(err.Error(), "a conversion within it called") {
		t.Errorf("%s: got %v", what, err)
	}
}

// A using value uses an Attached where it is written or read.
type using struct{ use func() (any, error) }

func (u using) MarshalPython() (any, error) { return u.use() }

type usedBy struct{}

var useNow func(value any) error // one test at a time

func (*usedBy) UnmarshalPython(value any) error { return useNow(value) }

func attachedWithinConversions(t *testing.T, s *suite) {
	code := `
class Key:
    def __hash__(self): go.use(); return 1
class Item:
    def __init__(self, n): self.n = n
def last(*args, **kw): return args[-1]
`
	attachedTo(t, s, code, func(c *py.Context, a *py.Attached) {
		kept := must(a.New("kept"))
		last := must(a.Global("last"))
		uses := map[string]func() error{
			"New":     func() error { _, err := a.New(strings.Repeat("x", 1000)); return err },
			"SetItem": func() error { return must(a.Global("Item")).SetItem(1, 2) },
			"Attr":    func() error { _, err := kept.Attr("nothing"); return err },
			"Release": func() error { kept.Release(); return nil },
			"Repr":    func() error { _, err := kept.Repr(); return err },
			"Call":    func() error { _, err := py.CallRef[[]any](last, []any{1, 2, 3}); return err },
			"Scalars": func() error { _, err := py.CallRef[int](last, 1); return err },
			"Detach":  func() error { a.Detach(func() {}); return nil },
		}
		for name, use := range uses {
			writing := using{func() (any, error) { return 7, use() }}
			refused(t, name+" where an argument is written", func() error {
				_, err := py.CallRef[[]any](last, []any{kept, writing, "next"})
				return err
			})
			refused(t, name+" where a value is written", func() error { _, err := a.New([]any{kept, writing, "next"}); return err })
			var met error
			useNow = func(any) error {
				defer func() {
					if v := recover(); v != nil {
						met = fmt.Errorf("%v", v)
					}
				}()
				met = use()
				return nil
			}
			read, err := py.CallRef[[]usedBy](last, []any{"a", strings.Repeat("b", 10000), "c"})
			if err != nil || len(read) != 3 {
				t.Errorf("%s: %v, %v", name, read, err)
			}
			refused(t, name+" where a result is read", func() error { return met })
			if err := c.Register("use", func() {
				met = nil
				defer func() {
					if v := recover(); v != nil {
						met = fmt.Errorf("%v", v)
					}
				}()
				met = use()
			}, py.Inline()); err != nil {
				t.Error(err)
			}
			key := must(must(a.Global("Key")).Call())
			d := must(a.New(py.Dict{{Key: key, Value: strings.Repeat("v", 10000)}, {Key: "k", Value: 5}}))
			equal(t, name+": what was made meanwhile", must(d.Len()), 2)
			refused(t, name+" where a key is put into a dict", func() error { return met })
			equal(t, name+": afterwards", must(py.CallRef[string](last, kept)), "kept")
		}
	})
}

func lentWithinCalls(t *testing.T, s *suite) {
	code := `
kept = []
def seen(): return [list(v) for v in kept]
def f(view, use):
    part = view[1:]
    kept.append(part)
    use()
    return sum(part)
class Store:
    def __setitem__(self, key, value):
        kept.append(value[1:])
        go.use()
`
	c := s.open(t)
	run(t, c, "import go\n"+code)
	err := c.Attach(limit(t), func(a *py.Attached) error {
		use := py.Func(func() error { _, err := a.New("other"); return err }, py.Inline())
		register(t, c, "use", func() error { _, err := a.New(py.Lend([]int{7})); return err }, py.Inline())
		if _, err := py.CallRef[int](must(a.Global("f")), py.Lend([]int{1, 2, 3}), use); err == nil {
			t.Error("a view that is kept is no error")
		}
		equal(t, "the store", must(must(a.Global("Store")).Call()).SetItem("key", py.Lend([]int{4, 5})), nil)
		equal(t, "what was kept", must(py.CallRef[any](must(a.Global("seen")))), any([]any{[]any{int64(2), int64(3)}, []any{int64(5)}}))
		return nil
	})
	raises(t, "views that are kept", err, "BufferError")
	run(t, c, "kept.clear()")
	eventually(t, "nothing is lent", func() bool { run(t, c, "1"); return py.Live().Lent == 0 })
}

func refsReleasedInUse(t *testing.T, s *suite) {
	code := `
class Slots:
    def __init__(self): self.big = [b'\x99' * n for n in range(20)]
    def __getattribute__(self, name): go.release(); raise AttributeError(name)
    def __getattr__(self, name): return 1
    def __eq__(self, other): go.release(); return NotImplemented
    def __len__(self): go.release(); return 3
    def __bool__(self): go.release(); return True
    def __hash__(self): go.release(); return 3
    def __getitem__(self, key): go.release(); return 4
    def __setitem__(self, key, value): go.release()
    def __contains__(self, value): go.release(); return True
    def __iter__(self): go.release(); return iter('a')
    def __repr__(self): go.release(); return 'slots'
    def __call__(self, *args): go.release(); return 5
`
	attachedTo(t, s, code, func(c *py.Context, a *py.Attached) {
		for name, use := range map[string]func(py.Ref) error{
			"Attr":     func(r py.Ref) error { _, err := r.Attr("x"); return err },
			"HasAttr":  func(r py.Ref) error { _, err := r.HasAttr("x"); return err },
			"Equal":    func(r py.Ref) error { _, err := r.Equal(1); return err },
			"Len":      func(r py.Ref) error { _, err := r.Len(); return err },
			"Bool":     func(r py.Ref) error { _, err := r.Bool(); return err },
			"Hash":     func(r py.Ref) error { _, err := r.Hash(); return err },
			"Item":     func(r py.Ref) error { _, err := r.Item("k"); return err },
			"SetItem":  func(r py.Ref) error { return r.SetItem("k", "v") },
			"Contains": func(r py.Ref) error { _, err := r.Contains("v"); return err },
			"Repr":     func(r py.Ref) error { _, err := r.Repr(); return err },
			"Call":     func(r py.Ref) error { _, err := r.Call("x"); return err },
			"CallRef":  func(r py.Ref) error { _, err := py.CallRef[[]int](r, "x"); _ = err; return nil },
			"Iter": func(r py.Ref) error {
				for _, err := range r.Iter() {
					if err != nil {
						return err
					}
				}
				return nil
			},
		} {
			r := must(must(a.Global("Slots")).Call())
			released := false
			register(t, c, "release", func() {
				if !released {
					released = true
					r.Release()
				}
			}, py.Inline())
			if err := use(r); err != nil || !released {
				t.Errorf("%s: %v, released: %v", name, err, released)
			}
		}
	})
}

// refsAfterRelease: a Ref that was released stays one, whatever takes its place.
func refsAfterRelease(t *testing.T, s *suite) {
	attachedTo(t, s, "def floats(): return (n + 0.5 for n in range(5))", func(c *py.Context, a *py.Attached) {
		items := must(must(a.Global("floats")).Call())
		var kept []py.Ref
		for item, err := range items.Iter() {
			if err != nil {
				t.Fatal(err)
			}
			item.Release()
			kept = append(kept, must(a.New(100.5)))
		}
		for _, r := range kept {
			equal(t, "what was made where an item was", must(r.Value()), any(100.5))
		}
		old := must(a.New(1.5))
		old.Release()
		other := must(a.New(2.5))
		func() {
			defer func() {
				if recover() == nil {
					t.Error("a Ref can be used after its Release")
				}
			}()
			old.Value()
		}()
		equal(t, "the other", must(other.Value()), any(2.5))
	})
}
