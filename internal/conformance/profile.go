package conformance

import (
	"bytes"
	"context"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"strings"
	"testing"
	"time"

	"github.com/pycontext/py"
)

var profileCases = []testCase{
	{"Times", times},
	{"ProfileLabels", profileLabels},
	{"ProfileLabelsAfterGoexit", labelsAfterGoexit},
	{"TraceRegions", traceRegions},
}

// times has requests that spend their time in one way each.
func times(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Profile: true})
	run(t, c, "import go, time")
	const long, short = 60 * time.Millisecond, 40 * time.Millisecond
	register(t, c, "nap", func() { time.Sleep(long) })
	measure := func(f func(ctx context.Context)) py.Times {
		ctx, times := py.WithTimes(limit(t))
		f(ctx)
		return times()
	}
	evals := func(expr string) func(ctx context.Context) {
		return func(ctx context.Context) {
			if _, err := c.Eval(ctx, expr); err != nil {
				t.Error(err)
			}
		}
	}
	before := c.Times()
	for _, x := range []struct {
		what string
		f    func(ctx context.Context)
		part func(py.Times) time.Duration
		n    int64
	}{
		{"running", evals("time.sleep(0.06)"), func(t py.Times) time.Duration { return t.Running }, 1},
		{"callbacks", evals("go.nap()"), func(t py.Times) time.Duration { return t.Callbacks }, 1},
		{"queued", func(ctx context.Context) {
			done := make(chan bool)
			go func() { evals("time.sleep(0.06)")(limit(t)); close(done) }()
			time.Sleep(long - short)
			evals("1")(ctx)
			<-done
		}, func(t py.Times) time.Duration { return t.Queued }, 1},
		{"several", func(ctx context.Context) { evals("time.sleep(0.06)")(ctx); evals("1")(ctx) },
			func(t py.Times) time.Duration { return t.Running }, 2},
	} {
		ok := false
		var got py.Times
		for range 5 { // what is started late finds less of a queue, or waits itself
			got = measure(x.f)
			whole := got.Queued + got.Lock + got.Running + got.Callbacks
			if x.part(got) >= short*9/10 && got.Requests == x.n && (x.what == "queued" || x.part(got) >= whole/2) {
				ok = true
				break
			}
		}
		if !ok {
			t.Errorf("%s is not %v, or not most of %v", x.what, short, got)
		}
	}
	if now := c.Times(); now.Requests < before.Requests+6 || now.Running < before.Running+long || now.Callbacks < long {
		t.Errorf("in all: %v, before %v", now, before)
	}
	equal(t, "without Profile", s.open(t).Times(), py.Times{})
}

func profileLabels(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Profile: true, Name: "labelled"})
	var inside, nested, after bytes.Buffer
	register(t, c, "look", func(ctx context.Context, deep bool) error {
		if deep {
			_, err := c.Eval(ctx, "go.look(False)")
			pprof.Lookup("goroutine").WriteTo(&after, 1)
			return err
		}
		pprof.Lookup("goroutine").WriteTo(&nested, 1)
		return nil
	})
	register(t, c, "first", func() { pprof.Lookup("goroutine").WriteTo(&inside, 1) })
	run(t, c, "import go; go.first(); go.look(True)")
	for what, text := range map[string]string{"inside": inside.String(), "nested": nested.String(), "after": after.String()} {
		for _, label := range []string{`"py.context":"labelled"`, `"py.request":"exec"`, `"py.function":"`} {
			if !strings.Contains(text, label) {
				t.Errorf("%s: no label %s", what, label)
			}
		}
	}
	equal(t, "the label of a nested request", strings.Contains(nested.String(), `"py.request":"eval"`), true)
	var idle bytes.Buffer
	pprof.Lookup("goroutine").WriteTo(&idle, 1)
	for block := range strings.SplitSeq(idle.String(), "\n\n") {
		if strings.Contains(block, "profileLabels") && strings.Contains(block, "py.context") {
			t.Errorf("a label stays behind:\n%s", block)
		}
	}
}

// labelsAfterGoexit has a function end its goroutine that Python called within the request of another one, on the same goroutine
// as a rule: what that request began, its region of a trace and its labels, is over for the other's deferred functions.
func labelsAfterGoexit(t *testing.T, s *suite) {
	c := s.open(t, py.Options{Profile: true, Name: "left"})
	register(t, c, "leave", func() { runtime.Goexit() })
	register(t, c, "outer", func(ctx context.Context) error {
		defer func() {
			var all bytes.Buffer
			pprof.Lookup("goroutine").WriteTo(&all, 1)
			for block := range strings.SplitSeq(all.String(), "\n\n") {
				this := strings.Contains(block, "WriteTo") // the other one, where there are two, may not have ended yet
				if this && strings.Contains(block, `"py.request":"eval"`) {
					t.Errorf("a label of a request that is over:\n%s", block)
				}
			}
		}()
		_, err := c.Eval(ctx, "go.leave()")
		return err
	})
	run(t, c, "import go")
	for range 20 {
		raises(t, "outer", c.Exec(limit(t), "go.outer()"), "RuntimeError")
	}
}

func traceRegions(t *testing.T, s *suite) {
	if trace.IsEnabled() {
		t.Skip("a trace of the tests is being made")
	}
	c := s.open(t)
	register(t, c, "traced_function", func() {})
	var out bytes.Buffer
	if err := trace.Start(&out); err != nil {
		t.Fatal(err)
	}
	run(t, c, "import go; go.traced_function()")
	call[float64](t, c, "math", "sqrt", 4)
	trace.Stop()
	contains(t, "the trace", out.String(), "py exec", "py call of math.sqrt", "py function traced_function", "queued ",
		"py queue of exec", "py run of exec", "py queue of call of math.sqrt", "py run of call of math.sqrt")
}
