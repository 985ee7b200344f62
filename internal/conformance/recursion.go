package conformance

import (
	"context"
	"errors"
	"testing"

	"github.com/pycontext/py"
)

// Code that calls itself, on stacks of every kind.
var recursionCases = []testCase{
	{"HostileRecursion", recursion},
	{"HostileRecursionOnThreads", recursionOnThreads},
}

func init() { hostileCases = append(hostileCases, recursionCases...) }

// recursion of Python code alone, in the ways that use up different stacks.
func recursion(t *testing.T, s *suite) {
	inChild(t, func() {
		for _, stack := range []int{0, s.smallestStack()} {
			c := s.open(t, py.Options{StackSize: stack})
			run(t, c, recursions)
			for _, name := range eval[[]string](t, c, "sorted(ways)") {
				_, err := c.Eval(limit(t), "ways[name]()", py.Vars{"name": name})
				if deep[name] && (err == nil || errors.Is(err, py.Exception("ValueError"))) {
					continue
				}
				if !errors.Is(err, py.Exception("RecursionError")) && !errors.Is(err, py.Exception("MemoryError")) {
					t.Errorf("%s with a stack of %d: %.200v", name, stack, err)
				}
				works(t, c)
			}
		}
	})
}

// deep are those that may fit.
var deep = map[string]bool{"compare nested": true, "pickle": true, "json loads": true, "json of nested": true, "repr of nested": true}

const recursions = `
import functools, copy, json, pickle, sys
def plain(): plain()
class A:
    def __getattr__(self, n): return getattr(self, n + 'x'[:0])
    def __repr__(self): return repr(self)
    def __call__(self): return self()
    def __hash__(self): return hash(self)
    def __eq__(self, o): return o == self
    def __len__(self): return len(self)
    def __iter__(self): return iter(self)
    def __add__(self, o): return self + o
    def __del__(self): pass
    def __lt__(self, o): return self < o
def key(x): return sorted([1, 2], key=key)
def mapped(x): return list(map(mapped, [x]))
part = functools.partial(lambda: part())
def nested(n=200000):
    x = []
    for _ in range(n): x = [x]
    return x
def gen(): yield from gen()
def through_exec(): exec('through_exec()')
def through_class():
    class K: through_class()
def deco(): functools.reduce(lambda a, b: deco(), [1, 2])
def ctx():
    with C(): pass
class C:
    def __enter__(self): ctx()
    def __exit__(self, *a): pass
ways = {
    'plain': plain, 'getattr': lambda: A().z, 'repr': lambda: repr(A()), 'call': lambda: A()(), 'hash': lambda: hash(A()), 'eq': lambda: A() == A(),
    'len': lambda: len(A()), 'add': lambda: A() + A(), 'lt': lambda: A() < A(), 'key': lambda: key(1), 'map': lambda: mapped(1), 'partial': lambda: part(),
    'repr of nested': lambda: repr(nested(20000)), 'copy of nested': lambda: copy.deepcopy(nested()), 'json of nested': lambda: json.dumps(nested()),
    'json loads': lambda: json.loads('[' * 200000), 'pickle': lambda: pickle.dumps(nested()), 'compare nested': lambda: nested() == nested(),
    'gen': lambda: list(gen()), 'exec': through_exec, 'class': through_class, 'reduce': deco, 'with': ctx,
    'literal': lambda: eval('-' * 100000 + '1'),
}
`

func recursionOnThreads(t *testing.T, s *suite) {
	inChild(t, func() {
		c := s.open(t)
		run(t, c, recursions+`
import threading
def on_thread(f):
    out = []
    def run():
        try: f()
        except BaseException as e: out.append(type(e).__name__)
    t = threading.Thread(target=run)
    t.start()
    t.join()
    return out[0] if out else None
`)
		for _, name := range eval[[]string](t, c, "sorted(ways)") {
			class := eval[string](t, c, "on_thread(ways[name]) or 'nothing'", py.Vars{"name": name})
			if deep[name] && (class == "nothing" || class == "JSONDecodeError") {
				continue
			}
			if class != "RecursionError" && class != "MemoryError" {
				t.Errorf("%s: %s", name, class)
			}
		}
		register(t, c, "down", func(ctx context.Context) error { return c.Exec(ctx, "go.down()") })
		run(t, c, "import go")
		class := eval[string](t, c, "on_thread(lambda: go.down())")
		equal(t, "Go and Python on a thread", class, "RecursionError")
		works(t, c)
	})
}
