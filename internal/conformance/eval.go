package conformance

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/pycontext/py"
)

var evalCases = []testCase{
	{"Case16ExpressionsOnly", expressionsOnly},
	{"Case17Variables", variables},
	{"Case18Exec", execKeeps},
	{"Case19Deadlines", deadlinesEverywhere},
	{"Case20CompiledOnce", compiledOnce},
	{"Case20OddSources", oddSources},
}

func expressionsOnly(t *testing.T, s *suite) {
	c := s.open(t)
	for _, vars := range []py.Vars{nil, {"v": 1}} {
		for _, x := range []struct {
			source       string
			line, column int
		}{
			{"x = 1", 1, 3},
			{"1 +", 1, 0},
			{"(1 +\n2 +\n) 3", 3, 0},
			{"import os", 1, 1},
			{"1; 2", 1, 2},
			{"return 1", 1, 1},
			{"yield 1", 1, 1},
			{"(yield)", 1, 2},
			{"[(yield x) for x in ()]", 1, 0},
			{"await x", 1, 0},
			{"", 1, 0},
			{"1\n2", 2, 1},
			{"def f(): pass", 1, 1},
			{"'", 1, 1},
			{"x := 1", 1, 3},
			{"[x for x in range(3) if (x := 1)]", 1, 0},
		} {
			_, err := c.Eval(limit(t), x.source, vars)
			e := raises(t, x.source, err, "SyntaxError")
			if e.Syntax == nil {
				t.Errorf("%q: no place: %v", x.source, err)
				continue
			}
			if e.Syntax.Line != x.line && x.source != "" || x.column != 0 && e.Syntax.Column != x.column {
				t.Errorf("%q with %v: %+v, want line %d, column %d", x.source, vars, e.Syntax, x.line, x.column)
			}
		}
	}
	works(t, c)
}

func variables(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "y = 'namespace'\ndef get_y(): return y")
	before := eval[[]string](t, c, "sorted(globals())")
	for _, x := range []struct {
		expr string
		vars py.Vars
		want any
	}{
		{"x", py.Vars{"x": 1}, int64(1)},
		{"(lambda: x)()", py.Vars{"x": 1}, int64(1)},
		{"(lambda a=x: a)()", py.Vars{"x": 1}, int64(1)},
		{"[x for _ in range(2)]", py.Vars{"x": 1}, []any{int64(1), int64(1)}},
		{"list(x for _ in range(2))", py.Vars{"x": 1}, []any{int64(1), int64(1)}},
		{"{x: x for _ in range(2)}[1]", py.Vars{"x": 1}, int64(1)},
		{"(lambda: (lambda: [x + z for z in range(x)])())()", py.Vars{"x": 2}, []any{int64(2), int64(3)}},
		{"[[i * j * x for i in range(x)] for j in range(x)]", py.Vars{"x": 2},
			[]any{[]any{int64(0), int64(0)}, []any{int64(0), int64(2)}}},
		{"sorted([3, 1, 2], key=lambda v: v * x)", py.Vars{"x": -1}, []any{int64(3), int64(2), int64(1)}},
		{"y", py.Vars{"y": 5}, int64(5)},
		{"get_y()", py.Vars{"y": 5}, "namespace"},
		{"len", py.Vars{"len": 5}, int64(5)},
		{"(z := x + 1) * z", py.Vars{"x": 1}, int64(4)},
		{"[w := x, w]", py.Vars{"x": 1}, []any{int64(1), int64(1)}},
		{"ünï + 変数", py.Vars{"ünï": 1, "変数": 2}, int64(3)},
		{"ﬁ", py.Vars{"ﬁ": 7}, int64(7)}, // Python normalises identifiers (PEP 3131)
		{"µ", py.Vars{"µ": 7}, int64(7)}, // U+00B5
		{"_", py.Vars{"_": 7}, int64(7)},
		{"self, cls, print", py.Vars{"self": 1, "cls": 2, "print": 3}, py.Tuple{int64(1), int64(2), int64(3)}},
		{"a - b", py.Vars{"b": 1, "a": 3}, int64(2)},
		{"  x", py.Vars{"x": 1}, int64(1)},
		{"x  # comment", py.Vars{"x": 1}, int64(1)},
		{"(\n x\n)\n", py.Vars{"x": 1}, int64(1)},
	} {
		got, err := c.Eval(limit(t), x.expr, x.vars)
		if err != nil {
			t.Errorf("%s: %v", x.expr, err)
			continue
		}
		equal(t, x.expr, got, x.want)
		for name := range x.vars {
			if name == "y" || name == "len" || name == "print" {
				continue
			}
			_, err := c.Eval(limit(t), name)
			raises(t, "afterwards "+name, err, "NameError")
		}
	}
	equal(t, "y afterwards", eval[string](t, c, "y"), "namespace")
	equal(t, "len afterwards", eval[int](t, c, "len('abc')"), 3)
	equal(t, "the namespace", eval[[]string](t, c, "sorted(globals())"), before)
	for _, name := range []string{"ﬁ", "u\u0308", "µ"} { // as Exec has them, too
		run(t, c, "got = "+name, py.Vars{name: 7})
		equal(t, "exec "+name, eval[int](t, c, "got + "+name), 14)
		run(t, c, "del got, "+name)
	}
	for _, name := range []string{"class", "None", "True", "__debug__", "await"} {
		_, err := c.Eval(limit(t), "1", py.Vars{name: 1})
		var wrong *py.ConversionError
		if !errors.As(err, &wrong) || !errors.As(c.Exec(limit(t), "1", py.Vars{name: 1}), &wrong) {
			t.Errorf("%s as a variable: %v", name, err)
		}
	}
	equal(t, "several Vars", eval[int](t, c, "a * 10 + b", py.Vars{"a": 1, "b": 2}, py.Vars{"b": 3}), 13)
	many := py.Vars{}
	var sum strings.Builder
	for i := range 300 {
		name := "v" + strings.Repeat("x", i)
		many[name] = i
		sum.WriteString(name + "+")
	}
	equal(t, "300 variables", eval[int](t, c, sum.String()+"0", many), 299*150)
}

func execKeeps(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "a = 1\ndef f(): return a, b\nclass K:\n  v = a\n  def m(self): return b")
	run(t, c, "b = 2")
	equal(t, "f()", eval[any](t, c, "f()"), py.Tuple{int64(1), int64(2)})
	equal(t, "K().m()", eval[any](t, c, "K().m()"), int64(2))
	raises(t, "an exception", c.Exec(limit(t), "d = 1\nd = 2\n1/0\nd = 3"), "ZeroDivisionError")
	equal(t, "d", eval[int](t, c, "d"), 2)
	e := raises(t, "a syntax error", c.Exec(limit(t), "e = 1\ne = 2\nx x", py.Vars{"g": 1}), "SyntaxError")
	if e.Syntax == nil || e.Syntax.Line != 3 {
		t.Errorf("place: %+v", e.Syntax)
	}
	for _, name := range []string{"e", "g"} {
		_, err := c.Eval(limit(t), name)
		raises(t, name, err, "NameError")
	}
	run(t, c, "total = x + y", py.Vars{"x": 1, "y": 2})
	equal(t, "total", eval[int](t, c, "total"), 3)
	equal(t, "x stays", eval[int](t, c, "x"), 1)
	run(t, c, "")
	run(t, c, "# only a comment")
	run(t, c, "from __future__ import annotations\ndef ann(x: undefined): pass")
	err := c.Exec(limit(t), "def ann2(x: undefined_name): pass\nann2.__annotations__")
	raises(t, "a future import is its source's own", err, "NameError")
	run(t, c, "global gg\ngg = 1\ndel gg")
	run(t, c, "if True:\n\tz = 1\r\nz2 = 2\r\n")
	equal(t, "z", eval[int](t, c, "z + z2"), 3)
	equal(t, "__name__", eval[string](t, c, "__name__"), "__main__")
	_, err = c.Eval(limit(t), "undefined")
	raises(t, "undefined", err, "NameError")
}

// deadlinesEverywhere gives every verb a deadline while it runs.
func deadlinesEverywhere(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "def spin():\n  while True: pass\nclass S:\n  def spin(self): spin()\n  @property\n  def attr(self): spin()\ns = S()\nclass E(dict):\n  pass")
	env, err := c.NewEnv(limit(t))
	if err != nil {
		t.Fatal(err)
	}
	run(t, env, "def spin():\n  while True: pass")
	o := eval[*py.Object](t, c, "s")
	for name, use := range map[string]func(ctx context.Context) error{
		"call": func(ctx context.Context) error { _, err := c.Call(ctx, "__main__", "spin"); return err },
		"eval": func(ctx context.Context) error { _, err := c.Eval(ctx, "spin()"); return err },
		"evalvars": func(ctx context.Context) error {
			_, err := c.Eval(ctx, "[spin() for i in x]", py.Vars{"x": []int{1}})
			return err
		},
		"exec":     func(ctx context.Context) error { return c.Exec(ctx, "while True: pass") },
		"method":   func(ctx context.Context) error { _, err := o.CallMethod(ctx, "spin"); return err },
		"attr":     func(ctx context.Context) error { _, err := o.Attr(ctx, "attr"); return err },
		"env call": func(ctx context.Context) error { _, err := env.Call(ctx, "__main__", "spin"); return err },
		"env eval": func(ctx context.Context) error { _, err := env.Eval(ctx, "spin()"); return err },
		"env exec": func(ctx context.Context) error { return env.Exec(ctx, "spin()") },
	} {
		struck(t, name, use)
		works(t, c)
	}
	done, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = c.Eval(done, "1")
	is(t, "an ended context", err, context.Canceled)
	if !py.SafeToRetry(err) {
		t.Error("it is safe to retry")
	}
}

// compiledOnce looks at the code object of a function inside the source: it is made when the source is compiled.
func compiledOnce(t *testing.T, s *suite) {
	c := s.open(t)
	a, b := eval[*py.Object](t, c, "(lambda: 1).__code__"), eval[*py.Object](t, c, "(lambda: 1).__code__")
	equal(t, "eval", eval[bool](t, c, "a is b", py.Vars{"a": a, "b": b}), true)
	a = eval[*py.Object](t, c, "(lambda: x).__code__", py.Vars{"x": 1, "y": 2})
	b = eval[*py.Object](t, c, "(lambda: x).__code__", py.Vars{"y": 1, "x": 2})
	equal(t, "eval with variables", eval[bool](t, c, "a is b", py.Vars{"a": a, "b": b}), true)
	b = eval[*py.Object](t, c, "(lambda: x).__code__", py.Vars{"x": 1})
	equal(t, "other variables", eval[bool](t, c, "a is b", py.Vars{"a": a, "b": b}), false)
	for _, name := range []string{"a", "b"} {
		run(t, c, "def f(): pass")
		run(t, c, name+" = f.__code__")
	}
	equal(t, "exec", eval[bool](t, c, "a is b"), true)
	equal(t, "eval is not exec", eval[any](t, c, "1"), int64(1))
	run(t, c, "1")
	equal(t, "still eval", eval[any](t, c, "1"), int64(1))
	for i := range 5000 { // more than any cache holds
		if n := eval[int](t, c, "0x"+strings.Repeat("0", i%7)+"1 + i", py.Vars{"i": i}); n != i+1 {
			t.Fatalf("%d: %d", i, n)
		}
	}
}

func oddSources(t *testing.T, s *suite) {
	c := s.open(t)
	for _, x := range []struct{ source, class string }{
		{"x = 1\x00", ""},
		{"\x00", ""},
		{"'a\x00b'", ""},
		{strings.Repeat("(", 1000) + strings.Repeat(")", 1000), ""},
		{strings.Repeat("-", 100000) + "1", ""},
		{strings.Repeat("[", 100000), ""},
		{strings.Repeat("if 1:\n ", 200), ""},
		{"x = '''" + strings.Repeat("a", 100), "SyntaxError"},
		{"  x = 1", "IndentationError"},
		{"if 1:\n\tx=1\n        y=2", ""},
		{"x = '\\ud800", "SyntaxError"},
		{"x = 0777", "SyntaxError"},
		{"nonlocal x", "SyntaxError"},
		{"break", "SyntaxError"},
		{"x = $", "SyntaxError"},
		{"x = \u00a0 1", "SyntaxError"},
		{strings.Repeat("1+", 20000) + "1", "-"},
		{strings.Repeat("x.", 50000) + "y", "-"},
	} {
		err := c.Exec(limit(t), x.source)
		if err == nil && x.class != "-" {
			t.Errorf("%.40q: no error", x.source)
		}
		if x.class != "" && x.class != "-" {
			raises(t, x.source, err, x.class)
		}
		if _, err := c.Eval(limit(t), x.source); err == nil && x.class != "-" {
			t.Errorf("eval %.40q: no error", x.source)
		}
		works(t, c)
	}
	if err := c.Exec(limit(t), "x = '\xff'"); err == nil || !py.SafeToRetry(err) {
		t.Errorf("source that is not UTF-8: %v", err)
	}
	huge := "x = [\n" + strings.Repeat("    1, # "+strings.Repeat("comment ", 60)+"\n", 10000) + "]"
	run(t, c, huge)
	equal(t, "a source of 5 MB", eval[int](t, c, "len(x)"), 10000)
	text := strings.Repeat("é", 2<<20)
	equal(t, "a string of 4 MB", eval[int](t, c, "len('"+text+"')"), 2<<20)
	run(t, c, "ünïcödé = 1\n变量 = 2\nℌ = 3")
	equal(t, "unicode names", eval[int](t, c, "ünïcödé + 变量 + H"), 6)
	var bad *py.ConversionError
	if _, err := c.Eval(limit(t), "1", py.Vars{"a b": 1}); !errors.As(err, &bad) {
		t.Errorf("a variable's name: %v", err)
	}
}
