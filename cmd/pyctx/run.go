package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/pycontext/py"
)

const runHelp = `run runs a Python program in a context, as the python command does: a file (or a folder or archive with a
__main__.py, or - for standard input), a module (-m), or code (-c). What follows is the program's: sys.argv. Flags of
pyctx come before.

The exit status is the program's: that of sys.exit, 1 after an uncaught exception, 130 after Ctrl-C.

The default mode is worker, where every package works. Two things differ from the python command there, because the
program does not run on Python's main thread: signal.signal is refused, and Ctrl-C while the program waits in C code
(time.sleep, input) ends it after about a second without running its finally blocks; exit functions do run.`

func newRun(g *global) *cobra.Command {
	var mode modeFlag
	var name, code string
	cmd := &cobra.Command{
		Use:   "run [flags] FILE.py [ARG...] | -m MODULE [ARG...] | -c CODE [ARG...]",
		Short: "Run a Python program",
		Long:  runHelp,
		Example: `  pyctx run report.py --month 5
  pyctx run -m json.tool data.json
  pyctx run -c 'import sys; print(sys.version)'`,
		DisableFlagParsing: true, // pflag knows no flag that ends the flags, as -m does
	}
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		cmd.DisableFlagParsing = false
		if err := cmd.ParseFlags(endFlags(cmd, args)); err != nil {
			return err
		}
		if help, _ := cmd.Flags().GetBool("help"); help {
			return cmd.Help()
		}
		p := &program{mode: mode.Mode, files: []string{"ending.py", "script.py"}}
		kind, target, rest, err := chooseTarget(cmd, name, code)
		if err != nil {
			return err
		}
		p.call = func(ctx context.Context, c *py.Context) (int, error) {
			return py.Call[int](ctx, c, module, "run", kind, []byte(target), asBytes(rest))
		}
		return p.main(g)
	}
	cmd.Flags().SetInterspersed(false)
	cmd.Flags().StringVarP(&name, "module", "m", "", "run a `module`")
	cmd.Flags().StringVarP(&code, "code", "c", "", "run `code`")
	addModeFlag(cmd, &mode, py.Worker)
	return cmd
}

// endFlags puts "--" where the program's own arguments begin.
func endFlags(cmd *cobra.Command, args []string) []string {
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "--" || !strings.HasPrefix(a, "-") || a == "-":
			return args
		case a == "-m" || a == "-c" || a == "--module" || a == "--code":
			if i+2 > len(args) {
				return args
			}
			return slices.Insert(slices.Clone(args), i+2, "--")
		case startsWithAny(a, "-m", "-c", "--module=", "--code="):
			return slices.Insert(slices.Clone(args), i+1, "--")
		case strings.HasPrefix(a, "--") && !strings.Contains(a, "="):
			if f := cmd.Flag(a[2:]); f != nil && f.NoOptDefVal == "" {
				i++ // its value
			}
		}
	}
	return args
}

func startsWithAny(s string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}

// chooseTarget tells what is to be run, and with which arguments.
func chooseTarget(cmd *cobra.Command, name, code string) (kind, target string, rest []string, err error) {
	rest = cmd.Flags().Args()
	switch {
	case cmd.Flags().Changed("module"):
		return "module", name, rest, nil
	case cmd.Flags().Changed("code"):
		return "code", code, rest, nil
	case len(rest) == 0:
		return "", "", nil, errors.New("there is nothing to run: name a FILE.py, -m MODULE or -c CODE")
	}
	if rest[0] != "-" {
		if err := openable(rest[0]); err != nil {
			return "", "", nil, &exit{statusUsage, err}
		}
	}
	return "file", rest[0], rest[1:], nil
}

// asBytes keeps arguments that are not UTF-8 as they are.
func asBytes(args []string) [][]byte {
	all := make([][]byte, len(args))
	for i, a := range args {
		all[i] = []byte(a)
	}
	return all
}

// program is Python code that runs once and has an exit status.
type program struct {
	mode  py.Mode
	files []string
	call  func(ctx context.Context, c *py.Context) (status int, err error)
}

const (
	// interruptGrace is how long a program has to notice Ctrl-C before it is looked after.
	interruptGrace = time.Second
	// farewell is how long the exit functions of a program have that did not notice it.
	farewell = 10 * time.Second
)

func (p *program) main(g *global) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // Python raises BrokenPipeError
	if err := g.start(py.Config{}); err != nil {
		return err
	}
	ctx := context.Background()
	c, err := py.New(ctx, py.Options{Mode: p.mode, Grace: time.Hour})
	if err != nil {
		return failed(err)
	}
	if err := furnish(ctx, c, p.files...); err != nil {
		return failed(err)
	}
	type outcome struct {
		status int
		err    error
	}
	ended := make(chan outcome, 1)
	go func() {
		status, err := p.call(ctx, c)
		ended <- outcome{status, err}
	}()
	gaveUp := make(chan struct{})
	go func() {
		<-signals
		signal.Reset(os.Interrupt) // a second one kills the process
		if !p.interrupt(ctx, c) {
			p.giveUp(ctx)
			close(gaveUp)
		}
	}()
	select {
	case o := <-ended:
		if o.err != nil {
			return failed(fmt.Errorf("the program could not be run: %w", o.err))
		}
		if p.mode != py.Worker {
			_ = c.Close() // the end of its interpreter finalizes what the program left
		}
		return silent(o.status)
	case <-gaveUp:
		return silent(statusInterrupted + int(syscall.SIGINT))
	}
}

// interrupt raises KeyboardInterrupt in the program. It returns false when the program did not notice: an exception
// reaches Python code alone, not code in C that waits. For an interpreter of its own that cannot be known.
func (p *program) interrupt(ctx context.Context, c *py.Context) (noticed bool) {
	c.Interrupt()
	if p.mode != py.Worker {
		return true
	}
	time.Sleep(interruptGrace)
	return p.beside(ctx, func(other *py.Context) (err error) {
		noticed, err = py.Call[bool](ctx, other, module, "noticed")
		return err
	}) != nil || noticed
}

// giveUp ends the program in its place: prints where it waits, and runs its exit functions.
func (p *program) giveUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	_ = p.beside(ctx, func(other *py.Context) error {
		_, err := other.Call(ctx, module, "give_up")
		return err
	})
}

// beside runs f with another context of the program's interpreter.
func (p *program) beside(ctx context.Context, f func(other *py.Context) error) error {
	other, err := py.New(ctx, py.Options{Name: "beside the program", Grace: time.Nanosecond})
	if err != nil {
		return err
	}
	defer other.Close()
	return f(other)
}
