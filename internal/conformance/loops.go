package conformance

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pycontext/py"
)

// Interrupts of requests that run an event loop of asyncio.
var loopCases = []testCase{
	{"Case62LoopIdle", loopIdle},
	{"Case62LoopCleanup", loopCleanup},
	{"Case62LoopStubborn", loopStubborn},
	{"Case62LoopBusy", loopBusy},
	{"Case62LoopKept", loopKept},
	{"Case62LoopNested", loopNested},
	{"Case62LoopOfThread", loopOfThread},
	{"Case62LoopRandom", loopRandom},
	{"Case62LoopClose", loopClose},
	{"Case62LoopOfItsOwn", loopOfItsOwn},
	{"Case59Asyncio", asyncioInterrupted},
}

// loops makes a context in which idle() tells, from a coroutine, that its loop will wait.
func loops(t *testing.T, s *suite) (c *py.Context, idle chan struct{}) {
	c, idle = s.open(t), make(chan struct{}, 1)
	register(t, c, "idle", func() {
		select {
		case idle <- struct{}{}:
		default:
		}
	}, py.Inline())
	run(t, c, `
import asyncio, go
from asyncio import sleep
def idle(): asyncio.get_running_loop().call_later(0.002, go.idle)
async def wait():
    idle()
    await sleep(3600)
loop = asyncio.new_event_loop()
`)
	t.Cleanup(func() { run(t, c, "loop.close()") })
	return c, idle
}

// interruptIn runs code, interrupts it once when it calls idle, and returns how it ended.
func interruptIn(t *testing.T, c *py.Context, idle chan struct{}, code string) error {
	t.Helper()
	for len(idle) > 0 {
		<-idle
	}
	result := make(chan error, 1)
	go func() { result <- c.Exec(limit(t), code) }()
	select {
	case <-idle:
	case err := <-result:
		t.Fatalf("%s ended: %v", code, err)
	}
	if !c.Interrupt() {
		t.Errorf("%s: nothing to interrupt", code)
	}
	return <-result
}

// loopIdle has loops that wait in every way that there is.
func loopIdle(t *testing.T, s *suite) {
	c, idle := loops(t, s)
	run(t, c, `
import contextlib, socket, threading
async def get():
    idle()
    await asyncio.Queue().get()
async def event():
    idle()
    await asyncio.Event().wait()
async def receive():
    a, b = socket.socketpair()
    with a, b:
        a.setblocking(False)
        idle()
        await asyncio.get_running_loop().sock_recv(a, 1)
async def serve():
    server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    async with server:
        idle()
        await server.serve_forever()
async def group():
    async with asyncio.TaskGroup() as g:
        for _ in range(5): g.create_task(sleep(3600))
        idle()
async def gather(): await asyncio.gather(*[wait() for _ in range(5)], return_exceptions=True)
async def timed():
    async with asyncio.timeout(3600): await asyncio.wait_for(wait(), 3600)
async def shielded(): await asyncio.shield(wait())
async def background():
    kept.append(asyncio.create_task(sleep(3600)))
    await wait()
async def thread():
    over = threading.Event()
    idle()
    try: await asyncio.to_thread(over.wait)
    finally: over.set()
async def executor():
    over = threading.Event()
    idle()
    try: await asyncio.get_running_loop().run_in_executor(None, over.wait)
    finally: over.set()
async def generator():
    async def items():
        yield 1
        await wait()
    async for _ in items(): pass
async def debug():
    asyncio.get_running_loop().set_debug(True)
    await wait()
def future():
    loop.call_later(0.002, go.idle)
    return loop.create_future()
kept = []
def deep(n): return deep(n - 1) if n else asyncio.run(wait())
def forever():
    forever = asyncio.new_event_loop()
    with contextlib.closing(forever):
        forever.call_soon(lambda: forever.create_task(wait()))
        try: forever.run_forever()
        finally:
            for t in asyncio.all_tasks(forever): t.cancel()
            forever.run_until_complete(sleep(0))
runner = asyncio.Runner()
`)
	defer run(t, c, "runner.close()")
	for _, code := range []string{"asyncio.run(wait())", "asyncio.run(get())", "asyncio.run(event())", "asyncio.run(receive())", "asyncio.run(serve())", "asyncio.run(group())", "asyncio.run(gather())",
		"asyncio.run(timed())", "asyncio.run(shielded())", "asyncio.run(background())", "asyncio.run(thread())", "asyncio.run(executor())", "asyncio.run(generator())", "asyncio.run(debug())",
		"asyncio.run(wait(), debug=True)", "forever()", "deep(100)", "loop.run_until_complete(wait())", "loop.run_until_complete(asyncio.gather(*[loop.create_task(wait()) for _ in range(3)]))",
		"loop.run_until_complete(future())", "runner.run(wait())"} {
		struck(t, code, func(ctx context.Context) error { return c.Exec(ctx, code) })
		works(t, c)
		err := interruptIn(t, c, idle, code)
		is(t, code, err, py.ErrInterrupted)
		raises(t, code, err, "KeyboardInterrupt")
		works(t, c)
		equal(t, "tasks that are left", eval[int](t, c, "len(asyncio.all_tasks(loop)) + len(asyncio.all_tasks(runner.get_loop()))"), 0)
	}
	equal(t, "the kept loop", eval[string](t, c, "loop.run_until_complete(sleep(0.001, 'goes on'))"), "goes on")
	equal(t, "the kept runner", eval[string](t, c, "runner.run(sleep(0.001, 'goes on'))"), "goes on")
}

// loopCleanup: coroutines see a cancellation, what they clean up runs, and what comes out of the loop is the interrupt.
func loopCleanup(t *testing.T, s *suite) {
	c, idle := loops(t, s)
	run(t, c, `
import contextlib
@contextlib.asynccontextmanager
async def resource():
    try: yield
    finally:
        await sleep(0.001)
        seen.append("closed")
async def child():
    try: await sleep(3600)
    except asyncio.CancelledError:
        await sleep(0.001)
        seen.append("child")
        raise
async def main():
    async with resource():
        try:
            async with asyncio.TaskGroup() as g:
                g.create_task(child())
                idle()
        except BaseException as e:
            seen.append(type(e).__qualname__)
            raise
        finally:
            await asyncio.shield(sleep(0.001))
            seen.append("finally")
def outer():
    global seen
    seen = []
    try: asyncio.run(main())
    except BaseException as e:
        seen.append(type(e) is go.Interrupted)
        raise
`)
	is(t, "the request", interruptIn(t, c, idle, "outer()"), py.ErrInterrupted)
	equal(t, "what ran", eval[[]any](t, c, "seen"), []any{"child", "CancelledError", "finally", "closed", true})
	// A program's own cancellation stays one.
	raises(t, "a program's own", c.Exec(limit(t), "async def own():\n  asyncio.current_task().cancel()\n  await sleep(1)\nasyncio.run(own())"), "asyncio.exceptions.CancelledError")
}

// loopStubborn has coroutines that catch what is to end them: each Interrupt is one cancellation, and deadlines come again.
func loopStubborn(t *testing.T, s *suite) {
	c, idle := loops(t, s)
	run(t, c, `
async def catch(most):
    n = 0
    while n < most:
        idle()
        try: await sleep(3600)
        except asyncio.CancelledError: n += 1
    return n
`)
	type answer struct {
		n   int
		err error
	}
	result := make(chan answer)
	go func() {
		n, err := py.Eval[int](context.Background(), c, "asyncio.run(catch(3))")
		result <- answer{n, err}
	}()
	for range 3 {
		<-idle
		c.Interrupt()
	}
	equal(t, "one that caught three", <-result, answer{3, nil})
	struck(t, "with a deadline", func(ctx context.Context) error { return c.Exec(ctx, "asyncio.run(catch(3))\nwhile True: pass") })
	works(t, c)
}

// loopBusy has coroutines that compute, and such that are in a Go function, beside others that wait for them.
func loopBusy(t *testing.T, s *suite) {
	c, idle := loops(t, s)
	register(t, c, "wait", func(ctx context.Context) error { idle <- struct{}{}; <-ctx.Done(); return ctx.Err() })
	run(t, c, `
def spin():
    go.idle()
    while True: pass
async def compute(): spin()
async def gone(): go.wait()
async def group(f):
    async with asyncio.TaskGroup() as g:
        g.create_task(sleep(3600))
        g.create_task(f())
async def gather(f): await asyncio.gather(sleep(3600), f(), return_exceptions=True)
async def awaits(f): await asyncio.create_task(f())
async def forgets(f):
    task = asyncio.create_task(f())
    await sleep(3600)
async def steps():
    go.idle()
    while True: await sleep(0)
async def once():
    try: spin()
    except BaseException as e:
        caught.append((isinstance(e, go.Interrupted), isinstance(e, asyncio.CancelledError)))
        await sleep(0.001)
    caught.append("goes on")
caught = []
def forever(f):
    task = loop.create_task(f())
    try: loop.run_forever()
    finally: assert task.cancelled()
`)
	for _, code := range []string{"compute()", "gone()", "group(compute)", "group(gone)", "gather(compute)", "gather(gone)", "awaits(compute)", "awaits(gone)", "forgets(compute)", "forgets(gone)", "steps()", "group(steps)"} {
		for _, how := range []string{"asyncio.run(%s)", "loop.run_until_complete(%s)"} {
			code := fmt.Sprintf(how, code)
			is(t, code, interruptIn(t, c, idle, code), py.ErrInterrupted)
			works(t, c)
			run(t, c, "loop.run_until_complete(sleep(0.001))")
		}
	}
	for _, code := range []string{"forever(compute)", "forever(gone)"} {
		is(t, code, interruptIn(t, c, idle, code), py.ErrInterrupted)
		run(t, c, "loop.run_until_complete(sleep(0.001))")
	}
	is(t, "one that catches it", interruptIn(t, c, idle, "asyncio.run(once())"), nil)
	equal(t, "what it caught", eval[[]any](t, c, "caught"), []any{py.Tuple{true, true}, "goes on"})
}

// loopKept steps a loop that stays from one request to the next: what an interrupt has left is not in the way of later ones.
func loopKept(t *testing.T, s *suite) {
	c, idle := loops(t, s)
	run(t, c, `
done = 0
async def step():
    global done
    await asyncio.gather(sleep(0), asyncio.create_task(sleep(0)), *[sleep(0.0001) for _ in range(3)])
    done += 1
def steps(n):
    for _ in range(n): loop.run_until_complete(step())
    return n
late = asyncio.Event()
async def survivor():
    await late.wait()
    return "survived"
background = loop.create_task(survivor())
`)
	for i := range 200 {
		err := c.Exec(timeout(time.Duration(rand.IntN(3000))*time.Microsecond), "while True: steps(3)")
		is(t, "steps without end", err, context.DeadlineExceeded)
		if n, err := py.Eval[int](limit(t), c, "steps(3)"); n != 3 || err != nil {
			t.Fatalf("round %d: the next steps: %v, %v", i, n, err)
		}
	}
	// A future that one request has given up is the next one's to run.
	run(t, c, "async def several():\n  idle()\n  await asyncio.gather(wait(), wait())")
	is(t, "several", interruptIn(t, c, idle, "loop.run_until_complete(several())"), py.ErrInterrupted)
	equal(t, "tasks", eval[int](t, c, "len(asyncio.all_tasks(loop))"), 1)
	equal(t, "a task of before", eval[string](t, c, "late.set() or loop.run_until_complete(background)"), "survived")
}

// loopNested has requests with loops on top of a coroutine, and of a function, that waits for Go: the interrupt of one is no other's.
func loopNested(t *testing.T, s *suite) {
	c, idle := loops(t, s)
	var inner error
	register(t, c, "others", func() { inner = c.Exec(context.Background(), "asyncio.run(wait())") })
	register(t, c, "own", func(ctx context.Context) { inner = c.Exec(ctx, "asyncio.run(wait())") })
	register(t, c, "spin", func(ctx context.Context) { inner = c.Exec(ctx, "go.idle()\nwhile True: pass") })
	run(t, c, `
async def coroutine(f):
    task = asyncio.create_task(child(f))
    await sleep(0.001)
    return await task
async def child(f):
    f()
    await sleep(0.001)
    return "goes on"
def function(f): return f() or "goes on"
`)
	for _, code := range []string{"asyncio.run(coroutine(go.others))", "loop.run_until_complete(coroutine(go.others))", "function(go.others)", "function(go.own)", "asyncio.run(coroutine(go.spin))",
		"loop.run_until_complete(coroutine(go.spin))", "function(go.spin)"} {
		is(t, "the outer one, "+code, interruptIn(t, c, idle, "got = "+code), nil)
		equal(t, code, eval[string](t, c, "got"), "goes on")
		is(t, "the inner one, "+code, inner, py.ErrInterrupted)
		works(t, c)
	}
	// The outer one has a deadline.
	for _, code := range []string{"function(go.own)", "asyncio.run(coroutine(go.spin))", "loop.run_until_complete(coroutine(go.spin))"} {
		struck(t, code, func(ctx context.Context) error { return c.Exec(ctx, code) })
		works(t, c)
	}
	equal(t, "the kept loop", eval[string](t, c, "loop.run_until_complete(sleep(0.001, 'goes on'))"), "goes on")
}

// loopOfThread has the loop on a thread that Python started.
func loopOfThread(t *testing.T, s *suite) {
	c, _ := loops(t, s)
	register(t, c, "go_on", func(ctx context.Context) bool {
		ctx, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
		defer cancel()
		return errors.Is(c.Exec(ctx, "asyncio.run(wait())"), context.DeadlineExceeded)
	})
	run(t, c, "import threading\nended = []\nthread = threading.Thread(target=lambda: ended.append(go.go_on()))\nthread.start()\nthread.join()")
	equal(t, "the thread's", eval[[]bool](t, c, "ended"), []bool{true})
}

// loopRandom strikes at any moment of a program that is full of coroutines. It counts what it does, so that nothing gets lost.
func loopRandom(t *testing.T, s *suite) {
	c, _ := loops(t, s)
	register(t, c, "f", func(n int) int { return n })
	register(t, c, "inline", func(n int) int { return n }, py.Inline())
	run(t, c, `
made = taken = dropped = odd = 0
async def produce(queue, f):
    global made
    while True:
        async with lock: await queue.put(made)
        made += 1
        f(1)
async def consume(queue):
    global taken
    while True:
        async with lock: await sleep(0)
        await queue.get()
        taken += 1
async def counted(task):
    global odd
    try: await task
    except go.Interrupted: # a cancellation is none: this one was late to come to an await, or in Go
        odd += 1
        raise
async def brief():
    async with asyncio.timeout(60): await sleep(0.0001)
async def work(rounds, f):
    global lock, dropped
    lock, queue = asyncio.Lock(), asyncio.Queue(5)
    try:
        async with asyncio.timeout(3600), asyncio.TaskGroup() as g:
            for _ in range(3): g.create_task(counted(consume(queue)))
            g.create_task(counted(produce(queue, f)))
            for _ in range(rounds):
                await asyncio.gather(sleep(0), brief())
                sum(range(1000))
            raise StopAsyncIteration
    except* StopAsyncIteration: pass
    finally:
        dropped += queue.qsize()
        assert not lock.locked() and len(asyncio.all_tasks()) == 1
    return rounds
def new(rounds): return asyncio.run(work(rounds, go.f))
def kept(rounds): return loop.run_until_complete(work(rounds, go.inline)) # in Go, another request would find the loop running
`)
	const endless = 1 << 30
	for i := range 300 {
		function := []string{"new", "kept"}[i%2]
		ctx := timeout(time.Duration(rand.IntN(4000)) * time.Microsecond)
		switch i % 3 {
		case 0:
			_, err := c.Call(ctx, "__main__", function, endless)
			is(t, "without end", err, context.DeadlineExceeded)
		case 1:
			if _, err := c.Call(ctx, "__main__", function, 5); err != nil {
				is(t, "about its end", err, context.DeadlineExceeded)
			}
		default:
			eventually(t, "the last one is over", func() bool { return !c.Interrupt() })
			result := make(chan error)
			go func() { _, err := c.Call(limit(t), "__main__", function, endless); result <- err }()
			<-ctx.Done()
			eventually(t, "it is interrupted", c.Interrupt)
			is(t, "interrupted", <-result, py.ErrInterrupted)
		}
		if n, err := py.Call[int](limit(t), c, "__main__", function, 2); n != 2 || err != nil {
			t.Fatalf("round %d: the next one: %v, %+v", i, n, err)
		}
	}
	eventually(t, "all are over", func() bool { return !c.Interrupt() })
	n := eval[[]int](t, c, "made, taken, dropped, odd")
	if lost := n[0] - n[1] - n[2]; lost < -n[3] || lost > n[3] {
		t.Errorf("made, taken, dropped, odd: %v", n)
	}
	t.Logf("made, taken, dropped, odd: %v", n)
}

// loopClose ends contexts whose loops wait.
func loopClose(t *testing.T, s *suite) {
	for _, end := range []func(c *py.Context) error{(*py.Context).Close, func(c *py.Context) error { return c.Shutdown(timeout(time.Millisecond)) }} {
		c, err := s.New(context.Background(), py.Options{Mode: s.Mode})
		if err != nil {
			t.Fatal(err)
		}
		idle := make(chan struct{}, 1)
		register(t, c, "idle", func() { idle <- struct{}{} }, py.Inline())
		result := make(chan error)
		go func() {
			result <- c.Exec(context.Background(), "import asyncio, go\nasync def wait():\n  asyncio.get_running_loop().call_later(0.002, go.idle)\n  await asyncio.sleep(3600)\nasyncio.run(wait())")
		}()
		<-idle
		if err := end(c); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("closing: %v", err)
		}
		is(t, "the request", <-result, py.ErrClosed)
		select {
		case <-c.Done():
		case <-time.After(30 * time.Second):
			t.Fatal("its thread never ended")
		}
	}
}

// asyncioInterrupted: no interrupt strikes in asyncio's own code, which would lose track of a task and wait for it without end.
func asyncioInterrupted(t *testing.T, s *suite) {
	c := s.open(t)
	ctx, cancel := context.WithCancel(limit(t))
	var since time.Time
	register(t, c, "over", func() bool {
		if ctx.Err() == nil {
			cancel()
			since = time.Now()
		}
		return time.Since(since) > 40*time.Millisecond
	}, py.Inline())
	run(t, c, "import asyncio, go\nloop = {'__name__': 'asyncio.conformance', 'go': go, 'left': False}\nexec('def own():\\n  while not go.over(): pass\\n  global left\\n  left = True', loop)")
	is(t, "cancelled in asyncio's code", c.Exec(ctx, "loop['own']()\nwhile True: pass"), context.Canceled)
	equal(t, "its code came to its end", eval[bool](t, c, "loop['left']"), true)
	run(t, c, "async def idle(pause):\n  while True: await asyncio.sleep(pause)\nasync def several(): await asyncio.gather(*[idle(0.001) for _ in range(5)])")
	for i := range 100 {
		code := []string{"idle(0)", "idle(0.001)", "several()"}[i%3]
		err := c.Exec(timeout(time.Duration(1000+rand.IntN(2000))*time.Microsecond), "asyncio.run("+code+")")
		is(t, code, err, context.DeadlineExceeded)
		works(t, c)
	}
}

// loopOfItsOwn has a loop whose parts are Python code. None of it runs where the interrupt comes from, with a lock held that the thread
// may want.
func loopOfItsOwn(t *testing.T, s *suite) {
	c, idle := loops(t, s)
	run(t, c, `
import threading
class Socket:
    def __init__(self, socket): self.socket = socket
    def __getattr__(self, name):
        asked.append(threading.current_thread())
        return getattr(self.socket, name)
class Loop(type(loop)):
    def __getattribute__(self, name):
        asked.append(threading.current_thread())
        return super().__getattribute__(name)
asked = []
own = Loop()
plain, own._csock = own._csock, Socket(own._csock)
async def brief():
    own.call_later(0.05, own.stop)
    idle()
    await sleep(3600)
`)
	interruptIn(t, c, idle, "try: own.run_until_complete(brief())\nexcept RuntimeError: pass")
	run(t, c, "own._csock = plain\nown.close()")
	equal(t, "threads", eval[int](t, c, "len({t for t in asked if t is not threading.current_thread()})"), 0)
}
