package conformance

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/pycontext/py"
)

// The module __main__ is the namespace that a request works in: the context's, or that of an env.
var mainModuleCases = []testCase{
	{"MainModule", mainModule},
	{"MainModulePickle", mainModulePickle},
	{"MainModuleAnnotations", mainModuleAnnotations},
	{"MainModuleNested", mainModuleNested},
	{"MainModuleThreads", mainModuleThreads},
}

// namespaces are those that a request may work in; two of a kind, so that one is not the other.
func (s *suite) namespaces(t *testing.T) map[string]interface {
	py.Runner
	execer
} {
	c, other := s.open(t), s.open(t)
	return map[string]interface {
		py.Runner
		execer
	}{"context": c, "another": other, "env": s.env(t, c), "another's env": s.env(t, other)}
}

func mainModule(t *testing.T, s *suite) {
	spaces := s.namespaces(t)
	for name, r := range spaces {
		run(t, r, "import sys, __main__\nmine = name\nnumber: int = 1", py.Vars{"name": name})
	}
	for name, r := range spaces {
		for _, x := range []struct {
			expr string
			want any
		}{
			{"__main__.mine", name},
			{"vars(__main__) is __main__.__dict__ is globals()", true},
			{"sys.modules[__name__] is __main__", true},
			{"dir(__main__) == sorted(globals())", true},
			{"setattr(__main__, 'x', 1)", nil},
			{"x", int64(1)},
			{"delattr(__main__, 'x')", nil},
			{"'x' in globals()", false},
			{"hasattr(__main__, 'x')", false},
			{"getattr(__main__, 'x', 2)", int64(2)},
			{"isinstance(__main__, type(sys))", true},
			{"repr(__main__).startswith(\"<module '__main__'\")", true},
			{"__main__.__package__", nil},
			{"__main__.__annotations__['number'] is int", true},
			{"__import__('importlib').import_module('__main__').mine", name},
		} {
			equal(t, name+": "+x.expr, eval[any](t, r, x.expr), x.want)
		}
		err := r.Exec(limit(t), "del __main__.missing")
		contains(t, "del", raises(t, "del", err, "AttributeError").Message, "missing")
		err = r.Exec(limit(t), "__main__.missing")
		equal(t, "missing", raises(t, "missing", err, "AttributeError").Message, "module '__main__' has no attribute 'missing'")
		run(t, r, "from __main__ import mine as same, __name__ as this\ndef __getattr__(name): return name * 2")
		equal(t, name+": imported", eval[any](t, r, "[same, this, __main__.ab]"), []any{name, "__main__", "abab"})
		run(t, r, "def __dir__(): return ['only']")
		equal(t, name+": dir", eval[any](t, r, "dir(__main__)"), []any{"only"})
	}
}

func mainModulePickle(t *testing.T, s *suite) {
	spaces := s.namespaces(t)
	for name, r := range spaces {
		run(t, r, `
import enum, collections, copy, pickle
class Point:
	class Inner: pass
	def __init__(self, x): self.x = x
	def __eq__(self, other): return self.x == other.x
class Colour(enum.Enum): RED = 1
class Flags(enum.Flag): A = enum.auto()
Pair = collections.namedtuple("Pair", "a b")
class Problem(Exception): pass
def function(): pass
def dumps(): return pickle.dumps([Point(name), Point.Inner, Colour.RED, Flags.A, Pair(1, 2), function])
`, py.Vars{"name": name})
	}
	for name, r := range spaces {
		for protocol := range 6 {
			equal(t, name, eval[bool](t, r, `[pickle.loads(pickle.dumps(o, p)) == o for o in
				(Point(name), Point.Inner, Colour.RED, Flags.A, Pair(1, 2), function, Problem)] == [True] * 7`, py.Vars{"p": protocol}), true)
		}
		equal(t, name, eval[string](t, r, "pickle._loads(pickle._dumps(Point(name))).x"), name)
		data := call[[]byte](t, r, "__main__", "dumps")
		equal(t, name+": one of Python's own", eval[bool](t, r, "pickle.loads(data)[0] == Point(name)", py.Vars{"data": data}), true)
		loaded := call[*py.Object](t, r, "pickle", "loads", data) // no frame of the namespace is there
		equal(t, name+": what is loaded", eval[bool](t, r, "[type(o) for o in loaded[:2]] == [Point, type] and loaded[1] is Point.Inner",
			py.Vars{"loaded": loaded}), true)
	}
}

func mainModuleAnnotations(t *testing.T, s *suite) {
	for name, r := range s.namespaces(t) {
		run(t, r, `
from __future__ import annotations
import dataclasses, typing
from dataclasses import InitVar, KW_ONLY
from typing import ClassVar

@dataclasses.dataclass
class Leaf:
	made: ClassVar[int] = 0
	size: int = 0
	more: InitVar[int] = 1
	_: KW_ONLY
	next: Leaf | None = None
	def __post_init__(self, more): self.size += more

def f(leaf: Leaf) -> list[Leaf]: pass
`)
		for expr, want := range map[string]any{
			"[f.name for f in dataclasses.fields(Leaf)]":                       []any{"size", "next"},
			"Leaf(1, next=Leaf()).size":                                        int64(2),
			"typing.get_type_hints(Leaf)['next'] == typing.Optional[Leaf]":     true,
			"typing.get_type_hints(f) == {'leaf': Leaf, 'return': list[Leaf]}": true,
		} {
			equal(t, name+": "+expr, eval[any](t, r, expr), want)
		}
	}
}

// mainModuleNested has a request of one namespace in the middle of one of another, and so on.
func mainModuleNested(t *testing.T, s *suite) {
	c := s.open(t)
	spaces := map[string]interface {
		py.Runner
		execer
	}{"a": s.env(t, c), "b": s.env(t, c), "c": c}
	register(t, c, "onto", func(ctx context.Context, path []string) ([]string, error) {
		return py.Call[[]string](ctx, spaces[path[0]], "__main__", "f", path[1:])
	})
	for name, r := range spaces {
		run(t, r, `
import go, __main__
mine = name
def f(path): return [__main__.mine, *(go.onto(path) if path else []), __main__.mine]
def fails():
	try: go.onto(["a", "missing"])
	except Exception: return __main__.mine
def items():
	for i in range(3): yield i, mine
`, py.Vars{"name": name})
	}
	equal(t, "nested", call[[]string](t, c, "__main__", "f", []string{"a", "b", "b", "c", "a"}), strings.Split("cabbcaacbbac", ""))
	equal(t, "behind an error", call[string](t, spaces["b"], "__main__", "fails"), "b")
	o := eval[*py.Object](t, spaces["a"], "f")
	got, err := o.Call(limit(t), []string{})
	is(t, "an object of an env", err, nil)
	equal(t, "an object of an env works in the context", got, any([]any{"c", "c"}))
	equal(t, "afterwards", call[[]string](t, c, "__main__", "f", []string{}), []string{"c", "c"})
}

// mainModuleThreads looks from threads that Python started: they have the namespace of their context.
func mainModuleThreads(t *testing.T, s *suite) {
	for name, r := range s.namespaces(t) {
		if strings.Contains(name, "env") {
			continue
		}
		equal(t, name, eval[[]string](t, r, "[exec(code, globals()), seen][1]", py.Vars{"code": "name = " + strconv.Quote(name) + `
import threading, __main__, pickle
mine, seen = name, []
class C: pass
def look(depth):
	seen.append(__main__.mine)
	seen.append(type(pickle.loads(pickle.dumps(C()))) is C and "same")
	if depth:
		t = threading.Thread(target=look, args=(depth - 1,))
		t.start(); t.join()
t = threading.Thread(target=look, args=(1,))
t.start(); t.join()
`}), []string{name, "same", name, "same"})
	}
}
