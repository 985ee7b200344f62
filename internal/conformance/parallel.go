package conformance

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pycontext/py"
)

// Threads of one interpreter that are at the same things at the same time. With a lock of the interpreter they take turns; without one
// they run in parallel.
var parallelCases = []testCase{
	{"ParallelFunctions", parallelFunctions},
	{"ParallelNames", parallelNames},
	{"ParallelContainers", parallelContainers},
	{"ParallelValues", parallelValues},
	{"ParallelSources", parallelSources},
	{"ParallelThreadsAtClose", parallelThreadsAtClose},
	{"ParallelImports", parallelImports},
}

// parallelFunctions: a name that several contexts have registered stands for each one's own function, on their threads too.
func parallelFunctions(t *testing.T, s *suite) {
	var wg sync.WaitGroup
	for i := range 3 {
		c := s.open(t)
		register(t, c, "who", func() int { return i })
		register(t, c, "who_inline", func() int { return i }, py.Inline())
		run(t, c, `
import go, threading
def ask(n):
    wrong = []
    for _ in range(n):
        who = go.who(), go.who_inline()
        if who != (me, me): wrong.append(who)
    return wrong
def ask_all(n):
    found = []
    threads = [threading.Thread(target=lambda: found.extend(ask(n))) for _ in range(2)]
    for t in threads: t.start()
    found += ask(n)
    for t in threads: t.join()
    return found[:5]
`, py.Vars{"me": i})
		wg.Go(func() {
			if wrong, err := c.Call(limit(t), "__main__", "ask_all", 10000); err != nil || len(wrong.([]any)) > 0 {
				t.Errorf("context %d was answered %v, %v", i, wrong, err)
			}
		})
	}
	wg.Wait()
}

// parallelNames: what a name is bound to is there while it is used, though a thread binds it to something else meanwhile.
func parallelNames(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, `
import sys, threading
def rebind():
    while not over:
        globals()['f'] = F(1)
        sys.modules['parallel_names'] = F(0)
class F:
    def __init__(self, n): self.n, self.f = n, n or F(2)
    def __call__(self): return [self.n] * 10
over = False
rebinders = [threading.Thread(target=rebind) for _ in range(2)]
for r in rebinders: r.start()
while not ('f' in globals() and 'parallel_names' in sys.modules): pass
`)
	for start := time.Now(); time.Since(start) < 500*time.Millisecond; {
		equal(t, "a name", call[[]int](t, c, "__main__", "f")[9], 1)
		equal(t, "a module", call[[]int](t, c, "parallel_names", "f")[9], 2)
		err := c.Attach(limit(t), func(p *py.Attached) error {
			f, err := p.Global("f")
			if err != nil {
				return err
			}
			defer f.Release()
			_, err = f.Call()
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	run(t, c, "over = True\nfor r in rebinders: r.join()\ndel sys.modules['parallel_names']")
}

// parallelContainers: what changes while it is converted comes as it was at some moment, or not at all.
func parallelContainers(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, `
import threading
class Item:
    def __init__(self, n): self.a, self.b = str(n) * 8, [n]
boxes = [1.5], {'k': 'v'}, {b'x' * 9}, [Item(0)]
def change():
    n = 0
    while not over:
        n += 1
        numbers, names, some, items = boxes
        if n % 64 == 0:
            for b in boxes: b.clear()
        numbers.append(n * 1.5)
        names['k' + str(n % 50)] = str(n) * 3
        some.add(bytes([n % 200]) * 9)
        items.append(Item(n))
        items[n % len(items)].a = str(n) * 9
        names.pop('k' + str(n % 7), None)
over = False
changers = [threading.Thread(target=change) for _ in range(2)]
for c in changers: c.start()
`)
	type item struct {
		A string `py:"a"`
		B []int  `py:"b"`
	}
	read := map[string]func() error{
		"floats":  func() error { _, err := py.Eval[[]float64](limit(t), c, "boxes[0]"); return err },
		"strings": func() error { _, err := py.Eval[map[string]string](limit(t), c, "boxes[1]"); return err },
		"bytes":   func() error { _, err := py.Eval[any](limit(t), c, "boxes[2]"); return err },
		"objects": func() error { _, err := py.Eval[[]item](limit(t), c, "boxes[3]"); return err },
	}
	came := map[string]int{}
	for start := time.Now(); time.Since(start) < 500*time.Millisecond; {
		for what, f := range read {
			if err := f(); err == nil {
				came[what]++
			} else if !isConversion(err) {
				t.Fatalf("%s: %+v", what, err)
			}
		}
	}
	t.Log("came through:", came)
	run(t, c, "over = True\nfor c in changers: c.join()")
}

// parallelValues: several contexts make and take the values of the standard library for the first time.
func parallelValues(t *testing.T, s *suite) {
	if s.entangled() {
		t.Skip("decimal, datetime and others of CPython 3.12 keep state in common between interpreters")
	}
	var wg sync.WaitGroup
	for i := range 4 {
		c := s.open(t)
		run(t, c, "import datetime, decimal, uuid, pathlib, fractions\nclass A:\n  def __init__(self): self.x = 1")
		wg.Go(func() {
			for j := range 300 {
				at := time.Date(2026, 1, 2, 3, 4, 5, i*1000, time.UTC)
				if back, err := py.Eval[time.Time](limit(t), c, "x", py.Vars{"x": at}); err != nil || !back.Equal(at) {
					t.Errorf("a time came back as %v, %v", back, err)
					return
				}
				if back, err := py.Eval[time.Duration](limit(t), c, "x", py.Vars{"x": time.Duration(j) * time.Millisecond}); err != nil || back != time.Duration(j)*time.Millisecond {
					t.Errorf("a duration came back as %v, %v", back, err)
					return
				}
				if x, err := py.Eval[struct {
					X int `py:"x"`
				}](limit(t), c, "type('B', (A,), {})()"); err != nil || x.X != 1 {
					t.Errorf("an object came as %v, %v", x, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// parallelSources: code of the same and of other texts is made, raises and goes in several contexts at once.
func parallelSources(t *testing.T, s *suite) {
	var wg sync.WaitGroup
	for i := range 4 {
		c := s.open(t)
		wg.Go(func() {
			for j := range 500 {
				if err := c.Exec(limit(t), fmt.Sprintf("# %s\ndef f%d(): return %d\nassert f%d() == %d", longLine, i*(j%2), j, i*(j%2), j)); err != nil {
					t.Errorf("exec: %+v", err)
					return
				}
				_, err := c.Eval(limit(t), fmt.Sprintf("1 / (%d - %d)", j, j))
				if e := raises(t, "eval", err, "ZeroDivisionError"); len(e.Traceback) != 1 || e.Traceback[0].Source == "" {
					t.Errorf("a traceback without source: %+v", e)
					return
				}
			}
		})
	}
	wg.Wait()
}

var longLine = fmt.Sprintf("%0400d", 0)

// parallelThreadsAtClose: threads of a context call Go, hold and send objects while it is closed.
func parallelThreadsAtClose(t *testing.T, s *suite) {
	if s.Mode != py.Worker {
		t.Skip("the end of an interpreter of its own waits for its threads")
	}
	for range 20 {
		c, err := s.New(context.Background(), py.Options{Mode: s.Mode})
		if err != nil {
			t.Fatal(err)
		}
		register(t, c, "keep", func(ctx context.Context, o any) (any, error) {
			if o, ok := o.(*py.Object); ok {
				defer o.Close()
			}
			return c.Eval(ctx, "count")
		})
		run(t, c, `
import go, threading
count = 1
class K: pass
def work():
    try:
        while True: go.keep(K())
    except (go.Error, RuntimeError, AttributeError): # closed meanwhile; no such function any more
        pass
threads = [threading.Thread(target=work, daemon=True) for _ in range(3)]
for t in threads: t.start()
`)
		done := eval[*py.Object](t, c, "threads")
		time.Sleep(3 * time.Millisecond)
		done.Close()
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// parallelImports: an interrupt in the middle of an import leaves nothing behind that others wait for.
func parallelImports(t *testing.T, s *suite) {
	patient := py.Options{Grace: time.Minute} // what imports nearly all the time is seldom to be hit
	a, b := s.open(t, patient), s.open(t, patient)
	const code = `
import sys, importlib
def again():
    while True:
        for name in 'colorsys', 'stringprep', 'chunk_of_nothing':
            sys.modules.pop(name, None)
            try: importlib.import_module(name)
            except ImportError: pass
        for _ in range(3000): pass
`
	run(t, a, code)
	run(t, b, code)
	for i := range 20 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(1+i%5)*time.Millisecond)
		a.Call(ctx, "__main__", "again")
		cancel()
		run(t, b, "try: import stringprep, colorsys\nexcept KeyError: pass # a takes them away meanwhile") // which would hang
	}
}
