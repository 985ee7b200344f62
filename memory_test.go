package py_test

import (
	"errors"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"

	"github.com/pycontext/py"
)

// Where there is no memory even for what an exception says, the request has run all the same: its error is a MemoryError, and not
// that of a request that may be sent again.
func TestNoMemoryForTheResult(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux keeps to a limit of the address space")
	}
	info, _ := debug.ReadBuildInfo()
	if slices.Contains(info.Settings, debug.BuildSetting{Key: "-asan", Value: "true"}) {
		t.Skip("the sanitizer of addresses ends a process that is out of memory")
	}
	inFreshProcess(t, func(t *testing.T) {
		without := 0
		everyMode(t, func(t *testing.T, c *py.Context) {
			if err := c.Exec(ctx, exhausting); err != nil {
				t.Fatal(err)
			}
			for _, how := range []string{"raises", "yields", "misfits", "drops", "drops", "drops", "drops", "drops"} {
				for v, err := range py.Stream[any](ctx, c, "__main__", how) {
					if o, ok := v.(*py.Object); ok {
						o.Close()
					}
					var misfit *py.ConversionError // where there was room in what the request had
					if err != nil && (py.SafeToRetry(err) || !errors.Is(err, py.Exception("Exception")) && !errors.As(err, &misfit)) {
						t.Errorf("%s: got %v, want a MemoryError", how, err)
					}
					if errors.Is(err, py.Exception("MemoryError")) && errors.Is(err, py.Exception("BaseException")) {
						without++
					}
				}
			}
			if err := c.Exec(ctx, "pass"); err != nil || py.Live().References != 0 {
				t.Errorf("Python keeps %d objects for Go that it was not given: %v", py.Live().References, err)
			}
		})
		if without == 0 {
			t.Error("memory did not come to an end")
		}
	})
}

// What C's allocator has, and could get from the system, is taken in pieces that get smaller. It is given back as soon as the result
// is written: Go's runtime needs some, too.
const exhausting = `
import ctypes, resource
lib = ctypes.CDLL(None)
lib.malloc.restype, lib.malloc.argtypes, lib.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
before = resource.getrlimit(resource.RLIMIT_AS)
class Exhausted:
    def __init__(self):
        self.n, self.taken = 0, (ctypes.c_void_p * 1000000)()
        with open('/proc/self/statm') as f: size = int(f.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size, before[1]))
        size = 1 << 20
        while size >= 24:
            p = lib.malloc(size)
            if p: self.taken[self.n] = p; self.n += 1
            else: size = size * 2 // 3
    def __del__(self):
        resource.setrlimit(resource.RLIMIT_AS, before)
        while self.n: self.n -= 1; lib.free(self.taken[self.n])
Exhausted()
class Failed(ValueError):
    def __init__(self):
        super().__init__('x' * 200)
        self.held = Exhausted()
def raises(): raise Failed
def yields():
    yield 'a'
    raise Failed
def misfits(): yield '\ud800', Exhausted()
class Large(Failed): __qualname__ = 'x' * 100000
def drops(n=[100]):
    n[0] += 1 # so that one of them ends within a batch
    for i in range(n[0]): yield object()
    raise Large
`
