package conformance

import (
	"errors"
	"runtime"
	"testing"

	"github.com/pycontext/py"
)

var objectCases = []testCase{
	{"Case25Objects", objects},
	{"Case26SameObject", sameObject},
	{"Case27WrongObject", wrongObject},
	{"Case28ForgottenObjects", forgottenObjects},
	{"Case28ReleasedInPython", releasedInPython},
}

const counter = `
class Counter:
    kind = 'counter'
    def __init__(self): self.n = 0; self.child = None
    def add(self, k=1, *, times=1): self.n += k * times; return self.n
    def me(self): return self
    def __call__(self, x): return x * 2
`

func objects(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, counter)
	o := call[*py.Object](t, c, "__main__", "Counter")
	ctx := limit(t)
	n, err := py.CallMethod[int](ctx, o, "add", 5)
	equal(t, "add", []any{n, err}, []any{5, nil})
	v, err := o.CallMethod(ctx, "add", 1, py.Kw{"times": 2})
	equal(t, "add", []any{v, err}, []any{int64(7), nil})
	v, err = o.Attr(ctx, "kind")
	equal(t, "kind", []any{v, err}, []any{"counter", nil})
	v, err = o.Attr(ctx, "kind.upper.__name__")
	equal(t, "kind.upper.__name__", []any{v, err}, []any{"upper", nil})
	v, err = o.Call(ctx, 21)
	equal(t, "call", []any{v, err}, []any{int64(42), nil})
	v, err = o.CallMethod(ctx, "", 21)
	equal(t, "call by an empty name", []any{v, err}, []any{int64(42), nil})
	v, err = o.CallMethod(ctx, "me.__class__.__name__.upper")
	equal(t, "a dotted method", []any{v, err}, []any{"METHOD", nil})
	again, err := o.Value(ctx)
	if other, ok := again.(*py.Object); !ok || other == o || err != nil {
		t.Errorf("Value of an object without a counterpart: %v, %v", again, err)
	}
	list := eval[*py.Object](t, c, "[1, [2], {'a': 3}]")
	v, err = list.Value(ctx)
	equal(t, "list", []any{v, err}, []any{[]any{int64(1), []any{int64(2)}, map[string]any{"a": int64(3)}}, nil})
	ints, err := py.Decode[[]any](ctx, list)
	equal(t, "decoded", len(ints), 3)
	equal(t, "error", err, nil)
	if _, err := py.Decode[[]int](ctx, list); err == nil {
		t.Error("a list within a list became an int")
	}
	attr, err := py.Attr[*py.Object](ctx, o, "__class__")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "class", call[string](t, c, "builtins", "repr", attr), "<class '__main__.Counter'>")
	equal(t, "Context", o.Context() == c, true)
	five, err := py.Eval[*py.Object](ctx, c, "5")
	if err != nil {
		t.Fatal(err)
	}
	v, err = five.Value(ctx)
	equal(t, "5", []any{v, err}, []any{int64(5), nil})
	none := eval[*py.Object](t, c, "None")
	if none == nil {
		t.Error("a reference to None is nil")
	}
	nested := eval[[]any](t, c, "[Counter(), 1]")
	if _, ok := nested[0].(*py.Object); !ok {
		t.Errorf("within a list: %T", nested[0])
	}
	refs := eval[map[string]*py.Object](t, c, "{'a': Counter(), 'b': Counter()}")
	v, err = refs["a"].Attr(ctx, "n")
	equal(t, "a reference within a dict", []any{v, err}, []any{int64(0), nil})
	for _, o := range []*py.Object{o, list, attr, five, none, nested[0].(*py.Object), refs["a"], refs["b"]} {
		o.Close()
	}
}

func sameObject(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, counter+"kept = Counter()\ndef is_kept(x, *a, **k): return x is kept or (bool(a) and a[0] is kept) or k.get('k') is kept")
	o := eval[*py.Object](t, c, "kept")
	ctx := limit(t)
	for name, args := range map[string][]any{
		"argument": {o}, "second": {1, o}, "keyword": {1, py.Kw{"k": o}},
	} {
		equal(t, name, call[bool](t, c, "__main__", "is_kept", args...), true)
	}
	equal(t, "variable", eval[bool](t, c, "x is kept", py.Vars{"x": o}), true)
	equal(t, "in a list", eval[bool](t, c, "x[0][0] is kept", py.Vars{"x": []any{[]*py.Object{o}}}), true)
	equal(t, "in a map", eval[bool](t, c, "x['a'] is kept", py.Vars{"x": map[string]*py.Object{"a": o}}), true)
	equal(t, "as a key", eval[bool](t, c, "kept in x", py.Vars{"x": map[*py.Object]int{o: 1}}), true)
	again, err := py.CallMethod[*py.Object](ctx, o, "me")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "through Python", eval[bool](t, c, "a is b", py.Vars{"a": o, "b": again}), true)
	run(t, c, "x.n = 99", py.Vars{"x": o})
	equal(t, "changed", eval[int](t, c, "kept.n"), 99)
	register(t, c, "same", func(o *py.Object) *py.Object { return o })
	equal(t, "through a callback", eval[bool](t, c, "__import__('go').same(kept) is kept"), true)
	register(t, c, "kept", func() *py.Object { return o })
	equal(t, "from a callback", eval[bool](t, c, "__import__('go').kept() is kept"), true)
}

func wrongObject(t *testing.T, s *suite) {
	a, b := s.open(t), s.open(t)
	ctx := limit(t)
	o := eval[*py.Object](t, a, "[1]")
	uses := func(o *py.Object, c *py.Context) map[string]error {
		errs := map[string]error{}
		_, errs["argument"] = c.Call(ctx, "builtins", "len", o)
		_, errs["keyword"] = c.Call(ctx, "builtins", "dict", py.Kw{"x": o})
		_, errs["variable"] = c.Eval(ctx, "x", py.Vars{"x": o})
		_, errs["within"] = c.Call(ctx, "builtins", "len", []any{map[string]any{"a": o}})
		errs["exec"] = c.Exec(ctx, "x", py.Vars{"x": o})
		return errs
	}
	for name, err := range uses(o, b) {
		is(t, name, err, py.ErrWrongContext)
		if !py.SafeToRetry(err) {
			t.Errorf("%s: SafeToRetry is false", name)
		}
	}
	o2 := eval[*py.Object](t, b, "[1]")
	_, err := o.CallMethod(ctx, "append", o2)
	is(t, "as a method's argument", err, py.ErrWrongContext)
	register(t, b, "foreign", func() *py.Object { return o })
	_, err = b.Eval(ctx, "__import__('go').foreign()")
	raises(t, "as a callback's result", err, "TypeError")
	is(t, "as a callback's result", err, py.ErrWrongContext)
	_, err = o.CallMethod(ctx, "no_such")
	raises(t, "unknown method", err, "AttributeError")
	_, err = o.Attr(ctx, "no_such")
	raises(t, "unknown attribute", err, "AttributeError")
	is(t, "Close", o.Close(), nil)
	is(t, "Close again", o.Close(), nil)
	for name, err := range uses(o, a) {
		is(t, "closed, "+name, err, py.ErrClosed)
	}
	_, err = o.Value(ctx)
	is(t, "closed, value", err, py.ErrClosed)
	_, err = o.CallMethod(ctx, "append", 1)
	is(t, "closed, method", err, py.ErrClosed)
	b.Close()
	_, err = o2.Value(ctx)
	is(t, "after Close of the context", err, py.ErrClosed)
	var none *py.Object
	if _, err := none.Value(ctx); err == nil || !py.SafeToRetry(err) {
		t.Errorf("a nil object: %v", err)
	}
	if _, err := none.CallMethod(ctx, "x"); err == nil {
		t.Error("a method of a nil object")
	}
	equal(t, "a nil object as an argument is None", eval[any](t, a, "x is None", py.Vars{"x": none}), true)
	is(t, "Close of a nil object", none.Close(), nil)
	works(t, a)
}

// forgottenObjects would take a gigabyte if they were not released.
func forgottenObjects(t *testing.T, s *suite) {
	c := s.open(t)
	ctx := limit(t)
	before := Measure().Memory
	for i := range 100000 {
		if _, err := py.Eval[*py.Object](ctx, c, "bytearray(10000)"); err != nil {
			t.Fatal(err)
		}
		if i%4000 == 3999 {
			runtime.GC()
		}
	}
	eventually(t, "the references are gone", func() bool { runtime.GC(); works(t, c); return py.Live().References == 0 })
	if after := Measure().Memory; after-before > 250<<20 {
		t.Errorf("memory grew from %d to %d", before, after)
	}
	for range 20000 {
		o, err := py.Eval[*py.Object](ctx, c, "object()")
		if err != nil {
			t.Fatal(err)
		}
		o.Close()
	}
	eventually(t, "the references are gone", func() bool { works(t, c); return py.Live().References == 0 })
}

// releasedInPython looks through Python's eyes.
func releasedInPython(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "import weakref\nclass W: pass\nalive = weakref.WeakSet()\ndef make():\n  w = W(); alive.add(w); return w\ndef fail(): return [make(), [make()], float, '\\ud800']")
	count := func() int { runtime.GC(); return eval[int](t, c, "len(alive)") }
	o := eval[*py.Object](t, c, "make()")
	equal(t, "held by Go", count(), 1)
	run(t, c, "1")
	equal(t, "still", count(), 1)
	runtime.KeepAlive(o)
	o = nil
	eventually(t, "forgotten by Go", func() bool { return count() == 0 })
	o = eval[*py.Object](t, c, "make()")
	o.Close()
	eventually(t, "closed", func() bool { return count() == 0 })
	_, err := c.Eval(limit(t), "fail()")
	var bad *py.ConversionError
	if !errors.As(err, &bad) || bad.Place != "result[3]" {
		t.Errorf("got %v, want a ConversionError at result[3]", err)
	}
	eventually(t, "a result that cannot travel", func() bool { return count() == 0 })
	if _, err := py.Eval[[]int](limit(t), c, "[make(), make()]"); err == nil {
		t.Error("objects became ints")
	}
	eventually(t, "a result of the wrong type", func() bool { return count() == 0 })
	register(t, c, "f", func(n int) {})
	_, err = c.Eval(limit(t), "__import__('go').f([make()])")
	raises(t, "an argument of the wrong type", err, "TypeError")
	eventually(t, "an argument of the wrong type", func() bool { return count() == 0 })
	equal(t, "references", py.Live().References, int64(0))
}
