package bench

import (
	"context"
	"fmt"

	"github.com/pycontext/py"
	"github.com/pycontext/py/internal/cpython/floor"
)

// station is a goroutine within Attach of a context, which is locked to the context's thread and does there what comes
// through a Go channel. The floors are measured there, many operations in one job; a job for each operation is what one
// would write first, and an alternative.
type station struct {
	jobs chan job
}

type job struct {
	do   func(*py.Attached, *floor.Floor) error
	done chan error
}

func openStation(ctx context.Context) (*station, func(), error) {
	c, err := py.New(ctx, py.Options{Mode: ownLock()})
	if err != nil {
		return nil, nil, err
	}
	s := &station{make(chan job)}
	go func() {
		err := c.Attach(ctx, s.serve)
		for j := range s.jobs { // after a failure
			j.done <- err
		}
	}()
	return s, func() {
		close(s.jobs)
		_ = c.Close()
	}, nil
}

// serve takes the interpreter's lock for each job, and lets it go as it waits.
func (s *station) serve(a *py.Attached) error {
	f, err := floor.New()
	if err != nil {
		return err
	}
	defer f.Close()
	for {
		var j job
		var ok bool
		a.Detach(func() { j, ok = <-s.jobs })
		if !ok {
			return nil
		}
		j.done <- j.do(a, f)
	}
}

func (s *station) do(work func(*py.Attached, *floor.Floor) error) error {
	done := make(chan error, 1)
	s.jobs <- job{work, done}
	return <-done
}

func (l *lab) station(name string) (*station, error) {
	return sharedBy(l, name, func() (*station, func(), error) { return openStation(l.ctx) })
}

// floorOf is a floor in C.
func floorOf(op func(f *floor.Floor, n int) error) subject {
	return within(floorName, func(_ *py.Attached, f *floor.Floor, n int) error { return op(f, n) })
}

// within is an operation within Attach.
func within(name string, op func(a *py.Attached, f *floor.Floor, n int) error) subject {
	return subject{name, func(l *lab) (probe, error) {
		s, err := l.station(floorName)
		if err != nil {
			return nil, err
		}
		return l.timed(func(n int) error {
			return s.do(func(a *py.Attached, f *floor.Floor) error { return op(a, f, n) })
		})
	}}
}

// overChannel is an operation of the floor, sent through a channel.
func overChannel(op func(f *floor.Floor) error) way {
	return way{channelName, func(l *lab, number int) (func() error, error) {
		s, err := l.station(fmt.Sprint(channelName, number))
		return func() error { return s.do(func(_ *py.Attached, f *floor.Floor) error { return op(f) }) }, err
	}}
}
