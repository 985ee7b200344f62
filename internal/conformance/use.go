package conformance

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/pycontext/py"
)

var useCases = []testCase{
	{"UseObject", useObject},
	{"UseObjectErrors", useObjectErrors},
	{"UseRef", useRef},
	{"UseRefErrors", useRefErrors},
	{"UseRefAsValue", useRefAsValue},
	{"With", with},
	{"WithRef", withRef},
}

const useSource = `
class Bag(list):
    def __init__(self, *items): super().__init__(items); self.child = self
    def __eq__(self, other): return NotImplemented if other is None else list(self) == other
    def __lt__(self, other): return [] if other == 'never' else [1]
    def __hash__(self): return -2
    def __repr__(self): return 'Bag'
    def __str__(self): return 'a bag'
    def twice(self, n=1, *, add=0): return 2 * n + add
    @property
    def odd(self): raise LookupError('odd')
class NotSelf:
    def __eq__(self, other): return False
    def __len__(self): raise LookupError('no length')
    def __bool__(self): raise LookupError('no truth')
    def __contains__(self, x): raise LookupError('no contents')
    def __hash__(self): raise LookupError('no hash')
    def __repr__(self): raise LookupError('no repr')
    __str__ = __repr__
    def __iter__(self): yield 1; raise LookupError('no more')
    def __getattr__(self, name): raise LookupError(name)
    def __setattr__(self, name, value): raise LookupError(name)
    def __getitem__(self, key): raise LookupError(key)
    __setitem__ = __setattr__
    def __delitem__(self, key): raise LookupError(key)
`

func useObject(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: useSource})
	ctx := limit(t)
	o := eval[*py.Object](t, c, "Bag(1, 2, 3)")
	defer o.Close()
	value := func(what string, want any) func(got any, err error) {
		return func(got any, err error) {
			t.Helper()
			equal(t, what, []any{got, err}, []any{want, nil})
		}
	}
	ok := func(v bool, err error) (any, error) { return v, err }
	is(t, "SetAttr", o.SetAttr(ctx, "x", []int{1}), nil)
	value("Attr", []any{int64(1)})(o.Attr(ctx, "x"))
	is(t, "SetAttr, dotted", o.SetAttr(ctx, "child.child.x", 5), nil)
	value("Attr, dotted", int64(5))(o.Attr(ctx, "child.x"))
	value("HasAttr", true)(ok(o.HasAttr(ctx, "child.x")))
	is(t, "DelAttr, dotted", o.DelAttr(ctx, "child.x"), nil)
	value("HasAttr, gone", false)(ok(o.HasAttr(ctx, "x")))
	value("HasAttr, on the way", false)(ok(o.HasAttr(ctx, "no.x")))
	value("Item", int64(2))(o.Item(ctx, 1))
	value("Item, of a slice", []any{int64(1), int64(2)})(o.Item(ctx, py.Slice{Stop: 2}))
	is(t, "SetItem", o.SetItem(ctx, 0, "one"), nil)
	is(t, "DelItem", o.DelItem(ctx, -1), nil)
	n, err := o.Len(ctx)
	equal(t, "Len", []any{n, err}, []any{2, nil})
	first, err := py.ItemOf[string](ctx, o, 0)
	equal(t, "ItemOf", []any{first, err}, []any{"one", nil})
	value("Contains", true)(ok(o.Contains(ctx, "one")))
	value("Contains, not", false)(ok(o.Contains(ctx, 3)))
	value("Bool", true)(ok(o.Bool(ctx)))
	value("Equal", true)(ok(o.Equal(ctx, []any{"one", 2})))
	value("Equal, None", false)(ok(o.Equal(ctx, nil)))
	value("Compare, a list as an answer", true)(ok(o.Compare(ctx, "<", 1)))
	value("Compare, an empty one", false)(ok(o.Compare(ctx, "<", "never")))
	for op, want := range map[string]bool{"<": true, "<=": true, "==": false, "!=": true, ">": false, ">=": false} {
		five := eval[*py.Object](t, c, "5")
		value(op, want)(ok(five.Compare(ctx, op, 6)))
		five.Close()
	}
	same := eval[*py.Object](t, c, "NotSelf()")
	value("Equal, not even itself", false)(ok(same.Equal(ctx, same)))
	same.Close()
	hash, err := o.Hash(ctx)
	equal(t, "Hash", []any{hash, err}, []any{int64(-2), nil})
	repr, err := o.Repr(ctx)
	equal(t, "Repr", []any{repr, err}, []any{"Bag", nil})
	str, err := o.Str(ctx)
	equal(t, "Str", []any{str, err}, []any{"a bag", nil})
	dir, err := o.Dir(ctx)
	equal(t, "Dir", []any{slices.Contains(dir, "twice"), err}, []any{true, nil})
	class, err := o.Type(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer class.Close()
	value("IsInstance", true)(ok(o.IsInstance(ctx, class)))
	value("IsInstance, of a tuple", true)(ok(o.IsInstance(ctx, py.Tuple{eval[*py.Object](t, c, "str"), eval[*py.Object](t, c, "list")})))
	value("IsInstance, not", false)(ok(o.IsInstance(ctx, eval[*py.Object](t, c, "dict"))))
	value("Call", []any{int64(1)})(eval[*py.Object](t, c, "list").Call(ctx, py.Tuple{1}))
	value("keywords", int64(7))(o.CallMethod(ctx, "twice", py.Kw{"n": 3, "add": 1}))
	table := eval[*py.Object](t, c, "{}")
	is(t, "SetItem of a dict", table.SetItem(ctx, py.Tuple{1, "a"}, table), nil)
	value("a dict that holds itself", true)(ok(table.Contains(ctx, py.Tuple{1, "a"})))
	table.Close()
}

func useObjectErrors(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: useSource})
	ctx := limit(t)
	bad := eval[*py.Object](t, c, "NotSelf()")
	for what, err := range map[string]error{
		"Attr": discardValue(bad.Attr(ctx, "x")), "SetAttr": bad.SetAttr(ctx, "x", 1), "HasAttr": discardValue(bad.HasAttr(ctx, "x")),
		"Item": discardValue(bad.Item(ctx, 1)), "SetItem": bad.SetItem(ctx, 1, 2), "DelItem": bad.DelItem(ctx, 1), "Len": discardValue(bad.Len(ctx)),
		"Bool": discardValue(bad.Bool(ctx)), "Contains": discardValue(bad.Contains(ctx, 1)), "Hash": discardValue(bad.Hash(ctx)),
		"Repr": discardValue(bad.Repr(ctx)), "Str": discardValue(bad.Str(ctx)),
	} {
		raises(t, what, err, "LookupError")
	}
	raises(t, "Compare", discardValue(bad.Compare(ctx, "<", 1)), "TypeError")
	raises(t, "DelAttr", bad.DelAttr(ctx, "x"), "AttributeError")
	raises(t, "IsInstance", discardValue(bad.IsInstance(ctx, 1)), "TypeError")
	if err := discardValue(bad.Compare(ctx, "<>", 1)); err == nil || !py.SafeToRetry(err) {
		t.Errorf("no comparison: %v", err)
	}
	if err := bad.SetAttr(ctx, "a..b", 1); err == nil || !py.SafeToRetry(err) {
		t.Errorf("no name: %v", err)
	}
	for place, err := range map[string]error{
		"key": discardValue(bad.Item(ctx, uintptr(1))), "value": bad.SetItem(ctx, 1, uintptr(1)), "value[0]": bad.SetAttr(ctx, "x", []any{"\xff"}),
	} {
		var conversion *py.ConversionError
		if !errors.As(err, &conversion) || conversion.Place != place {
			t.Errorf("got %v, want a ConversionError at %s", err, place)
		}
	}
	bad.Close()
	for what, err := range map[string]error{"Len": discardValue(bad.Len(ctx)), "SetItem": bad.SetItem(ctx, 1, 2), "nil": discardValue((*py.Object)(nil).Len(ctx))} {
		is(t, what+" of a closed object", err, py.ErrClosed)
	}
	works(t, c)
}

// attached runs f attached; an error of f is a failure of the test.
func attached(t testing.TB, c *py.Context, f func(a *py.Attached) error) {
	t.Helper()
	if err := c.Attach(limit(t), f); err != nil {
		t.Errorf("attached: %+v", err)
	}
}

// sure is the value of a call that does not fail within Attach, where the panic becomes its error.
func sure[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func useRef(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: useSource})
	attached(t, c, func(a *py.Attached) error {
		o := sure(sure(a.Global("Bag")).Call(1, 2, 3))
		equal(t, "SetAttr", o.SetAttr("x", []int{1}), nil)
		equal(t, "Attr", sure(sure(o.Attr("x")).Value()), any([]any{int64(1)}))
		equal(t, "HasAttr", sure(o.HasAttr("x")), true)
		equal(t, "DelAttr", o.DelAttr("x"), nil)
		equal(t, "HasAttr, gone", sure(o.HasAttr("x")), false)
		equal(t, "Item", sure(sure(o.Item(1)).Value()), any(int64(2)))
		equal(t, "SetItem", o.SetItem(0, "one"), nil)
		equal(t, "DelItem", o.DelItem(-1), nil)
		equal(t, "Len", sure(o.Len()), 2)
		equal(t, "Contains", sure(o.Contains("one")), true)
		equal(t, "Contains, not", sure(o.Contains(3)), false)
		equal(t, "Bool", sure(o.Bool()), true)
		equal(t, "Equal", sure(o.Equal([]any{"one", 2})), true)
		equal(t, "Equal, None", sure(o.Equal(nil)), false)
		equal(t, "Compare, a list as an answer", sure(o.Compare("<", 1)), true)
		equal(t, "Compare, an empty one", sure(o.Compare("<", "never")), false)
		five := sure(a.New(5))
		for op, want := range map[string]bool{"<": true, "<=": true, "==": false, "!=": true, ">": false, ">=": false} {
			equal(t, op, sure(five.Compare(op, 6)), want)
		}
		same := sure(sure(a.Global("NotSelf")).Call())
		equal(t, "Equal, not even itself", sure(same.Equal(same)), false)
		equal(t, "Is", []bool{same.Is(same), same.Is(o)}, []bool{true, false})
		equal(t, "Hash", sure(o.Hash()), int64(-2))
		equal(t, "Repr", sure(o.Repr()), "Bag")
		equal(t, "Str", sure(o.Str()), "a bag")
		equal(t, "Dir", slices.Contains(sure(o.Dir()), "twice"), true)
		class := sure(o.Type())
		equal(t, "IsInstance", sure(o.IsInstance(class)), true)
		equal(t, "IsInstance, of a tuple", sure(o.IsInstance(py.Tuple{sure(a.Global("str")), sure(a.Global("list"))})), true)
		equal(t, "IsInstance, not", sure(o.IsInstance(sure(a.Global("dict")))), false)
		equal(t, "CallMethod", sure(sure(o.CallMethod("twice", 3, py.Kw{"add": 1})).Value()), any(int64(7)))
		equal(t, "CallMethodRef", sure(py.CallMethodRef[int](o, "twice", 4)), 8)
		equal(t, "many arguments", sure(sure(o.CallMethod("__init__", make([]any, 100)...)).Value()), any(nil))
		equal(t, "of which it is made now", sure(o.Len()), 100)
		sum := 0
		for item, err := range sure(a.New(py.Range{Stop: 1000, Step: 1})).Iter() {
			sum += sure(py.DecodeRef[int](sure(item, err)))
		}
		equal(t, "Iter", sum, 499500)
		for item, err := range o.Iter() {
			sure(item, err).Release() // the loop does not mind
			break
		}
		return nil
	})
	equal(t, "references", py.Live().References, int64(0))
}

func useRefErrors(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: useSource})
	attached(t, c, func(a *py.Attached) error {
		bad := sure(sure(a.Global("NotSelf")).Call())
		for what, err := range map[string]error{
			"Attr": discardValue(bad.Attr("x")), "SetAttr": bad.SetAttr("x", 1), "HasAttr": discardValue(bad.HasAttr("x")),
			"Item": discardValue(bad.Item(1)), "DelItem": bad.DelItem(1), "Len": discardValue(bad.Len()), "SetItem": bad.SetItem(1, 2),
			"Bool": discardValue(bad.Bool()), "Contains": discardValue(bad.Contains(1)), "Hash": discardValue(bad.Hash()),
			"Repr": discardValue(bad.Repr()), "Str": discardValue(bad.Str()), "CallMethod": discardValue(bad.CallMethod("x")),
			"CallMethodRef": discardValue(py.CallMethodRef[int](bad, "x")),
		} {
			raises(t, what, err, "LookupError")
		}
		raises(t, "Compare", discardValue(bad.Compare("<", 1)), "TypeError")
		raises(t, "DelAttr", bad.DelAttr("x"), "AttributeError")
		raises(t, "IsInstance", discardValue(bad.IsInstance(1)), "TypeError")
		raises(t, "Iter", discardValue(sure(a.New(5)).CallMethod("__iter__")), "AttributeError")
		items := 0
		var last error
		for _, err := range bad.Iter() {
			items, last = items+1, err
		}
		equal(t, "items", items, 2)
		raises(t, "the last item", last, "LookupError")
		for _, err := range sure(a.New(5)).Iter() {
			raises(t, "no iterable", err, "TypeError")
		}
		if err := discardValue(bad.Compare("<>", 1)); err == nil {
			t.Error("no comparison, and no error")
		}
		if err := bad.SetItem(1, uintptr(1)); !isConversion(err) {
			t.Errorf("a uintptr as a value: %v", err)
		}
		equal(t, "afterwards", sure(sure(a.New(5)).Repr()), "5")
		return nil
	})
	var kept py.Ref
	for what, f := range map[string]func(a *py.Attached){
		"released": func(a *py.Attached) {
			r := sure(a.New(1))
			r.Release()
			r.Value()
		},
		"released, its pointer":   func(a *py.Attached) { r := sure(a.New(1)); r.Release(); r.Pointer() },
		"released twice":          func(a *py.Attached) { r := sure(a.New(1)); r.Release(); r.Release() },
		"released, as a value":    func(a *py.Attached) { r := sure(a.New(1)); r.Release(); a.New([]any{r}) },
		"of none":                 func(a *py.Attached) { py.Ref{}.Len() },
		"of NULL":                 func(a *py.Attached) { a.Own(0) },
		"of an Attach that ended": func(a *py.Attached) { kept.Len() },
		"kept":                    func(a *py.Attached) { kept = sure(a.New(1)); panic("kept") },
	} {
		if what == "of an Attach that ended" {
			c.Attach(limit(t), func(a *py.Attached) error { kept = sure(a.New(1)); return nil })
		}
		err := c.Attach(limit(t), func(a *py.Attached) error { f(a); return nil })
		var panicked *py.PanicError
		if !errors.As(err, &panicked) {
			t.Errorf("%s: got %v, want a panic", what, err)
		}
	}
	works(t, c)
}

func useRefAsValue(t *testing.T, s *suite) {
	c := s.open(t)
	var outside py.Ref
	attached(t, c, func(a *py.Attached) error {
		r := sure(sure(a.Global("object")).Call())
		list := sure(a.New([]any{r, map[string]py.Ref{"r": r}}))
		equal(t, "in a list", sure(list.Item(0)).Is(r), true)
		equal(t, "in a map", sure(sure(list.Item(1)).Item("r")).Is(r), true)
		equal(t, "as an argument", sure(sure(a.Global("id")).Call(r)).Pointer() != 0, true)
		equal(t, "as a key", sure(sure(a.New(map[any]any{1: 2})).Item(sure(a.New(1)))).Is(sure(a.New(2))), true)
		equal(t, "contained", sure(list.Contains(r)), true)
		equal(t, "SetAttr", sure(sure(a.Global("type")).Call("T", py.Tuple{}, py.Dict{})).SetAttr("r", r), nil)
		outside = r
		if err := discardValue(c.Eval(limit(t), "v", py.Vars{"v": r})); !isConversion(err) {
			t.Errorf("a Ref in a request: %v", err)
		}
		return c.Attach(limit(t), func(b *py.Attached) error {
			if err := discardValue(b.New(r)); !isConversion(err) {
				t.Errorf("a Ref in another Attach: %v", err)
			}
			return nil
		})
	})
	if err := discardValue(c.Eval(limit(t), "v", py.Vars{"v": []any{outside}})); !isConversion(err) {
		t.Errorf("a Ref that is over: %v", err)
	}
}

const managers = `
class Manager:
    def __init__(self, suppress=False, fail=''): self.suppress, self.fail, self.seen = suppress, fail, []
    def __enter__(self):
        self.seen.append('enter')
        if self.fail == 'enter': raise LookupError('enter')
        return [self]
    def __exit__(self, cls, exc, tb):
        self.seen.append((cls.__name__ if cls else None, str(exc)))
        if self.fail == 'exit': raise LookupError('exit')
        return self.suppress
`

var errBody = errors.New("of the body")

func with(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: managers})
	ctx := limit(t)
	for _, x := range []struct {
		expr string
		body error
		want error
		seen string
	}{
		{"Manager()", nil, nil, "['enter', (None, 'None')]"},
		{"Manager()", errBody, errBody, "['enter', ('Error', 'of the body')]"},
		{"Manager(True)", errBody, nil, "['enter', ('Error', 'of the body')]"},
		{"Manager(fail='enter')", nil, py.Exception("LookupError"), "['enter']"},
		{"Manager(fail='exit')", nil, py.Exception("LookupError"), "['enter', (None, 'None')]"},
		{"Manager(fail='exit')", errBody, py.Exception("LookupError"), "['enter', ('Error', 'of the body')]"},
	} {
		o := eval[*py.Object](t, c, x.expr)
		var inside *py.Object
		err := o.With(ctx, func(ctx context.Context, v *py.Object) error {
			n, err := v.Len(ctx)
			equal(t, x.expr, []any{n, err}, []any{1, nil})
			inside = v
			return x.body
		})
		if !errors.Is(err, x.want) || x.want == errBody && err != errBody {
			t.Errorf("%s, %v: got %v, want %v", x.expr, x.body, err, x.want)
		}
		if x.body != nil && x.want != nil {
			is(t, "the error of the body is behind it", err, errBody)
		}
		if inside != nil {
			is(t, "the value afterwards", discardValue(inside.Len(ctx)), py.ErrClosed)
		}
		equal(t, x.expr, eval[string](t, c, "repr(o.seen)", py.Vars{"o": o}), x.seen)
		o.Close()
	}
	o := eval[*py.Object](t, c, "Manager()")
	err := o.With(ctx, func(context.Context, *py.Object) error { panic("in the body") })
	var panicked *py.PanicError
	if !errors.As(err, &panicked) {
		t.Errorf("a panic: %v", err)
	}
	err = o.With(ctx, func(ctx context.Context, _ *py.Object) error { return c.Exec(ctx, "[][1]") })
	raises(t, "an exception within", err, "IndexError")
	contains(t, "what __exit__ saw", eval[string](t, c, "repr(o.seen[-1])", py.Vars{"o": o}), "IndexError")
	cancelled, cancel := context.WithCancel(limit(t))
	over := make(chan struct{})
	err = o.With(cancelled, func(ctx context.Context, _ *py.Object) error { // goes on, for the race detector
		defer close(over)
		cancel()
		<-ctx.Done()
		return errBody
	})
	is(t, "cancelled in the body", err, context.Canceled)
	<-over
	raises(t, "no context manager", eval[*py.Object](t, c, "object()").With(ctx, func(context.Context, *py.Object) error { return nil }), "TypeError")
	o.Close()
	works(t, c)
}

func withRef(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: managers})
	attached(t, c, func(a *py.Attached) error {
		o := sure(sure(a.Global("Manager")).Call())
		equal(t, "body", o.With(func(v py.Ref) error {
			equal(t, "the value", sure(v.Len()), 1)
			sure(v.Item(0)).SetAttr("inside", true)
			return nil
		}), nil)
		equal(t, "inside", sure(sure(o.Attr("inside")).Bool()), true)
		if err := o.With(func(py.Ref) error { return errBody }); err != errBody {
			t.Errorf("got %v, want the body's error", err)
		}
		equal(t, "suppressed", sure(sure(a.Global("Manager")).Call(true)).With(func(py.Ref) error { return errBody }), nil)
		err := o.With(func(py.Ref) error { return discardValue(o.Item(1)) })
		raises(t, "an exception within", err, "TypeError")
		equal(t, "seen", sure(sure(sure(o.Attr("seen")).Item(-1)).Repr()) != "", true)
		return nil
	})
	works(t, c)
}
