package main

import (
	"context"
	"fmt"

	"github.com/pycontext/py"
	"github.com/pycontext/py/internal/cpython/floor"
)

// channel is what one would write first: a goroutine that is locked to a thread, attached to an interpreter, and fed by
// a Go channel. It does the same C calls as the floor.
type channel struct {
	jobs chan job
}

type job struct {
	do   func(*floor.Floor) error
	done chan error
}

func openChannel(ctx context.Context) (*channel, func(), error) {
	c, err := py.New(ctx, py.Options{Mode: ownLock()})
	if err != nil {
		return nil, nil, err
	}
	ch := &channel{make(chan job)}
	go func() { _ = c.Attach(ctx, ch.serve) }()
	return ch, func() {
		close(ch.jobs)
		_ = c.Close()
	}, nil
}

// serve takes the interpreter's lock for each job, and lets it go as it waits.
func (c *channel) serve(a *py.Attached) error {
	f, err := floor.New()
	if err != nil {
		return err
	}
	defer f.Close()
	for {
		var j job
		var ok bool
		a.Detach(func() { j, ok = <-c.jobs })
		if !ok {
			return nil
		}
		j.done <- j.do(f)
	}
}

func (c *channel) request(do func(*floor.Floor) error) error {
	done := make(chan error, 1)
	c.jobs <- job{do, done}
	return <-done
}

// overChannel is an operation of the floor, sent through a channel.
func overChannel(op func(f *floor.Floor) error) way {
	return way{channelName, func(l *lab, number int) (func() error, error) {
		c, err := sharedBy(l, fmt.Sprint(channelName, number), func() (*channel, func(), error) { return openChannel(l.ctx) })
		return func() error { return c.request(op) }, err
	}}
}
