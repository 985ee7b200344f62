package conformance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pycontext/py"
)

func convertersRaise(t *testing.T, s *suite) {
	c := openShapes(t, s)
	run(t, c, `
class Cold(BaseException): pass
def cold(p): raise Cold('too cold')
def loop(p):
    while True: pass
class Odd:
    def __init__(self, how=None): self.how = how
def odd(o): return o.how(o)
def caught():
    try: go.give()
    except Cold as e: return str(e)
`)
	convert[label](t, c, "Odd", py.Converter{To: "odd", From: "cold"})
	for _, expr := range []string{"Odd(cold)", "[1, {'a': Odd(cold)}]", "(Odd(cold),)", "{Odd(cold)}", "{Odd(cold): 1}", "Holder(Odd(cold))"} {
		for how, err := range map[string]error{
			"any": discardValue(c.Eval(limit(t), expr)), "typed": discardValue(py.Eval[[]label](limit(t), c, expr)),
			"fields": discardValue(py.Eval[[]struct {
				P label `py:"p"`
			}](limit(t), c, "["+expr+"]")),
			"argument": discardValue(c.Eval(limit(t), "go.take("+expr+")")),
		} {
			if expr == "Holder(Odd(cold))" && how != "fields" {
				continue
			}
			register(t, c, "take", func(any) {})
			if how == "argument" {
				err = discardValue(c.Eval(limit(t), "go.take("+expr+")"))
			}
			e := raises(t, expr+", "+how, err, "Cold")
			equal(t, expr+", "+how, e.Message, "too cold")
			equal(t, expr+", "+how, fmt.Sprint(e.Notes), "[in To of the converter for __main__.Odd]")
			equal(t, expr+", "+how, e.Traceback[len(e.Traceback)-1].Function, "cold")
		}
	}
	for what, v := range map[string]any{"From": label("x"), "deep": []any{map[string]any{"a": label("x")}}, "a key": map[label]int{"x": 1}} {
		e := raises(t, what, discardValue(c.Eval(limit(t), "1", py.Vars{"v": v})), "Cold")
		equal(t, what, fmt.Sprint(e.Notes), "[in From of the converter for __main__.Odd]")
		raises(t, what, discardValue(c.Call(limit(t), "builtins", "repr", v)), "Cold")
		register(t, c, "give", func() any { return v })
		raises(t, what+" of a callback", discardValue(c.Eval(limit(t), "go.give()")), "Cold")
		equal(t, what+", caught", eval[string](t, c, "caught()"), "too cold")
	}
	var items int
	for _, err := range py.StreamEval[any](limit(t), c, "(Odd(cold) if n == 3 else n for n in range(5))") {
		if items++; items == 4 {
			raises(t, "in a stream", err, "Cold")
		}
	}
	equal(t, "items", items, 4)
	ctx, cancel := context.WithTimeout(limit(t), 50*time.Millisecond)
	defer cancel()
	is(t, "a deadline in To", discardValue(c.Eval(ctx, "[Odd(loop)]")), context.DeadlineExceeded)
	convert[label](t, c, "Odd", py.Converter{To: "odd", From: "loop"})
	ctx, cancel = context.WithTimeout(limit(t), 50*time.Millisecond)
	defer cancel()
	is(t, "a deadline in From", discardValue(c.Eval(ctx, "v", py.Vars{"v": []label{"x"}})), context.DeadlineExceeded)
	works(t, c)
	// What To gives, and is no T.
	var bad *py.ConversionError
	err := discardValue(c.Eval(limit(t), "[0, {'a': Odd(lambda o: 5)}]"))
	if !errors.As(err, &bad) {
		t.Fatalf("no T: %v", err)
	}
	equal(t, "its place", bad.Place, `result[1]["a"]`)
	contains(t, "its reason", bad.Reason, "expected str, got int", "label")
	register(t, c, "take", func(any) {})
	contains(t, "an argument that is no T", raises(t, "no T", discardValue(c.Eval(limit(t), "go.take([Odd(lambda o: 5)])")), "TypeError").Message, "argument 1", "label")
	for _, expr := range []string{"Odd(lambda o: o)", "Odd(lambda o: Odd())", "Odd(lambda o: [o])", "Odd(lambda o: {'a': (o,)})"} {
		err := discardValue(c.Eval(limit(t), expr))
		if !isConversion(err) {
			t.Errorf("%s: %v", expr, err)
		}
		equal(t, expr, strings.Contains(err.Error(), "the same class again"), !strings.Contains(expr, "[") && !strings.Contains(expr, "{"))
		works(t, c)
	}
	equal(t, "what is a str as well", eval[any](t, c, "Odd(lambda o: type('S', (str,), {})('x'))"), any(label("x")))
	equal(t, "what stands for one", eval[any](t, c, "Odd(lambda o: collections.UserString('x'))"), any(label("x")))
}

func convertersCallGo(t *testing.T, s *suite) {
	c := openShapes(t, s)
	calls := 0
	register(t, c, "name", func(ctx context.Context, n int) (string, error) {
		calls++
		if n == 0 {
			return "end", nil
		}
		// To within To, by way of Go.
		v, err := py.Eval[label](ctx, c, "Named(n - 1)", py.Vars{"n": n})
		return string(v) + fmt.Sprint(n), err
	})
	run(t, c, "class Named:\n  def __init__(self, n): self.n = n\ndef named(s):\n  return Named(len(go.name(len(s))))")
	convert[label](t, c, "Named", py.Converter{To: "lambda o: go.name(o.n)", From: "named"})
	equal(t, "To", eval[any](t, c, "[Named(3), Named(0)]"), any([]any{label("end123"), label("end")}))
	equal(t, "calls", calls, 5)
	equal(t, "From", eval[int](t, c, "v[0].n", py.Vars{"v": []label{"ab"}}), 5)
	register(t, c, "give", func() label { return "ab" })
	equal(t, "From of an answer", eval[int](t, c, "go.give().n"), 5)
	register(t, c, "deep", func(ctx context.Context, o any) (any, error) { return o, nil })
	equal(t, "an argument and its answer", eval[int](t, c, "go.deep(Named(2)).n"), 8)
	// A converter that changes while it is used.
	register(t, c, "forget", func(ctx context.Context) (string, error) {
		_, err := py.UnregisterConverter(ctx, c, "__main__", "Named")
		return "forgotten", err
	})
	convert[label](t, c, "Named", py.Converter{To: "lambda o: go.forget()", From: "lambda s: (go.forget(), s)"})
	list := eval[[]any](t, c, "[Named(1), Named(2)]")
	equal(t, "the first", list[0], any(label("forgotten")))
	list[1].(*py.Object).Close()
	convert[label](t, c, "Named", py.Converter{To: "lambda o: go.forget()", From: "lambda s: (go.forget(), s)"})
	equal(t, "From", eval[string](t, c, "repr(v)", py.Vars{"v": []label{"a", "b"}}), "[('forgotten', 'a'), 'b']")
	var once sync.Once
	register(t, c, "close", func() {
		once.Do(func() { go c.Close() })
		time.Sleep(10 * time.Millisecond)
	})
	convert[label](t, c, "Named", py.Converter{To: "lambda o: [go.close() for _ in range(1000)]"})
	is(t, "closed within", discardValue(c.Eval(limit(t), "[Named(1)] * 100")), py.ErrClosed)
}

func convertersAttached(t *testing.T, s *suite) {
	c := openShapes(t, s)
	err := c.Attach(limit(t), func(a *py.Attached) error {
		r, err := a.New([]any{point{1, 2}})
		if err != nil {
			return err
		}
		text, err := r.Repr()
		equal(t, "New", text, "[Point(x=1, y=2)]")
		if err != nil {
			return err
		}
		v, err := r.Value()
		equal(t, "Value", v, any([]any{point{1, 2}}))
		if err != nil {
			return err
		}
		typed, err := py.DecodeRef[[]point](r)
		equal(t, "DecodeRef", typed, []point{{1, 2}})
		if err != nil {
			return err
		}
		class, err := a.Global("Point")
		if err != nil {
			return err
		}
		made, err := py.CallRef[any](class, 3, 4)
		equal(t, "CallRef", made, any(point{3, 4}))
		if err != nil {
			return err
		}
		if err := py.RegisterConverter[label](limit(t), c, "__main__", "Holder", py.Converter{From: "Holder", To: "lambda h: h.p"}); err != nil {
			return err
		}
		h, err := a.New(label("x"))
		if err != nil {
			return err
		}
		made, err = h.Value()
		equal(t, "registered within", made, any(label("x")))
		if err != nil {
			return err
		}
		// What a converter calls must leave the Attached alone.
		used := func() (string, error) {
			r, err := a.New([]byte("0123456789"))
			if err != nil {
				return "", err
			}
			return r.Repr()
		}
		if err := c.Register("used", used, py.Inline()); err != nil {
			return err
		}
		if err := py.RegisterConverter[label](limit(t), c, "__main__", "Holder", py.Converter{From: "lambda s: go.used()", To: "lambda h: go.used()"}); err != nil {
			return err
		}
		_, err = a.New([]label{"x", "y"})
		contains(t, "used in From", raises(t, "used in From", err, "RuntimeError").Message, "Attached")
		holder, err := a.Global("Holder")
		if err != nil {
			return err
		}
		_, err = py.CallRef[any](holder, 1)
		contains(t, "used in To", raises(t, "used in To", err, "RuntimeError").Message, "Attached")
		_, err = py.CallRef[string](holder, label("x"))
		raises(t, "used in From of an argument", err, "RuntimeError")
		_, err = used()
		return err
	})
	if err != nil {
		t.Errorf("%+v", err)
	}
}

func convertersLimits(t *testing.T, s *suite) {
	c := openShapes(t, s, py.Options{Limits: py.Limits{Items: 1000, Bytes: 10000, Depth: 20}})
	run(t, c, "class Big: pass\nmake = lambda: 0")
	convert[any](t, c, "Big", py.Converter{To: "lambda b: make()"})
	register(t, c, "take", func(any) {})
	for source, option := range map[string]string{
		"[0] * 1001": "Items", "'x' * 10001": "Bytes", "b'x' * (1 << 20)": "Bytes", "[Big()]": "Depth", "[Big(), Big()]": "s.",
	} {
		run(t, c, "make = lambda: "+source)
		for how, err := range map[string]error{"result": discardValue(c.Eval(limit(t), "[Big()]")), "argument": discardValue(c.Eval(limit(t), "go.take(Big())"))} {
			is(t, source+", "+how, err, py.ErrLimit)
			contains(t, source+", "+how, err.Error(), "Limits", option)
		}
	}
	before := py.Live()
	run(t, c, "make = lambda: [object(), 'x' * 10001]")
	is(t, "with a reference", discardValue(c.Eval(limit(t), "[object(), Big()]")), py.ErrLimit)
	if live := py.Live(); live.References > before.References {
		t.Errorf("left behind: %+v, before %+v", live, before)
	}
	works(t, c)
}

func convertersHostile(t *testing.T, s *suite) {
	c := openShapes(t, s)
	run(t, c, `
import sys, types, gc, go
class Strange(type):
    def __eq__(cls, other): raise RuntimeError('eq')
    def __hash__(cls): raise RuntimeError('hash')
    def __getattribute__(cls, name): raise RuntimeError(name)
    def __instancecheck__(cls, o): raise RuntimeError('instancecheck')
    def mro(cls): return type.mro(cls)
class Odd(metaclass=Strange):
    def __eq__(self, other): raise RuntimeError('eq')
    __hash__ = None
    def __getattribute__(self, name): raise RuntimeError(name)
class Liar:
    @property
    def __class__(self): return Point
class Liar2(Point):
    __class__ = int
module = sys.modules['short_lived'] = types.ModuleType('short_lived')
exec('class Short: pass', vars(module))
def end(o):
    sys.modules.pop('short_lived', None)
    vars(module).clear()
    gc.collect()
    return 'ended'
def end_class(o):
    global Ended
    del Ended
    gc.collect()
    return 'ended'
class Ended: pass
class Sized:
    def __len__(self): return 1 << 40
class Slots: __slots__ = ()
class Gen: pass
`)
	to := func(class, source string) { t.Helper(); convert[label](t, c, class, py.Converter{To: source}) }
	to("Odd", "lambda o: 'odd'")
	equal(t, "an odd metaclass", eval[any](t, c, "[Odd()]"), any([]any{label("odd")}))
	equal(t, "an odd class replaced", eval[any](t, c, "[Odd(), Odd()]"), any([]any{label("odd"), label("odd")}))
	if o, ok := eval[any](t, c, "Liar()").(*py.Object); !ok {
		t.Error("a class that lies has the converter of another")
	} else {
		o.Close()
	}
	equal(t, "a subclass that lies", eval[any](t, c, "Liar2(1, 2)"), any(point{1, 2}))
	if err := py.RegisterConverter[label](limit(t), c, "short_lived", "Short", py.Converter{To: "end"}); err != nil {
		t.Fatal(err)
	}
	equal(t, "a To that ends the module", eval[any](t, c, "[module.Short(), 1]"), any([]any{label("ended"), int64(1)}))
	to("Ended", "end_class")
	equal(t, "a To that deletes the class", eval[any](t, c, "[Ended(), Point(1, 2)]"), any([]any{label("ended"), point{1, 2}}))
	to("Slots", "lambda o: 'no dict'")
	equal(t, "slots", eval[any](t, c, "Slots()"), any(label("no dict")))
	to("Gen", "lambda o: (x for x in 'ab')")
	if err := discardValue(c.Eval(limit(t), "[Gen()]")); !isConversion(err) {
		t.Errorf("a generator: %v", err)
	}
	convert[any](t, c, "Gen", py.Converter{To: "lambda o: (x for x in 'ab')"})
	gen := eval[[]any](t, c, "[Gen()]")[0].(*py.Object)
	equal(t, "a generator as any", eval[string](t, c, "''.join(g)", py.Vars{"g": gen}), "ab")
	gen.Close()
	// The container changes while its items are converted.
	for expr, what := range map[string]string{
		"[Ended2(), 1]": "list", "{'a': Ended2(), 'b': 1}": "dict", "[[Ended2()], 2]": "", "{Ended2(), 1}": "set",
	} {
		run(t, c, "class Ended2:\n  pass\ndef change(o):\n  if type(box) is dict: box[len(box)] = Ended2()\n  else: box.clear()\n  return 'changed'")
		to("Ended2", "change")
		run(t, c, "box = "+expr)
		err := discardValue(c.Eval(limit(t), "box"))
		if what == "dict" && s.info.FreeThreaded { // whose items are walked on a copy
			what = "nil"
		} else if !isConversion(err) {
			t.Errorf("%s: %v", expr, err)
		}
		contains(t, expr, fmt.Sprint(err), what)
	}
	// Large bytes that To makes are gone when it has returned.
	register(t, c, "last", func(b any) int { v := b.([]byte); return int(v[len(v)-1]) })
	run(t, c, "class Bytes: pass")
	convert[[]byte](t, c, "Bytes", py.Converter{To: "lambda o: b'a' * (64 << 20)"})
	equal(t, "large bytes", eval[int](t, c, "go.last(Bytes())"), int('a'))
	equal(t, "large bytes of a result", len(eval[any](t, c, "Bytes()").([]byte)), 64<<20)
	// Neither of them knows the other.
	run(t, c, "class A: pass\nclass B: pass")
	to("A", "lambda o: B()")
	convert[any](t, c, "B", py.Converter{To: "lambda o: 'b'"})
	equal(t, "one that gives another", eval[any](t, c, "[A(), B()]"), any([]any{label("b"), "b"}))
	convert[otherLabel](t, c, "B", py.Converter{To: "lambda o: 'b'"})
	equal(t, "the first counts", eval[any](t, c, "[A(), B(), [A()]]"), any([]any{label("b"), otherLabel("b"), []any{label("b")}}))
	to("B", "lambda o: A()")
	is(t, "round and round", discardValue(c.Eval(limit(t), "A()")), py.ErrLimit)
	// Raised by what may not even be looked at.
	run(t, c, "class Raises(BaseException):\n  __notes__ = property(lambda s: 1/0)\n  def add_note(self, n): 1/0\n  def __str__(self): 1/0\ndef throw(o): raise Raises()")
	to("A", "throw")
	raises(t, "an odd exception", discardValue(c.Eval(limit(t), "A()")), "Raises")
	to("A", "lambda o: sys.exit(3)")
	raises(t, "exit", discardValue(c.Eval(limit(t), "A()")), "SystemExit")
	to("A", "lambda o: A.__init__.__globals__ and o.again")
	raises(t, "recursion", discardValue(c.Eval(limit(t), "(f := lambda: f())()")), "RecursionError")
	if s.atLeast(13) { // the class of what holds a Go error within Python
		if err := py.RegisterConverter[label](limit(t), c, "types", "CapsuleType", py.Converter{To: "repr"}); err != nil {
			t.Fatal(err)
		}
		failed := errors.New("failed")
		register(t, c, "fail", func() error { return failed })
		is(t, "a Go error", discardValue(c.Eval(limit(t), "go.fail()")), failed)
	}
	works(t, c)
}

func convertersConcurrently(t *testing.T, s *suite) {
	c := openShapes(t, s)
	var wg sync.WaitGroup
	ctx := limit(t)
	for i := range 4 {
		wg.Go(func() {
			for range 30 {
				if i == 0 {
					if err := py.RegisterConverter[point](ctx, c, "__main__", "Point", pointConverter); err != nil {
						t.Error(err)
					}
					continue
				}
				v, err := py.Eval[any](ctx, c, "[p, Point(3, 4)]", py.Vars{"p": point{1, 2}})
				if err != nil {
					t.Error(err)
				}
				equal(t, "concurrently", v, any([]any{point{1, 2}, point{3, 4}}))
			}
		})
	}
	wg.Wait()
}
