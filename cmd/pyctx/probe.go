package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/pycontext/py"
)

const probeCommand = "probe-import"

// prober tries imports in one mode, in processes of their own.
type prober struct {
	python string
	mode   string
	limit  time.Duration
}

// probe runs this program again, as the hidden command below, and reads its report or what is left of it.
func (p prober) probe(ctx context.Context, module string) importReport {
	report := importReport{Mode: p.mode}
	path, err := os.Executable()
	if err != nil {
		report.Error = err.Error()
		return report
	}
	ctx, cancel := context.WithTimeout(ctx, p.limit)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, path, probeCommand, "--python", p.python, "--mode", p.mode, "--", module)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second
	if _, err := cmd.StdinPipe(); err != nil { // its end is that of the process, and of this one
		report.Error = err.Error()
		return report
	}
	err = cmd.Run()
	answer, found := answerIn(stdout.Bytes())
	switch {
	case ctx.Err() != nil:
		report.Error = fmt.Sprintf("the import takes longer than %v", p.limit)
	case found:
		report = answer
	default:
		report.Crash, report.Error = crashOf(err, stderr.String())
	}
	return report
}

// mark stands before the report, as a module may print what it likes.
const mark = "\x00pyctx-report:"

func answerIn(output []byte) (report importReport, found bool) {
	_, text, found := bytes.Cut(output, []byte(mark))
	if !found {
		return report, false
	}
	return report, json.NewDecoder(bytes.NewReader(text)).Decode(&report) == nil
}

var (
	goSignal = regexp.MustCompile(`(?m)^(?:\[signal )?(SIG[A-Z]+)`)
	// faulthandler lists the Python frames of the crash, the innermost first.
	crashFrame = regexp.MustCompile(`(?m)^  File "(.*)", line (\d+) in `)
)

// crashOf tells why a process ended without a report, and where it was. If faulthandler was not there in time, Go's own
// handler ended the process, and printed the signal's name.
func crashOf(err error, stderr string) (crash, where string) {
	if m := crashFrame.FindStringSubmatch(stderr); m != nil {
		where = fmt.Sprintf("in %s, line %s", m[1], m[2])
	}
	var e *exec.ExitError
	if errors.As(err, &e) {
		if status, ok := e.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return status.Signal().String(), where
		}
	}
	if m := goSignal.FindStringSubmatch(stderr); m != nil {
		return m[1], where
	}
	if err == nil {
		return "exit status 0", where
	}
	return err.Error(), where
}

func newProbe(g *global) *cobra.Command {
	var mode modeFlag
	cmd := &cobra.Command{
		Use:    probeCommand + " MODULE",
		Short:  "Import a module, for doctor",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := endWithInput(); err != nil {
				return failed(err)
			}
			report := importReport{Mode: mode.String()}
			report.run(g, mode.Mode, args[0])
			text, err := json.Marshal(report)
			if err != nil {
				return failed(err)
			}
			_, err = fmt.Printf("%s%s\n", mark, text)
			return asFailure(err)
		},
	}
	addModeFlag(cmd, &mode, py.Worker)
	return cmd
}

// endWithInput ends this process when its standard input does: doctor, which holds the other end, may be killed.
func endWithInput() error {
	stdin, err := stdinApart()
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		os.Exit(statusFailed)
	}()
	return nil
}

// importing also notes which extension modules a package does without that it tried to load.
const importing = `
import sys, time, importlib
from importlib.machinery import BuiltinImporter, ExtensionFileLoader
sys.path.insert(0, "")
without = []
def noting(method):
    def load(*args):
        try:
            return method(*args)
        except ImportError as e:
            if e.name and e.name not in without:
                without.append(e.name)
            raise
    return load
BuiltinImporter.create_module = staticmethod(noting(BuiltinImporter.create_module))
for method in "create_module", "exec_module":
    setattr(ExtensionFileLoader, method, noting(getattr(ExtensionFileLoader, method)))
began = time.perf_counter()
imported = importlib.import_module(name)
seconds = time.perf_counter() - began
version = getattr(imported, "__version__", "")
version = version if isinstance(version, str) else ""
`

func (r *importReport) run(g *global, mode py.Mode, module string) {
	ctx := context.Background()
	if err := g.start(py.Config{}); err != nil {
		r.Error = message(err)
		return
	}
	if err := tellCrashes(ctx); err != nil {
		r.Error = message(err)
		return
	}
	c, err := py.New(ctx, py.Options{Mode: mode})
	if err != nil {
		r.Error = message(err)
		return
	}
	if err := c.Exec(ctx, importing, py.Vars{"name": module}); err != nil {
		r.explain(err, mode)
		return
	}
	r.OK = true
	r.Seconds, _ = py.Eval[float64](ctx, c, "seconds")
	r.Version, _ = py.Eval[string](ctx, c, "version")
	r.Without, _ = py.Eval[[]string](ctx, c, "without")
}

// tellCrashes makes a crash print where Python was. That holds for the whole process, but only the main interpreter, the
// one of worker contexts, can ask for it.
func tellCrashes(ctx context.Context) error {
	c, err := py.New(ctx, py.Options{Mode: py.Worker})
	if err != nil {
		return err
	}
	return errors.Join(c.Exec(ctx, "import faulthandler; faulthandler.enable()"), c.Close())
}

func (r *importReport) explain(err error, mode py.Mode) {
	r.Error, _, _ = strings.Cut(strings.TrimSpace(message(err)), "\n")
	var raised *py.Error
	if errors.As(err, &raised) {
		r.Advice = advice(raised, mode)
	}
}
