package conformance

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pycontext/py"
)

// convertersPerContext: what one context has, no other has.
func convertersPerContext(t *testing.T, s *suite) {
	c, d := openShapes(t, s), s.open(t)
	run(t, d, shapes)
	equal(t, "to Go elsewhere", eval[point](t, d, "Point(1, 2)"), point{1, 2}) // its attributes
	o, ok := eval[any](t, d, "Point(1, 2)").(*py.Object)
	if !ok {
		t.Error("an any elsewhere is no *py.Object")
	}
	o.Close()
	equal(t, "from Go elsewhere", eval[string](t, d, "repr(p)", py.Vars{"p": point{1, 2}}), "{'x': 1, 'y': 2}")
	convert[point](t, d, "Point", py.Converter{To: "lambda p: {'x': -p.x}", From: "lambda d: ('other', d['x'])"})
	for range 2 {
		equal(t, "here", eval[any](t, c, "Point(1, 2)"), any(point{1, 2}))
		equal(t, "there", eval[any](t, d, "Point(1, 2)"), any(point{X: -1}))
		equal(t, "here, back", eval[string](t, c, "repr(p)", py.Vars{"p": point{1, 2}}), "Point(x=1, y=2)")
		equal(t, "there, back", eval[string](t, d, "repr(p)", py.Vars{"p": point{1, 2}}), "('other', 1)")
	}
	// A class of a module that worker contexts share.
	for i, c := range []*py.Context{c, d} {
		conv := py.Converter{To: fmt.Sprintf("lambda f: %d.0", i)}
		if err := py.RegisterConverter[kelvin](limit(t), c, "types", "SimpleNamespace", conv); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "a shared class", eval[any](t, c, "__import__('types').SimpleNamespace()"), any(kelvin(0)))
	equal(t, "a shared class, there", eval[any](t, d, "__import__('types').SimpleNamespace()"), any(kelvin(1)))
	// Through a callback from one into the other, and back.
	register(t, c, "there", func(ctx context.Context, p any) (any, error) {
		return py.Eval[any](ctx, d, "[Point(p[1], 0), p]", py.Vars{"p": p})
	})
	equal(t, "across", eval[any](t, c, "repr(go.there(Point(1, 2)))"), any("[Point(x=-1, y=0), ('other', 1)]"))
	run(t, c, "import threading\ndef threaded():\n  box = []\n  t = threading.Thread(target=lambda: box.append(go.there(Point(1, 2))))\n  t.start(); t.join()\n  return repr(box)")
	equal(t, "on a thread of Python's", call[string](t, c, "__main__", "threaded"), "[[Point(x=-1, y=0), ('other', 1)]]")
}

func convertersChange(t *testing.T, s *suite) {
	c := openShapes(t, s)
	convert[point](t, c, "Point", py.Converter{To: "lambda p: {'x': p.y, 'y': p.x}"})
	equal(t, "replaced", eval[any](t, c, "Point(1, 2)"), any(point{2, 1}))
	equal(t, "without From", eval[string](t, c, "repr(p)", py.Vars{"p": point{1, 2}}), "{'x': 1, 'y': 2}")
	convert[point](t, c, "Point", py.Converter{From: "lambda d: Point(**d)"})
	if o, ok := eval[any](t, c, "Point(1, 2)").(*py.Object); !ok {
		t.Error("without To: no *py.Object")
	} else {
		o.Close()
	}
	equal(t, "with From", eval[string](t, c, "repr(p)", py.Vars{"p": point{1, 2}}), "Point(x=1, y=2)")
	convert[kelvin](t, c, "Point", py.Converter{To: "lambda p: p.x", From: "lambda n: Point(n, n)"})
	equal(t, "another T", eval[any](t, c, "Point(1, 2)"), any(kelvin(1)))
	equal(t, "the T before", eval[string](t, c, "repr(p)", py.Vars{"p": point{1, 2}}), "{'x': 1, 'y': 2}")
	equal(t, "another T, back", eval[string](t, c, "repr(p)", py.Vars{"p": kelvin(1)}), "Point(x=1.0, y=1.0)")
	for i, want := range []bool{true, false} {
		was, err := py.UnregisterConverter(limit(t), c, "__main__", "Point")
		equal(t, fmt.Sprint("unregister ", i), was, want)
		equal(t, "its error", err, nil)
	}
	eval[*py.Object](t, c, "[Point(1, 2)]").Close()
	equal(t, "without, back", eval[string](t, c, "repr(p)", py.Vars{"p": kelvin(1)}), "1.0")
	_, err := py.UnregisterConverter(limit(t), c, "__main__", "Nothing")
	raises(t, "unregister what is not", err, "AttributeError")
	if was, err := py.UnregisterConverter(limit(t), s.open(t), "builtins", "object"); was || err != nil {
		t.Errorf("where none ever was: %v, %v", was, err)
	}
	// A class that is defined again is another; the first one goes.
	convert[point](t, c, "Point", pointConverter)
	run(t, c, "import weakref, gc\nold = weakref.ref(Point)\n"+shapes+"\ngc.collect()")
	if o, ok := eval[any](t, c, "Point(1, 2)").(*py.Object); !ok {
		t.Error("a class defined again has the converter of the first")
	} else {
		o.Close()
	}
	equal(t, "the class is gone", eval[bool](t, c, "old() is None"), true)
	convert[point](t, c, "Point", pointConverter)
	equal(t, "registered again", eval[any](t, c, "Point(1, 2)"), any(point{1, 2}))
	// A function that registers what it returns.
	register(t, c, "late", func(ctx context.Context) (any, error) {
		return label("x"), py.RegisterConverter[label](ctx, c, "__main__", "Holder", py.Converter{From: "Holder"})
	})
	equal(t, "by a callback", eval[string](t, c, "go.late().p"), "x")
	run(t, c, "import sys; sys._converted = weakref.ref(Point)")
	c.Close()
	if s.Mode == py.Worker {
		equal(t, "the class is gone with the context", eval[bool](t, s.open(t), "__import__('sys')._converted() is None"), true)
	}
	is(t, "closed", py.RegisterConverter[point](limit(t), c, "__main__", "Point", pointConverter), py.ErrClosed)
	_, err = py.UnregisterConverter(limit(t), c, "__main__", "Point")
	is(t, "closed", err, py.ErrClosed)
	is(t, "nil", py.RegisterConverter[point](limit(t), nil, "__main__", "Point", pointConverter), py.ErrClosed)
}

func convertersRefuse(t *testing.T, s *suite) {
	c := openShapes(t, s)
	try := func(what string, err error, parts ...string) {
		t.Helper()
		if err == nil {
			t.Errorf("%s: no error", what)
			return
		}
		contains(t, what, err.Error(), parts...)
	}
	both := py.Converter{To: "repr", From: "repr"}
	try("string", py.RegisterConverter[string](limit(t), c, "__main__", "Point", both), "Go string", "a meaning of its own", "Point")
	try("int", py.RegisterConverter[int](limit(t), c, "__main__", "Point", both), "Go int")
	try("any", py.RegisterConverter[any](limit(t), c, "__main__", "Point", both), "Go interface {}")
	try("time", py.RegisterConverter[time.Time](limit(t), c, "__main__", "Point", both), "Go time.Time")
	try("a type of py", py.RegisterConverter[py.Tuple](limit(t), c, "__main__", "Point", both), "Go py.Tuple")
	try("a pointer", py.RegisterConverter[*point](limit(t), c, "__main__", "Point", both), "pointers to it are converted too")
	try("a slice", py.RegisterConverter[[]point](limit(t), c, "__main__", "Point", both), "Go []conformance.point")
	try("a func", py.RegisterConverter[func()](limit(t), c, "__main__", "Point", both), "Go func()")
	try("an object", py.RegisterConverter[*py.Object](limit(t), c, "__main__", "Point", py.Converter{To: "repr"}), "py.Object")
	try("nothing", py.RegisterConverter[point](limit(t), c, "__main__", "Point", py.Converter{}), "neither To nor From")
	try("no module", py.RegisterConverter[point](limit(t), c, "", "Point", both), "no module")
	try("no class", py.RegisterConverter[point](limit(t), c, "__main__", "", both), "class")
	for what, class := range map[string][]string{
		"AttributeError": {"__main__.Missing", "__main__.Point.Missing", "json.Missing"}, "ModuleNotFoundError": {"missing_module.C"},
		"TypeError": {"__main__.pointless", "builtins.len", "builtins.int", "builtins.dict", "builtins.object", "builtins.bool"},
	} {
		for _, name := range class {
			module, name, _ := strings.Cut(name, ".")
			run(t, c, "pointless = Point(1, 2)")
			raises(t, name, py.RegisterConverter[kelvin](limit(t), c, module, name, py.Converter{To: "repr", From: "repr"}), what)
		}
	}
	for source, class := range map[string]string{
		"lambda p:": "SyntaxError", "missing": "NameError", "1": "TypeError", "1/0": "ZeroDivisionError", "x = 1": "SyntaxError",
		"(_ for _ in ()).throw(SystemExit)": "SystemExit",
	} {
		raises(t, "To "+source, py.RegisterConverter[kelvin](limit(t), c, "__main__", "Point", py.Converter{To: source}), class)
		raises(t, "From "+source, py.RegisterConverter[kelvin](limit(t), c, "__main__", "Point", py.Converter{To: "repr", From: source}), class)
	}
	raises(t, "no converter is no misuse", py.RegisterConverter[point](limit(t), c, "__main__", "Holder", py.Converter{To: "lambda: x.__class__", From: "nope"}), "NameError")
	equal(t, "nothing changed", eval[any](t, c, "Point(1, 2)"), any(point{1, 2}))
	equal(t, "nothing changed, back", eval[string](t, c, "repr([p, k])", py.Vars{"p": point{1, 2}, "k": 1.5}), "[Point(x=1, y=2), 1.5]")
	equal(t, "a T whose registering failed", eval[string](t, c, "type(p).__name__", py.Vars{"p": kelvin(1)}), "Kelvin")
	ctx, cancel := context.WithCancel(limit(t))
	cancel()
	is(t, "cancelled", py.RegisterConverter[point](ctx, c, "__main__", "Point", pointConverter), context.Canceled)
}
