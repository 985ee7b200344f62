package conformance

import (
	"context"
	"errors"
	"testing"

	"github.com/pycontext/py"
)

// Attach, and requests within it.
var attachCases = []testCase{
	{"HostileAttach", attach},
	{"HostileAttachRequests", attachRequests},
}

func init() { hostileCases = append(hostileCases, attachCases...) }

func attach(t *testing.T, s *suite) {
	c, other := s.open(t), s.open(t)
	run(t, c, "class K: pass\nk = K()\nd = {'a': [1, 2]}\ndef f(*a, **kw): return a, kw\ndef fail(): {}['x']")
	foreign := eval[*py.Object](t, other, "[]")
	mine := eval[*py.Object](t, c, "k")
	sentinel := errors.New("mine")
	var kept *py.Object
	err := c.Attach(limit(t), func(a *py.Attached) error {
		d, err := a.Global("d")
		if err != nil {
			return err
		}
		list, err := d.Item("a")
		if err != nil {
			return err
		}
		v, err := list.Value()
		equal(t, "d['a']", []any{v, err}, []any{[]any{int64(1), int64(2)}, nil})
		_, err = d.Item("no")
		raises(t, "Item", err, "KeyError")
		_, err = list.Item(99)
		raises(t, "Item", err, "IndexError")
		_, err = a.Global("nope")
		if err == nil {
			t.Error("Global of nothing")
		}
		_, err = a.Global("len")
		is(t, "a built-in", err, nil)
		_, err = a.Import("nope")
		raises(t, "Import", err, "ModuleNotFoundError")
		_, err = a.New(make(chan<- int))
		var bad *py.ConversionError
		equal(t, "New of a channel", errors.As(err, &bad), true)
		f, _ := a.Global("f")
		r, err := f.Call(1, py.Kw{"x": 2})
		if err != nil {
			return err
		}
		v, err = r.Value()
		equal(t, "f(1, x=2)", []any{v, err}, []any{py.Tuple{py.Tuple{int64(1)}, map[string]any{"x": int64(2)}}, nil})
		_, err = f.Call(foreign)
		is(t, "a foreign object", err, py.ErrWrongContext)
		_, err = a.Object(foreign)
		is(t, "a foreign object", err, py.ErrWrongContext)
		k, err := a.Object(mine)
		if err != nil {
			return err
		}
		is(t, "SetAttr", k.SetAttr("x", 5), nil)
		n, err := py.DecodeRef[int](func() py.Ref { r, _ := k.Attr("x"); return r }())
		equal(t, "Attr", []any{n, err}, []any{5, nil})
		raises(t, "SetAttr", list.SetAttr("x", 5), "AttributeError")
		fail, _ := a.Global("fail")
		_, err = fail.Call()
		raises(t, "Call", err, "KeyError")
		_, err = py.CallRef[int](fail)
		raises(t, "CallRef", err, "KeyError")
		_, err = k.Call()
		raises(t, "Call", err, "TypeError")
		if a.ThreadState() == 0 || k.Pointer() == 0 || a.Context() != c {
			t.Error("no raw pointers")
		}
		kept, err = list.Keep()
		is(t, "Keep", err, nil)
		a.Detach(func() {
			if s.Mode != py.OwnGIL {
				works(t, other)
			}
		})
		length, _ := a.Global("len")
		for range 3000 {
			r, err := a.New([]int{1, 2, 3})
			if err != nil {
				return err
			}
			if n, err := py.CallRef[int](length, []int{1, 2, 3}); n != 3 || err != nil {
				t.Errorf("len: %d, %v", n, err)
			}
			r.Release()
		}
		return sentinel
	})
	is(t, "Attach", err, sentinel)
	v, err := kept.Value(limit(t))
	equal(t, "kept", []any{v, err}, []any{[]any{int64(1), int64(2)}, nil})
	err = c.Attach(limit(t), func(a *py.Attached) error { panic(sentinel) })
	var p *py.PanicError
	if !errors.As(err, &p) || !errors.Is(err, sentinel) {
		t.Errorf("a panic: %v", err)
	}
	works(t, c)
	err = c.Attach(limit(t), func(a *py.Attached) error { a.Detach(func() { panic("detached") }); return nil })
	equal(t, "a panic while detached", errors.As(err, &p), true)
	works(t, c)
	for range 100 {
		if err := c.Attach(limit(t), func(a *py.Attached) error { _, err := a.New("x"); return err }); err != nil {
			t.Fatal(err)
		}
	}
	var late *py.Attached
	c.Attach(limit(t), func(a *py.Attached) error { late = a; return nil })
	for what, use := range map[string]func(){
		"New": func() { late.New(1) }, "Own": func() { late.Own(1) }, "ThreadState": func() { late.ThreadState() },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s of an Attached after its function returned: no panic", what)
				}
			}()
			use()
		}()
	}
	kept.Close()
}

// attachRequests makes requests from within an attached function.
func attachRequests(t *testing.T, s *suite) {
	c, other := s.open(t), s.open(t)
	register(t, c, "f", func(ctx context.Context, n int) (int, error) { return py.Eval[int](ctx, c, "n + 1", py.Vars{"n": n}) })
	register(t, c, "attach", func(ctx context.Context) (n int, err error) {
		err = c.Attach(ctx, func(a *py.Attached) error {
			f, err := a.Global("five")
			if err != nil {
				return err
			}
			n, err = py.CallRef[int](f)
			return err
		})
		return n, err
	})
	run(t, c, "import go\ndef five(): return 5\ndef g(): return go.f(1)")
	ctx := limit(t)
	err := c.Attach(ctx, func(a *py.Attached) error {
		n, err := py.Eval[int](ctx, c, "1+1")
		equal(t, "the same context", []any{n, err}, []any{2, nil})
		n, err = py.Eval[int](ctx, other, "1+1")
		equal(t, "another context", []any{n, err}, []any{2, nil})
		g, err := a.Global("g")
		if err != nil {
			return err
		}
		n, err = py.CallRef[int](g)
		equal(t, "a callback", []any{n, err}, []any{2, nil})
		_, err = c.Eval(ctx, "1/0")
		raises(t, "an error", err, "ZeroDivisionError")
		return c.Attach(ctx, func(b *py.Attached) error { _, err := b.Import("math"); return err })
	})
	is(t, "Attach", err, nil)
	equal(t, "Attach within a callback", eval[int](t, c, "go.attach()"), 5)
	started := make(chan struct{})
	release := make(chan struct{})
	short, cancel := context.WithCancel(context.Background())
	go func() { <-started; cancel() }()
	err = c.Attach(short, func(a *py.Attached) error { close(started); a.Detach(func() { <-release }); return nil })
	is(t, "a cancelled Attach", err, context.Canceled)
	close(release)
	works(t, c)
}
