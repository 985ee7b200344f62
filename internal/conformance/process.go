package conformance

import (
	"context"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pycontext/py"
)

// Other processes, made by fork or from a program.
var processCases = []testCase{
	{"HostileFork", fork},
	{"HostileSubprocess", subprocesses},
}

func init() { hostileCases = append(hostileCases, processCases...) }

func fork(t *testing.T, s *suite) {
	c := s.open(t)
	register(t, c, "f", func() int { return 1 })
	const code = `
import go, os, select, warnings
warnings.simplefilter('ignore')
def forked():
    r, w = os.pipe()
    try: pid = os.fork()
    except RuntimeError:
        os.close(r)
        os.close(w)
        raise
    if pid == 0:
        text = 'nothing'
        try:
            try: text = 'called ' + str(go.f())
            except RuntimeError as e: text = 'refused: ' + str(e)
            except BaseException as e: text = repr(e)
            os.write(w, text.encode())
        finally: os._exit(0)
    os.close(w)
    if not select.select([r], [], [], 60)[0]: os.kill(pid, 9)
    out = os.read(r, 1000).decode()
    os.close(r)
    os.waitpid(pid, 0)
    return out
`
	run(t, c, code)
	out, err := py.Eval[string](limit(t), c, "forked()")
	if s.Mode != py.Worker {
		raises(t, "fork", err, "RuntimeError")
		works(t, c)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	contains(t, "in the child", out, "refused", "fork")
	equal(t, "in the parent", eval[int](t, c, "go.f()"), 1)
	if strings.Contains(os.Getenv("GODEBUG"), "asyncpreemptoff=1") {
		t.Log("no busy process: goroutines that spin would keep this one from its turn")
		return
	}
	// Nor is Go asked for the function, which would wait for a processor for ever where all were in use.
	var stop atomic.Bool
	defer stop.Store(true)
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for !stop.Load() {
			}
		}()
	}
	for range 10 {
		register(t, c, "f", func() int { return 1 })
		contains(t, "in the child of a busy process", eval[string](t, c, "forked()"), "refused", "fork")
	}
}

func subprocesses(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "import subprocess, sys, os")
	equal(t, "echo", eval[string](t, c, "subprocess.run(['echo', 'hi'], capture_output=True, text=True).stdout"), "hi\n")
	equal(t, "python", eval[string](t, c, "subprocess.run([sys.executable, '-c', 'print(6*7)'], capture_output=True, text=True).stdout"), "42\n")
	equal(t, "shell", eval[int](t, c, "subprocess.call('exit 3', shell=True)"), 3)
	equal(t, "popen", eval[string](t, c, "os.popen('echo x').read()"), "x\n")
	equal(t, "version", eval[string](t, c, "subprocess.run([sys.executable, '-c', 'import sys; print(sys.version.split()[0])'], capture_output=True, text=True).stdout.strip()"), s.info.Version)
	run(t, c, "p = subprocess.Popen(['sleep', '30'])")
	// Not a loop of p.poll(), which takes a lock of its own: struck between that and its try, it never gives it back.
	struck(t, "a deadline", func(ctx context.Context) error {
		return c.Exec(ctx, "try:\n  while True: pass\nfinally: p.kill(); p.wait()")
	})
	works(t, c)
}
