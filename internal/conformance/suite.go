// Package conformance is what every way of running Python in a Go program has to pass: the acceptance cases, by number,
// as subtests. A mode is one target; a transport to another process is to be another.
package conformance

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pycontext/py"
)

// Target is what the suite runs over.
type Target struct {
	Name string
	Mode py.Mode
	// New makes a context. Options.Mode is filled in.
	New func(ctx context.Context, o py.Options) (*py.Context, error)
}

// Targets are the modes of this process.
func Targets() []Target {
	var all []Target
	for _, m := range []py.Mode{py.Worker, py.Subinterp, py.OwnGIL} {
		all = append(all, Target{Name: m.String(), Mode: m, New: py.New})
	}
	return all
}

var long = flag.Bool("long", false, "run the cases with times at full length, and the hammer for a minute")

// suite is one run over one target.
type suite struct {
	Target
	info py.RuntimeInfo
}

type testCase struct {
	name string
	run  func(t *testing.T, s *suite)
}

// Run runs every case over a target, one after the other. What a case leaves behind is its failure.
func Run(t *testing.T, target Target) {
	info, err := py.Info()
	if err != nil {
		t.Fatal(err)
	}
	s := &suite{target, info}
	t.Run("Case02UnsupportedMode", func(t *testing.T) { unsupportedMode(t, s) })
	if !s.supports(target.Mode) {
		t.Skipf("CPython %s does not support %s: %v", info.Version, target.Mode, info.Modes)
	}
	for _, c := range slices.Concat(lifecycleCases, callCases, evalCases, envCases, mainModuleCases, objectCases, useCases, scalarCases, callbackCases,
		nestingCases, threadCases, valueCases, errorCases, sourceCases, standardCases, tableCases, functionCases, streamCases, liveCases, fileCases, bufferCases, interruptCases, loopCases, isolationCases, hostileCases, misuseCases, finalizerCases, closingCases, profileCases, parallelCases,
		stressCases) {
		t.Run(c.name, func(t *testing.T) {
			before, files := py.Live(), Measure().Files
			t.Cleanup(func() {
				settle(t, before)
				if now := Measure().Files; now > files {
					t.Errorf("%d files are open, before %d", now, files)
				}
			})
			c.run(t, s)
		})
	}
}

func (s *suite) supports(m py.Mode) bool { return slices.Contains(s.info.Modes, m) }

// atLeast tells whether the Python that runs is 3.minor or later.
func (s *suite) atLeast(minor int) bool {
	var have int
	fmt.Sscanf(s.info.Version, "3.%d", &have)
	return have >= minor
}

// entangled tells whether interpreters have state in common: the decimal and datetime of CPython 3.12 do.
func (s *suite) entangled() bool { return s.Mode == py.Subinterp && !s.atLeast(13) }

// depth is how deep Go and Python can call each other on any version: CPython 3.12 counts calls in C, and ends early.
func (s *suite) depth() int {
	if s.atLeast(13) {
		return 1000
	}
	return 300
}

// smallestStack is the least that Options.StackSize may be.
func (s *suite) smallestStack() int {
	if s.atLeast(14) {
		return 1 << 20
	}
	return 16 << 20
}

// open makes a context that is closed when the test ends.
func (s *suite) open(t testing.TB, options ...py.Options) *py.Context {
	t.Helper()
	var o py.Options
	if len(options) > 0 {
		o = options[0]
	}
	o.Mode = s.Mode
	c, err := s.New(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("closing %v: %v", c, err)
		}
	})
	return c
}

// settle waits until nothing is alive that the test made.
func settle(t testing.TB, before py.Counts) {
	var live py.Counts
	for began := time.Now(); time.Since(began) < 10*time.Second; time.Sleep(20 * time.Millisecond) {
		if live = py.Live(); noMore(live, before) {
			return
		}
		if (live.Errors > before.Errors || live.Functions > before.Functions) && live.Threads == 0 {
			collect(t) // exceptions and functions in reference cycles of the main interpreter
		}
		runtime.GC()
	}
	t.Errorf("left behind: %+v, before %+v", live, before)
}

// noMore tells whether nothing is alive that was not before.
func noMore(live, before py.Counts) bool {
	a, b := reflect.ValueOf(live), reflect.ValueOf(before)
	for i := range a.NumField() {
		if a.Field(i).Int() > b.Field(i).Int() {
			return false
		}
	}
	return true
}

// collect runs Python's garbage collector in the main interpreter.
func collect(t testing.TB) {
	c, err := py.New(context.Background(), py.Options{})
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	if _, err := c.Call(context.Background(), "gc", "collect"); err != nil {
		t.Error(err)
	}
}

// limit is a context.Context for requests that are expected to end: it makes a hang a failure.
func limit(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func eval[T any](t testing.TB, r py.Runner, expr string, vars ...py.Vars) T {
	t.Helper()
	v, err := py.Eval[T](limit(t), r, expr, vars...)
	if err != nil {
		t.Fatalf("eval %.100q: %+v", expr, err)
	}
	return v
}

func call[T any](t testing.TB, r py.Runner, module, function string, args ...any) T {
	t.Helper()
	v, err := py.Call[T](limit(t), r, module, function, args...)
	if err != nil {
		t.Fatalf("call of %s.%s: %+v", module, function, err)
	}
	return v
}

type execer interface {
	Exec(ctx context.Context, code string, vars ...py.Vars) error
}

func run(t testing.TB, r execer, code string, vars ...py.Vars) {
	t.Helper()
	if err := r.Exec(limit(t), code, vars...); err != nil {
		t.Fatalf("exec: %+v", err)
	}
}

func register(t testing.TB, c *py.Context, name string, fn any, options ...py.FuncOption) {
	t.Helper()
	if err := c.Register(name, fn, options...); err != nil {
		t.Fatal(err)
	}
}

func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %#v, want %#v", what, got, want)
	}
}

// raises checks that err is the named exception of Python.
func raises(t testing.TB, what string, err error, class string) *py.Error {
	t.Helper()
	var e *py.Error
	if !errors.As(err, &e) || !errors.Is(err, py.Exception(class)) {
		t.Errorf("%s: got %v, want %s", what, err, class)
		return &py.Error{}
	}
	return e
}

func is(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", what, err, want)
	}
}

func contains(t testing.TB, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s: %q does not contain %q", what, text, part)
		}
	}
}

// works checks that the context is as good as new.
func works(t testing.TB, c *py.Context) {
	t.Helper()
	equal(t, "1+1 afterwards", eval[int](t, c, "1+1"), 2)
}

// within checks a time on a machine where anything may be late, and for a while: the quickest of many tries counts.
func within(t testing.TB, what string, bound time.Duration, measure func() time.Duration) {
	t.Helper()
	best := time.Hour
	for try := range 20 {
		if best = min(best, measure()); best < bound {
			return
		}
		time.Sleep(time.Duration(try) * 20 * time.Millisecond)
	}
	t.Errorf("%s took %v, want less than %v", what, best, bound)
}

// struck returns the error of a request whose deadline ends while it runs. On a busy machine the first deadlines may end
// before that.
func struck(t testing.TB, what string, request func(ctx context.Context) error) (err error) {
	t.Helper()
	for d := 30 * time.Millisecond; d < 10*time.Second; d *= 3 {
		if err = request(timeout(d)); !py.SafeToRetry(err) {
			break
		}
	}
	is(t, what, err, context.DeadlineExceeded)
	if py.SafeToRetry(err) {
		t.Errorf("%s: %v says that it did not run", what, err)
	}
	return err
}

// flat checks that use does not cost memory: of a few equal rounds, one at least takes next to nothing more.
func flat(t testing.TB, what string, most int, round func()) {
	t.Helper()
	least := math.MaxInt
	for range 5 {
		resident, heap := Measure().Memory, goMemory()
		round()
		grown := max(goMemory()-heap, Measure().Memory-resident)
		if least = min(least, grown); least <= most {
			return
		}
	}
	t.Errorf("%s: memory grows by %d bytes a round", what, least)
}

// meanwhile runs each function again and again, on a goroutine of its own, until stop is called, which waits for them.
func meanwhile(functions ...func()) (stop func()) {
	var stopped atomic.Bool
	var wg sync.WaitGroup
	for _, f := range functions {
		wg.Go(func() {
			for !stopped.Load() {
				f()
			}
		})
	}
	return func() {
		stopped.Store(true)
		wg.Wait()
	}
}

// eventually polls a condition.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for began := time.Now(); time.Since(began) < 30*time.Second; time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Errorf("not within 30 s: %s", what)
}

// waiting is how many goroutines wait for the result of a request: all of those are in a queue, or run.
func waiting() int {
	stacks := make([]byte, 8<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "cpython.(*Request).wait(")
}

// inChild runs what may kill the process in a process of its own.
func inChild(t *testing.T, f func()) {
	const variable = "PYCTX_CONFORMANCE_CHILD"
	if os.Getenv(variable) == t.Name() {
		f()
		return
	}
	parts := strings.Split(t.Name(), "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0], "-test.run="+strings.Join(parts, "/"), "-test.v", "-test.timeout=170s")
	child.Env = append(os.Environ(), variable+"="+t.Name())
	out, err := child.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		text := string(out)
		t.Errorf("the child process: %v\n%s", err, text[:min(len(text), 6000)])
	}
}
