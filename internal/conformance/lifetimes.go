package conformance

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pycontext/py"
)

var lifetimeCases = []testCase{
	{"ClassesInThePlaceOfOthers", classesInPlace},
	{"ClassesMetInAnInterrupt", classesMetInAnInterrupt},
	{"NamesThatComeAndGo", namesThatComeAndGo},
	{"ReadersLoseNothing", readersLoseNothing},
	{"FunctionsThatLeave", functionsThatLeave},
}

func init() { hostileCases = append(hostileCases, lifetimeCases...) }

// classesInPlace has classes go whose end Python does not tell: one that is first met while the collector that frees it runs
// finalizers, and one that is freed where there is no room for another call. What was known of them must not be taken for known
// of a class that gets their place in memory.
func classesInPlace(t *testing.T, s *suite) {
	c := s.open(t)
	register(t, c, "look", func(ctx context.Context) ([]int, error) { return py.Eval[[]int](ctx, c, "current") })
	run(t, c, `
import gc, go, sys
from collections import UserList

def forget():
    global current
    del current

def in_finalizer(base):
    global current
    class Gone(base):
        def __del__(self):
            global current
            current = self
            try: go.look()
            except go.Error: pass
            del current
    gone = Gone()
    gone.me = gone
    number = id(Gone)
    del gone, Gone
    gc.collect()
    return number

def without_room(base):
    global current
    class Gone(base): pass
    current = Gone()
    try: go.look()
    except go.Error: pass
    number = id(Gone)
    del current, Gone
    def deeper():
        try: deeper()
        except RecursionError: gc.collect()
    hook, sys.unraisablehook = sys.unraisablehook, id
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(200)
    try: deeper()
    finally: sys.unraisablehook = hook; sys.setrecursionlimit(limit)
    return number

class Converted: pass

def renewed(number, base):
    """An object of a class in the place of one that is gone, or of no class."""
    others = []
    for _ in range(2000):
        others.append(type("Fresh", (base,), {}))
        if id(others[-1]) == number:
            return others[-1]()
`)
	err := py.RegisterConverter[[]int](limit(t), c, "__main__", "Converted", py.Converter{To: "lambda o: [1]"})
	is(t, "the converter", err, nil)
	for _, way := range []string{"in_finalizer", "without_room"} {
		for _, listed := range []string{"UserList", "Converted"} {
			found := 0
			for range 5 {
				run(t, c, fmt.Sprintf("o = renewed(%s(object), %s)", way, listed))
				if eval[bool](t, c, "o is not None") {
					found++
					_, err := py.Eval[[]int](limit(t), c, "o")
					is(t, way+": a "+listed+" in the place of an object", err, nil)
				}
				run(t, c, fmt.Sprintf("o = renewed(%s(%s), object)", way, listed))
				if eval[bool](t, c, "o is not None") {
					found++
					_, err := py.Eval[[]int](limit(t), c, "o")
					var misfit *py.ConversionError
					if !errors.As(err, &misfit) {
						t.Errorf("%s: an object in the place of a %s: %v", way, listed, err)
					}
				}
			}
			t.Logf("%s, %s: %d classes were in the place of others", way, listed, found)
		}
	}
}

// classesMetInAnInterrupt interrupts the first look at a class, at any place where Python notices that: the next look is right.
func classesMetInAnInterrupt(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, `
import go, sys
from collections import UserList
class Converted: pass
def strike(place):
    global struck
    struck = False
    def notice(frame, event, arg):
        nonlocal place
        global struck
        if frame.f_code.co_name in ("attempt", "class_of", "named", "classify", "known_of", "find", "<lambda>") and event != "return":
            place -= 1
            if place == -1:
                struck = True
                raise go.Interrupted
    sys.setprofile(notice)
def renew(base):
    global o, cls
    cls = type("Fresh", (base,), {})
    o = cls([1]) if base is UserList else cls()
`)
	for _, base := range []string{"UserList", "Converted"} {
		if base == "Converted" {
			err := py.RegisterConverter[[]int](limit(t), c, "__main__", base, py.Converter{To: "lambda o: [1]"})
			is(t, "the converter", err, nil)
		}
		place := 0
		for struck := true; struck && !t.Failed(); place++ {
			run(t, c, "renew("+base+")\nstrike(place)", py.Vars{"place": place})
			if _, err := py.Eval[[]int](limit(t), c, "o"); err != nil {
				is(t, "the struck one", err, py.ErrInterrupted)
			}
			run(t, c, "sys.setprofile(None)")
			struck = eval[bool](t, c, "struck")
			got, err := py.Eval[[]int](limit(t), c, "o")
			if err != nil || len(got) != 1 {
				t.Errorf("%s, struck at place %d: then %v, %v", base, place, got, err)
			}
		}
		if place < 10 {
			t.Errorf("%s: Python noticed an interrupt at %d places", base, place)
		}
	}
}

// namesThatComeAndGo registers each function under a name of its own, has Python call it, and takes it back.
func namesThatComeAndGo(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "import go\ndef use(name): return getattr(go, name)()")
	register(t, c, "stays", func() int { return 1 }, py.Inline())
	run(t, c, "from go import stays")
	ctx, number := limit(t), 0
	flat(t, "20,000 names", 1<<20, func() {
		for range 20_000 {
			number++
			name, want := fmt.Sprint("name", number), number
			register(t, c, name, func() int { return want }, py.Inline())
			if got, err := py.Call[int](ctx, c, "__main__", "use", name); got != want || err != nil {
				t.Fatalf("%s: %v, %v", name, got, err)
			}
			c.Unregister(name)
		}
	})
	equal(t, "one that stayed", eval[int](t, c, "stays() + go.stays()"), 2)
	_, err := c.Call(ctx, "__main__", "use", "name1")
	raises(t, "one that went", err, "AttributeError")
}

// readersLoseNothing interrupts the reading of a Go reader at any place where Python notices that, and at any moment: each piece
// comes once, and in order. Nothing but C is between File.readinto and the list.
func readersLoseNothing(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, `
import sys
from functools import partial
from operator import itemgetter

def keep(f):
    global kept, begins
    kept, begins = map(itemgetter(slice(8)), iter(partial(f.read1, 1 << 20), b"")), []

def loop(): begins.extend(kept)

def loop_struck(places):
    """loop, which the first places in readinto where an interrupt is noticed let pass; whether there was another one."""
    def notice(frame, event, arg):
        nonlocal places
        if frame.f_code.co_name == "readinto" and event != "return":
            places -= 1
            if places < 0: raise KeyboardInterrupt
    sys.setprofile(notice)
    try: loop()
    except KeyboardInterrupt: return True
    finally: sys.setprofile(None)
    return False
`)
	places := 0
	for struck := true; struck && !t.Failed(); places++ {
		call[any](t, c, "__main__", "keep", &pieces{to: 3})
		struck = call[bool](t, c, "__main__", "loop_struck", places)
		call[any](t, c, "__main__", "loop")
		readWhole(t, c, fmt.Sprint("struck at place ", places), 3)
	}
	if places < 10 {
		t.Errorf("Python noticed an interrupt at %d places", places)
	}
	const n = 500
	call[any](t, c, "__main__", "keep", &pieces{to: n})
	for began := time.Now(); time.Since(began) < 30*time.Second; {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(1+rand.IntN(2000))*time.Microsecond)
		_, err := c.Call(ctx, "__main__", "loop")
		cancel()
		if err == nil {
			break
		}
		works(t, c)
	}
	readWhole(t, c, "at random", n)
	run(t, c, "del kept")
	noFunctions(t, "interrupted")
}

// readWhole checks that the pieces that Python has are those from 0 to n.
func readWhole(t *testing.T, c *py.Context, when string, n uint64) {
	begins, got := eval[[]byte](t, c, "b''.join(begins)"), []uint64{}
	for ; len(begins) >= 8; begins = begins[8:] {
		got = append(got, binary.BigEndian.Uint64(begins))
	}
	for want := range n {
		if uint64(len(got)) <= want || got[want] != want {
			t.Errorf("%s: of %d pieces came %d, and not number %d in its place", when, n, len(got), want)
			return
		}
	}
	equal(t, when+": pieces", uint64(len(got)), n)
}

// pieces gives as much as is asked for, which begins with the number of the piece.
type pieces struct{ next, to uint64 }

func (r *pieces) Read(p []byte) (int, error) {
	if r.next == r.to {
		return 0, io.EOF
	}
	binary.BigEndian.PutUint64(p, r.next)
	r.next++
	return len(p), nil
}

// functionsThatLeave has the program's code panic, or end its goroutine, wherever it is called and not as a plain function: Python
// sees an exception and goes on, and nothing is left behind.
func functionsThatLeave(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Profile: true})
	run(t, c, `
import contextlib
def tried(f, *args):
    try: return f(*args)
    except Exception as e: return str(e)
def items():
    global ended
    ended = False
    try: yield from range(10)
    finally: ended = True
manager = contextlib.nullcontext(1)
`)
	manager := eval[*py.Object](t, c, "manager")
	defer manager.Close()
	ctx := limit(t)
	for _, how := range []string{"panic", "exit"} {
		left := leaving{how}
		for name, x := range map[string]struct {
			code  string
			value any
		}{
			"Read":          {"tried(v.read, 10)", struct{ io.Reader }{left}},
			"Write":         {"tried(v.write, b'x')", struct{ io.Writer }{left}},
			"Seek":          {"tried(v.seek, 5)", &seekable{leaving: left}},
			"Close":         {"tried(v.close)", left},
			"an iterator":   {"tried(list, v)", iter.Seq[int](func(yield func(int) bool) { yield(1); stop(how) })},
			"an item":       {"tried(next, v)", slices.Values([]stopping{{how: how}})},
			"a second item": {"tried(list, v)", slices.Values([]stopping{{}, {how: how}})},
			"a channel":     {"tried(next, v)", oneItem(stopping{how: how})},
			"a result":      {"tried(v)", func() any { return []any{stopping{how: how}} }},
			"a callable":    {"tried(v, lambda: 1)", func(f func() (int, error)) error { _, err := f(); stop(how); return err }},
		} {
			done := make(chan struct{})
			go func() { // which what is called while it waits may end
				defer close(done)
				text := "what the code does not return"
				text, _ = py.Eval[string](ctx, c, x.code, py.Vars{"v": x.value})
				contains(t, name+": "+how, text, map[string]string{"panic": "panic", "exit": "its goroutine"}[how])
			}()
			<-done
			works(t, c)
		}
		for name, f := range map[string]func(){
			"With": func() {
				manager.With(ctx, func(context.Context, *py.Object) error { stop(how); return nil })
			},
			"the body of a loop": func() {
				for range py.Stream[int](ctx, c, "__main__", "items") {
					stop(how)
				}
			},
			"an item of a stream": func() {
				for range py.StreamEval[exiting](ctx, c, "items()") {
				}
			},
		} {
			done := make(chan struct{})
			go func() {
				defer close(done)
				defer func() { _ = recover() }()
				f()
			}()
			<-done
			if name != "With" {
				equal(t, name+": the generator is closed", eval[bool](t, c, "ended"), true)
			}
			works(t, c)
		}
	}
	noFunctions(t, "all have left")
	is(t, "Shutdown", c.Shutdown(limit(t)), nil)
}

// A leaving file leaves whatever is asked of it.
type leaving struct{ how string }

func (l leaving) Read([]byte) (int, error)  { stop(l.how); return 0, io.EOF }
func (l leaving) Write([]byte) (int, error) { stop(l.how); return 0, io.EOF }
func (l leaving) Close() error              { stop(l.how); return nil }

type seekable struct {
	leaving
	asked bool
}

// Seek leaves the second time: the first is whether it can.
func (f *seekable) Seek(int64, int) (int64, error) {
	if f.asked {
		stop(f.how)
	}
	f.asked = true
	return 0, nil
}

func oneItem[T any](item T) chan T {
	ch := make(chan T, 1)
	ch <- item
	return ch
}
