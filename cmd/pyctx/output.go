package main

import (
	"bufio"
	"context"
	"io"
	"sync"
	"time"
)

// output writes lines soon after they come: one at a time if they come slowly, many if they come fast.
type output struct {
	failed func(error) // is told why nothing more can be written

	mu    sync.Mutex
	w     *bufio.Writer
	dirty chan struct{} // one element: there is something to flush
}

func newOutput(w io.Writer, failed func(error)) *output {
	return &output{failed: failed, w: bufio.NewWriterSize(w, 64<<10), dirty: make(chan struct{}, 1)}
}

func (o *output) line(line []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.w.Write(line)
	if err := o.w.WriteByte('\n'); err != nil { // an error stays with the writer
		o.failed(err)
	}
	select {
	case o.dirty <- struct{}{}:
	default:
	}
}

func (o *output) flush() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.w.Flush()
}

// keepFlushing flushes until ctx ends.
func (o *output) keepFlushing(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.dirty:
		}
		if err := o.flush(); err != nil {
			o.failed(err)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
