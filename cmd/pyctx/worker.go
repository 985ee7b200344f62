package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pycontext/py"
)

const (
	// stuckGrace is how long a context has to come back after an item's timeout, before another takes its place.
	stuckGrace = 2 * time.Second
	// makeLimit is how long the making of a context may take when an earlier one is stuck, maybe with the lock.
	makeLimit = 10 * time.Second
	// endGrace is how long the end of the run waits for a context: for the threads that the function started, say.
	endGrace = 10 * time.Second
	// maxStuck contexts are left behind before the run is given up: each keeps some memory until its code comes back.
	maxStuck = 64
)

// worker runs items in a context of its own. One goroutine uses it.
type worker struct {
	job     *mapJob
	context *py.Context
	steps   *py.Object // from the bytes of inputs to those of results
	size    int        // how many items go to Python at a time
}

// Items that take next to no time go to Python in batches, since the way there takes time as well. Python returns early
// from a batch that takes longer than batchTime.
const (
	batchTime = time.Millisecond
	maxBatch  = 128
)

// work runs items until there are no more or the run is over.
func (w *worker) work() {
	w.size = 1
	for {
		items := w.job.flow.take(w.size)
		if len(items) == 0 {
			return
		}
		if err := w.open(); err != nil {
			w.job.end(err)
			return
		}
		if !w.runBatch(items) {
			return
		}
	}
}

// runBatch runs items, or the first few and gives the others back. It returns false when the run is over.
func (w *worker) runBatch(items []item) bool {
	j := w.job
	began := time.Now()
	lines, err := w.call(items)
	done := len(lines)
	j.finished(items[:done], lines)
	switch {
	case err == nil:
		w.adapt(len(items), done, time.Since(began))
	case j.ctx.Err() != nil || errors.Is(err, errCut):
		return false
	default:
		return w.failFirst(items, err)
	}
	if done == len(items) {
		return true
	}
	// The next item may have raised what this context keeps; the others are anyone's.
	j.flow.giveBack(items[done+1:])
	return w.runBatch(items[done : done+1])
}

func (w *worker) failFirst(items []item, err error) bool {
	w.job.fail(items[0], err)
	w.job.flow.giveBack(items[1:])
	if errors.Is(err, errTimeout) {
		if err := w.revive(); err != nil {
			w.job.end(err)
			return false
		}
	}
	return true
}

// adapt chooses the size of the next batch after one of n items of which some were done.
func (w *worker) adapt(n, done int, took time.Duration) {
	switch {
	case done < n || took > batchTime:
		w.size = max(1, done/2)
	case took < batchTime/2 && n == w.size && w.job.batches():
		w.size = min(2*w.size, maxBatch)
	}
}

// call returns the results of the first items, one at least, or the error of the very first.
func (w *worker) call(items []item) (lines [][]byte, err error) {
	ctx, it := w.job.ctx, items[0]
	if it.err != nil {
		return nil, it.err
	}
	if w.job.failFast {
		only, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		ctx = only
		if !w.job.flow.guard(it.number, cancel) {
			return nil, errCut
		}
	}
	if w.job.timeout > 0 {
		limited, cancel := context.WithTimeoutCause(ctx, w.job.timeout, errTimeout)
		defer cancel()
		ctx = limited
	}
	raws := make([][]byte, 0, len(items))
	for _, it := range items {
		if it.err != nil {
			break
		}
		raws = append(raws, it.raw)
	}
	return py.CallMethod[[][]byte](ctx, w.steps, "", raws)
}

// open makes the worker's context, if it has none, and loads the function into it.
func (w *worker) open() error {
	if w.context != nil {
		return nil
	}
	c, err := w.job.newContext()
	if err != nil {
		return failed(err)
	}
	w.context = c
	w.steps, err = w.job.load(c)
	return err
}

// newContext makes a context that outlasts the run, so that it can end in peace.
func (j *mapJob) newContext() (*py.Context, error) {
	return py.New(context.Background(), py.Options{Mode: j.mode, Grace: endGrace})
}

// loading is held while a context loads the function: worker contexts share their modules.
var loading sync.Mutex

func (j *mapJob) load(c *py.Context) (*py.Object, error) {
	if j.mode == py.Worker {
		loading.Lock()
		defer loading.Unlock()
	}
	if err := furnish(j.ctx, c, "values.py", "ending.py", "items.py"); err != nil {
		return nil, failed(err)
	}
	if _, err := c.Call(j.ctx, module, "furnish"); err != nil {
		return nil, failed(err)
	}
	steps, err := py.Call[*py.Object](j.ctx, c, module, "stepper", asBytes([]string{j.path, j.file, j.function}), string(j.input.kind))
	var raised *py.Error
	switch {
	case err == nil || !errors.As(err, &raised):
		return steps, asFailure(err)
	case errors.Is(err, py.Exception(module+".Missing")):
		return nil, &exit{statusUsage, errors.New(raised.Message)}
	default:
		return nil, failedf("%s cannot be loaded:\n%+v%s", j.file, withoutOwnFrames(raised), hint(raised, j.mode))
	}
}

// revive makes sure that the context takes further items after a timeout, or leaves it behind for another one.
func (w *worker) revive() error {
	ctx, cancel := context.WithTimeout(w.job.ctx, stuckGrace)
	defer cancel()
	if _, err := py.Eval[any](ctx, w.context, "None"); err == nil || w.job.ctx.Err() != nil {
		return nil
	}
	old := w.context
	w.job.console.printf("a context is still busy, in C code or in Python code that stops at nothing, "+
		"%v after its item's timeout; another takes its place", stuckGrace)
	if w.job.stuck.Add(1) > maxStuck {
		return failedf("%d contexts did not come back from such code: giving up", maxStuck)
	}
	go func() {
		_ = old.Close()
		<-old.Done()
		w.job.stuck.Add(-1)
	}()
	w.context, w.steps = nil, nil
	return w.reopen()
}

// reopen is open for when code in C may keep the lock that all contexts of a mode share.
func (w *worker) reopen() error {
	opened := make(chan error, 1)
	fresh := &worker{job: w.job}
	go func() {
		c, err := w.job.newContext()
		if err == nil {
			fresh.context = c
			_, err = py.Eval[any](w.job.ctx, c, "None")
		}
		opened <- err
	}()
	select {
	case err := <-opened:
		if err != nil {
			return failed(err)
		}
	case <-w.job.ctx.Done():
		return nil
	case <-time.After(makeLimit):
		return failedf("code in C keeps the lock that all %s contexts share, and does not come back: giving up%s", w.job.mode,
			lockAdvice(w.job.mode))
	}
	w.context = fresh.context
	var err error
	w.steps, err = w.job.load(w.context)
	return err
}

func lockAdvice(m py.Mode) string {
	if m == py.OwnGIL {
		return ""
	}
	return fmt.Sprintf(" (contexts of --mode %s have a lock each)", py.OwnGIL)
}

// close ends the context as the end of a program ends an interpreter.
func (w *worker) close(ctx context.Context) error {
	if w.context == nil {
		return nil
	}
	finish := func() { _, _ = w.context.Call(ctx, module, "finish", 0) }
	if w.job.mode == py.Worker { // they share an interpreter
		w.job.ending.Do(finish)
	} else {
		finish()
	}
	_, _ = w.context.Call(ctx, module, "printed.finish")
	return w.context.Close()
}
