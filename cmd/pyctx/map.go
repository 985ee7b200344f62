package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pycontext/py"
)

const mapHelp = `map calls FUNC of FILE.py for every line of the inputs and prints what it returns, one line of JSON for each, in the
order of the inputs. Without INPUT, or for "-", it reads standard input.

FUNC is called with one argument: the line as JSON (default), the line as text (--text), or each INPUT itself, which
is then a file name (--files; names on standard input are one a line). FUNC may be dotted (Class.method). Empty lines
are skipped.

FILE.py is loaded once in each of the N contexts, as a module with its file's name; its folder is on sys.path. What the
function and its child processes print goes to standard error, and they find nothing on a standard input with items.
However long the input, no more than some thousand items and 64 MiB of them are held at a time.

An item fails if FUNC raises, takes longer than --timeout, or returns what is not JSON. It is reported with its place
and traceback on standard error, has no line in the output, and the others go on, unless --fail-fast is given: then
what comes before it is still put out, and what comes behind it is dropped.

Ctrl-C stops at once and tells up to which line the output is complete; a second one kills the process.`

func newMap(g *global) *cobra.Command {
	j := &mapJob{}
	var mode modeFlag
	var text, files, quiet, noProgress, unordered bool
	cmd := &cobra.Command{
		Use:   "map [flags] FILE.py:FUNC [INPUT...]",
		Short: "Call a Python function for every line of the inputs, in parallel",
		Long:  mapHelp + "\n" + statusHelp,
		Example: `  pyctx map examples/primes.py:count examples/ranges.jsonl
  tail -f events.jsonl | pyctx map --unordered clean.py:clean > clean.jsonl
  pyctx map --text --timeout 2s parse.py:parse *.log
  pyctx map --files --workers 4 thumbnail.py:make photos/*.jpg`,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("there is nothing to call: name FILE.py:FUNC, such as primes.py:count")
			}
			if text && files {
				return errors.New("--text and --files exclude each other: an item is a line or a file name")
			}
			if err := j.target(args[0]); err != nil {
				return err
			}
			if j.workers < 1 {
				return fmt.Errorf("--workers is %d: it must be at least 1", j.workers)
			}
			if j.timeout < 0 {
				return fmt.Errorf("--timeout is %v: it must not be negative", j.timeout)
			}
			j.mode = mode.Mode
			j.input = newInput(kindOf(text, files), args[1:])
			if err := j.input.check(); err != nil {
				return &exit{statusUsage, err}
			}
			j.ordered, j.quiet, j.bar = !unordered, quiet, !quiet && !noProgress
			return j.main(g)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&text, "text", false, "a line is text, not JSON")
	flags.BoolVar(&files, "files", false, "each INPUT is a file name for the function")
	flags.IntVarP(&j.workers, "workers", "j", runtime.GOMAXPROCS(0), "how many contexts run")
	addModeFlag(cmd, &mode, py.OwnGIL)
	flags.BoolVar(&unordered, "unordered", false, "print results as they come")
	flags.DurationVar(&j.timeout, "timeout", 0, "let an item fail after this time, such as 1.5s")
	flags.BoolVar(&j.failFast, "fail-fast", false, "stop at the first item that fails")
	flags.BoolVarP(&quiet, "quiet", "q", false, "print failures only: no progress, no summary")
	flags.BoolVar(&noProgress, "no-progress", false, "show no progress bar")
	return cmd
}

func kindOf(text, files bool) kind {
	switch {
	case text:
		return textLines
	case files:
		return fileNames
	}
	return jsonLines
}

// target takes FILE.py:FUNC apart.
func (j *mapJob) target(s string) error {
	colon := strings.LastIndexByte(s, ':')
	if colon < 1 || colon == len(s)-1 {
		return fmt.Errorf("%q is not FILE.py:FUNC: name a file and a function in it, such as primes.py:count", s)
	}
	j.file, j.function = s[:colon], s[colon+1:]
	if err := openable(j.file); err != nil {
		return &exit{statusUsage, err}
	}
	if info, err := os.Stat(j.file); err == nil && info.IsDir() {
		return &exit{statusUsage, fmt.Errorf("%s is a folder, not a Python file", j.file)}
	}
	path, err := filepath.Abs(j.file)
	j.path = path
	return asFailure(err)
}

// rate is a number of items per second for people.
func rate(items int64, elapsed time.Duration) string {
	if items == 0 || elapsed <= 0 {
		return "0 items/s"
	}
	r := float64(items) / elapsed.Seconds()
	switch {
	case r >= 100:
		return fmt.Sprintf("%.0f items/s", r)
	case r >= 1:
		return fmt.Sprintf("%.1f items/s", r)
	default:
		return fmt.Sprintf("%.1f s/item", 1/r)
	}
}
