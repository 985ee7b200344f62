package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// The exit statuses beside those of scripts.
const (
	statusFailed      = 1
	statusUsage       = 2
	statusInterrupted = 128 // plus the signal's number
	statusBrokenPipe  = statusInterrupted + int(syscall.SIGPIPE)
)

// exit is an error that says with which status the process ends. Every other error comes from the parsing of the command
// line and is one of usage.
type exit struct {
	status int
	err    error // nil: there is nothing to say
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

func failed(err error) error { return &exit{statusFailed, err} }

func failedf(format string, args ...any) error { return failed(fmt.Errorf(format, args...)) }

// silent ends the process with a status when all is said.
func silent(status int) error {
	if status == 0 {
		return nil
	}
	return &exit{status: status}
}

// printed is where the commands print. It keeps the first error: nobody looks at those of the help.
type printed struct {
	to  io.Writer
	err error
}

func (p *printed) Write(b []byte) (int, error) {
	if p.err == nil {
		_, p.err = p.to.Write(b)
	}
	return len(b), nil
}

func (p *printed) failure() error {
	if errors.Is(p.err, syscall.EPIPE) {
		return silent(statusBrokenPipe)
	}
	return failed(p.err)
}

// report prints an error as users expect it, and returns the exit status.
func report(w io.Writer, command string, err error) int {
	if err == nil {
		return 0
	}
	var e *exit
	if errors.As(err, &e) {
		if e.err != nil {
			fmt.Fprintf(w, "pyctx: %s\n", message(e.err))
		}
		return e.status
	}
	fmt.Fprintf(w, "pyctx: %s\nRun '%s --help' for usage.\n", message(err), command)
	return statusUsage
}

// inCommand says what a library's user finds elsewhere than the command's.
var inCommand = strings.NewReplacer("use py.Worker", "use --mode worker", "Config.Python", "--python",
	"make Options.StackSize smaller, or close other contexts", "see ulimit -v and -u, or use fewer --workers")

// message is that of an error for one who uses a command, not a library.
func message(err error) string { return inCommand.Replace(strings.TrimPrefix(err.Error(), "py: ")) }

// untilSignal returns a context that SIGINT or SIGTERM ends, with [stopped] as the cause. A second one has its usual effect.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case s := <-signals:
			cancel(stopped{s})
		case <-ctx.Done():
		}
		signal.Reset(os.Interrupt, syscall.SIGTERM)
	}()
	return ctx, func() { cancel(nil) }
}

// stopped is a signal as the cause of an end.
type stopped struct{ os.Signal }

func (s stopped) Error() string {
	if s.Signal == syscall.SIGTERM {
		return "stopped by SIGTERM" // whose name in Go is "terminated"
	}
	return "stopped by " + s.String()
}

// bySignal is the error of a command that a signal stopped, or nil.
func bySignal(ctx context.Context) error {
	var s stopped
	if errors.As(context.Cause(ctx), &s) {
		return &exit{signalStatus(s.Signal), s}
	}
	return nil
}

// signalStatus is what shells report for a process that a signal ended.
func signalStatus(s os.Signal) int {
	if n, ok := s.(syscall.Signal); ok {
		return statusInterrupted + int(n)
	}
	return statusFailed
}
