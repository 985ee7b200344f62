package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/pycontext/py"
)

// The reasons for which an item ends early.
var (
	errTimeout = errors.New("timeout")
	errCut     = errors.New("an earlier item failed")
)

// mapJob is one run of pyctx map. Items go the way
//
//	input -> flow -> worker (a context each) -> flow -> output
type mapJob struct {
	file, function    string
	path              string // of file, wherever the function of another worker has gone meanwhile
	input             *input
	stdout            *os.File
	workers           int
	mode              py.Mode
	ordered, failFast bool
	quiet, bar        bool
	timeout           time.Duration

	ctx    context.Context // ends when running items are to be dropped
	cancel context.CancelCauseFunc

	console *console
	flow    *flow
	output  *output
	began   time.Time

	ok, failures, position atomic.Int64
	stuck                  atomic.Int64
	ending                 sync.Once
}

func (j *mapJob) main(g *global) error {
	j.console = &console{out: os.Stderr}
	if err := j.takeStreams(); err != nil {
		return failed(err)
	}
	if err := g.start(py.Config{Stdout: j.console, Stderr: j.console}); err != nil {
		return err
	}
	j.ctx, j.cancel = context.WithCancelCause(context.Background())
	j.bar = j.bar && isTerminal(os.Stderr) && !j.input.typed()
	j.output = newOutput(j.results(), j.end)
	j.flow = newFlow(j.ordered, j.output.line)
	context.AfterFunc(j.ctx, j.flow.halt)
	j.watchSignals()
	j.began = time.Now()
	stopBar := j.showProgress()
	open := j.run()
	stopBar()
	return j.conclude(open)
}

// takeStreams keeps what the function starts from reading the items, and from printing between the results.
func (j *mapJob) takeStreams() (err error) {
	if j.stdout, err = apart(os.Stdout, os.Stderr); err != nil || !j.input.readsStdin() {
		return err
	}
	j.input.stdin, err = stdinApart()
	return err
}

// results is standard output, which may be the terminal that shows the bar.
func (j *mapJob) results() io.Writer {
	if j.bar && isTerminal(j.stdout) {
		return above{j.console, j.stdout}
	}
	return j.stdout
}

// end stops the run at once, for a reason.
func (j *mapJob) end(why error) { j.cancel(why) }

// watchSignals ends the run at the first signal; the second has its usual effect. A broken pipe is an error of the write
// and not a signal, so that the progress bar goes before the process does.
func (j *mapJob) watchSignals() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		s := <-signals
		signal.Reset(os.Interrupt, syscall.SIGTERM)
		j.end(stopped{s})
	}()
}

// run works through the input, and returns the workers whose contexts are open.
func (j *mapJob) run() []*worker {
	go j.read()
	go j.output.keepFlushing(j.ctx)
	workers := make([]*worker, j.workers)
	var group sync.WaitGroup
	for i := range workers {
		workers[i] = &worker{job: j}
		group.Go(func() {
			if i == 0 { // also without any input, so that a FILE.py that does not load is found
				if err := workers[i].open(); err != nil {
					j.end(err)
					return
				}
			}
			workers[i].work()
		})
	}
	j.wait(&group)
	return workers
}

// wait waits for the workers; once the run is stopped, not for ones that standard output blocks.
func (j *mapJob) wait(group *sync.WaitGroup) {
	all := make(chan struct{})
	go func() {
		group.Wait()
		close(all)
	}()
	select {
	case <-all:
	case <-j.ctx.Done():
		select {
		case <-all:
		case <-time.After(3 * time.Second):
		}
	}
}

func (j *mapJob) read() {
	if err := j.input.read(j.flow.offer); err != nil {
		j.failures.Add(1)
		j.console.printf("%v: what follows is not read", err)
	}
	j.flow.end()
}

// batches tells whether items may go to Python more than one at a time.
func (j *mapJob) batches() bool { return j.timeout == 0 && !j.failFast }

func (j *mapJob) finished(items []item, lines [][]byte) {
	j.flow.finish(items, lines)
	var size int64
	for _, it := range items {
		size += it.size
	}
	j.ok.Add(int64(len(items)))
	j.position.Add(size)
}

// fail reports an item and counts it.
func (j *mapJob) fail(it item, err error) {
	if j.failFast {
		if !j.flow.cut(it.number, errCut) {
			return // an earlier one has failed
		}
	} else {
		j.flow.finish([]item{it}, [][]byte{nil})
	}
	j.failures.Add(1)
	j.position.Add(it.size)
	j.console.Write([]byte("pyctx: " + j.describe(it, err) + "\n"))
}

// describe says what is wrong with an item, with Python's traceback where it tells something.
func (j *mapJob) describe(it item, err error) string {
	var raised *py.Error
	switch {
	case errors.Is(err, errTimeout):
		return fmt.Sprintf("%v: no result within the timeout of %v", it.place, j.timeout)
	case errors.Is(err, py.Exception(module+".Invalid")) && errors.As(err, &raised):
		return it.place.String() + raised.Message
	case errors.As(err, &raised):
		title, _, _ := strings.Cut(raised.Error(), "\n")
		trace := fmt.Sprintf("%+v", withoutOwnFrames(raised)) + hint(raised, j.mode)
		if trace == title { // of a call that did not come to the function's code
			return fmt.Sprintf("%v: %s", it.place, title)
		}
		return fmt.Sprintf("%v: %s\n  %s", it.place, title, strings.ReplaceAll(trace, "\n", "\n  "))
	}
	return fmt.Sprintf("%v: %s", it.place, message(err))
}

// conclude puts out what is left, says how it went, and ends the contexts.
func (j *mapJob) conclude(workers []*worker) error {
	cause := context.Cause(j.ctx)
	var s stopped
	switch {
	case cause == nil:
		return j.concludeWhole(workers)
	case errors.As(cause, &s):
		if within(2*time.Second, func() { _ = j.output.flush() }) {
			j.sayHowFar(s)
		} else {
			j.console.printf("%v: %s; nobody reads the output, and the end of it is lost", s, j.counts())
		}
		within(time.Second, func() { j.closeContexts(context.Background(), workers) })
		return silent(signalStatus(s.Signal))
	}
	within(2*time.Second, func() { _ = j.output.flush() })
	return writeFailure(cause)
}

func (j *mapJob) concludeWhole(workers []*worker) error {
	if err := j.output.flush(); err != nil {
		return writeFailure(err)
	}
	j.summary()
	if err := j.closeContexts(j.ctx, workers); err != nil {
		j.console.printf("not waiting for Python any longer: %s", message(err))
	}
	if j.failures.Load() > 0 {
		return silent(statusFailed)
	}
	return nil
}

// writeFailure is for what ended the run: an error of standard output if it is no exit.
func writeFailure(err error) error {
	var e *exit
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, syscall.EPIPE):
		return silent(statusBrokenPipe)
	}
	return failedf("cannot write the results: %w", err)
}

// within runs f, and goes on without it when it takes too long. It tells whether f is over.
func within(limit time.Duration, f func()) bool {
	over := make(chan struct{})
	go func() {
		f()
		close(over)
	}()
	select {
	case <-over:
		return true
	case <-time.After(limit):
		return false
	}
}

// closeContexts ends the Pythons, so that exit functions run and files are written. It waits until ctx ends, or the
// contexts' grace time is over.
func (j *mapJob) closeContexts(ctx context.Context, workers []*worker) error {
	errs := make([]error, len(workers))
	var group sync.WaitGroup
	for i, w := range workers {
		group.Go(func() { errs[i] = w.close(ctx) })
	}
	over := make(chan struct{})
	go func() {
		group.Wait()
		close(over)
	}()
	select {
	case <-over:
		return errors.Join(errs...)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// sayHowFar is the last word of a run that a signal stopped.
func (j *mapJob) sayHowFar(s stopped) {
	count, last := j.flow.position()
	switch {
	case !j.ordered:
		j.console.printf("%v: %s", s, j.counts())
	case count == 0:
		j.console.printf("%v: %s; nothing was put out", s, j.counts())
	default:
		j.console.printf("%v: %s; the output is complete up to %v", s, j.counts(), last)
	}
}

func (j *mapJob) summary() {
	if !j.quiet {
		j.console.printf("%s", j.counts())
	}
}

// counts is such as "40 items, 1 failed, 2.1s, 19.0 items/s".
func (j *mapJob) counts() string {
	elapsed, bad := time.Since(j.began), j.failures.Load()
	items := j.ok.Load() + bad
	return fmt.Sprintf("%d %s, %d failed, %v, %s", items, plural("item", items), bad, rounded(elapsed), rate(items, elapsed))
}

func plural(noun string, n int64) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

func rounded(d time.Duration) time.Duration {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond)
	case d < time.Minute:
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}

// showProgress draws the bar, if there is to be one, until the function that it returns is called.
func (j *mapJob) showProgress() (stop func()) {
	if !j.bar {
		return func() {}
	}
	j.console.showBar(j.input.total())
	over, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
				j.drawProgress()
			}
		}
	}()
	return func() {
		close(over)
		<-gone
		j.console.hideBar()
	}
}

func (j *mapJob) drawProgress() {
	bad := j.failures.Load()
	items := j.ok.Load() + bad
	text := fmt.Sprintf("%d %s, %s", items, plural("item", items), rate(items, time.Since(j.began)))
	if bad > 0 {
		text += fmt.Sprintf(", %d failed", bad)
	}
	j.console.progress(j.position.Load(), text)
}
