package conformance

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pycontext/py"
)

var sourceCases = []testCase{
	{"Case53SourceOfTexts", sourceOfTexts},
	{"Case53SourceInPython", sourceInPython},
	{"Case53SourceOfLines", sourceOfLines},
	{"Case53SourceWhileNeeded", sourceWhileNeeded},
}

// sourceOfTexts: errors show the lines of code that came from Go, each text its own.
func sourceOfTexts(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Preload: "def first(x):\n  return 1 / x"})
	run(t, c, "def second(x):\n  return first(x) + 1")
	run(t, c, "def first2(x):\n  return [x][1]")
	_, err := c.Call(limit(t), "__main__", "second", 0)
	e := raises(t, "call", err, "ZeroDivisionError")
	equal(t, "traceback", e.Traceback, []py.Frame{{File: "<string>", Line: 2, Function: "second", Source: "return first(x) + 1"},
		{File: "<string>", Line: 2, Function: "first", Source: "return 1 / x"}})
	contains(t, "%+v", fmt.Sprintf("%+v", err), "  File \"<string>\", line 2, in second\n    return first(x) + 1\n           ",
		"  File \"<string>\", line 2, in first\n    return 1 / x\n           ~~^~~\n")
	_, err = c.Call(limit(t), "__main__", "first2", 0)
	contains(t, "a function of another text", fmt.Sprintf("%+v", err), "line 2, in first2\n    return [x][1]\n           ~~~^^^\n")
	_, err = s.env(t, c).Call(limit(t), "__main__", "first", 0)
	contains(t, "env", fmt.Sprintf("%+v", err), "    return 1 / x\n")
	_, err = c.Eval(limit(t), " \t{}['k']")
	contains(t, "eval", fmt.Sprintf("%+v", err), "line 1, in <module>\n    {}['k']\n    ~~^^^^^\n")
	_, err = c.Eval(limit(t), "(lambda:\n  x['k'])()", py.Vars{"x": map[string]int{}})
	contains(t, "eval with variables", fmt.Sprintf("%+v", err), "line 1, in <module>\n", "line 2, in <lambda>\n    x['k'])()\n    ~^^^^^\n")
	err = c.Exec(limit(t), "x = = 1")
	contains(t, "syntax error", fmt.Sprintf("%+v", err), "  File \"<string>\", line 1\n    x = = 1\n        ^\n")
	equal(t, "its file", raises(t, "syntax error", err, "SyntaxError").Syntax.File, "<string>")
	err = c.Exec(limit(t), "exec('\\n1/0')")
	equal(t, "a text of Python's", raises(t, "exec", err, "ZeroDivisionError").Traceback[1], py.Frame{File: "<string>", Line: 2, Function: "<module>"})
}

// sourceInPython: what Python prints shows them too, and names tell the texts apart.
func sourceInPython(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "import inspect, linecache, traceback") // before CPython 3.13 it has to be there before
	run(t, c, "def one():\n  return {}['one']")
	run(t, c, "def two():\n  return {}['two']")
	run(t, c, `
def printed(f):
  try:
    f()
  except KeyError:
    return traceback.format_exc()
`)
	contains(t, "traceback", eval[string](t, c, "printed(one)"), "  File \"<string-", ", line 2, in one\n    return {}['one']\n")
	contains(t, "traceback", eval[string](t, c, "printed(two)"), "in two\n    return {}['two']\n")
	equal(t, "inspect", eval[string](t, c, "inspect.getsource(one)"), "def one():\n  return {}['one']\n")
	equal(t, "names", eval[bool](t, c, "one.__code__.co_filename != two.__code__.co_filename"), true)
	name := eval[string](t, c, "one.__code__.co_filename")
	equal(t, "the name elsewhere", func() string {
		other := s.open(t)
		run(t, other, "def one():\n  return {}['one']")
		return eval[string](t, other, "one.__code__.co_filename")
	}(), name)
	run(t, c, "linecache.clearcache()")
	_, err := c.Call(limit(t), "__main__", "one")
	contains(t, "without the cache", fmt.Sprintf("%+v", err), "    return {}['one']\n")
}

// sourceOfLines: lines end where the parser lets them end.
func sourceOfLines(t *testing.T, s *suite) {
	c := s.open(t)
	for what, code := range map[string]string{
		"line feed": "x = 1\n\n1 / 0", "carriage returns": "x = 1\r\n\r\n1 / 0\r\n", "carriage return": "x = 1\r\r1 / 0",
		"form feed": "x = 1\f\n\n1 / 0", "separators": "x = '\u2028\u0085\x1c\v'\n\n1 / 0", "continued": "x = \\\n1\n1 / 0",
		"wide": "x = '\U0001f600'\n'ü'\n1 / 0", "indented": "if 1:\n  x = 1\n  1 / 0",
	} {
		e := raises(t, what, c.Exec(limit(t), code), "ZeroDivisionError")
		equal(t, what, e.Traceback, []py.Frame{{File: "<string>", Line: 3, Function: "<module>", Source: "1 / 0"}})
	}
}

// sourceWhileNeeded: lines are there as long as the code, and no longer.
func sourceWhileNeeded(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "import linecache")
	run(t, c, "def kept():\n  raise ValueError\nclass K:\n  def m(self):\n    return [x for x in (lambda: 1/0,)][0]()")
	long := strings.Repeat("# a comment that makes it longer\n", 30)
	count := func() int {
		return eval[int](t, c, "sum(len(v[2]) for k, v in linecache.cache.items() if k.startswith('<string-'))")
	}
	var least, most int
	for i := range 5000 {
		run(t, c, fmt.Sprintf("%sdef gone(): return %d", long, i))
		if i%500 == 0 && s.info.FreeThreaded { // where functions and code are left to the garbage collector
			run(t, c, "import gc; gc.collect()")
		}
		if i == 1500 {
			least = count()
		}
	}
	if most = count(); most > 2*least+20000 {
		t.Errorf("%d lines are kept after 5000 texts of 31, %d after 1500", most, least)
	}
	_, err := c.Call(limit(t), "__main__", "kept")
	contains(t, "a function that is still there", fmt.Sprintf("%+v", err), "    raise ValueError\n")
	_, err = c.Eval(limit(t), "K().m()")
	contains(t, "a function within one", fmt.Sprintf("%+v", err), "line 5, in <lambda>\n    return [x for x in (lambda: 1/0,)][0]()\n")
}
