package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/pycontext/py"
	"github.com/pycontext/py/bench"
)

const benchHelp = `bench measures on this machine, in about a minute, how long the library behind pyctx takes for what one does with it,
and how long other ways from Go to Python take. They take turns, in one run on one Python:

  py         the library
  floor      the same in plain C API on one thread; for latencies, to a sleeping thread and back
  channel    a goroutine locked to a thread and fed by a Go channel, which does what the floor does
  json       a Python process at a Unix socket
  http       a Python process with http.server
  exec       a Python process for each operation
  processes  Python's ProcessPoolExecutor with two workers

Figures are medians. Other programs that run meanwhile make them worse. A checkout has more to measure: make bench.`

func newBench(g *global) *cobra.Command {
	var asJSON bool
	var plot, rows string
	cmd := &cobra.Command{
		Use:   "bench [flags]",
		Short: "Measure on this machine how fast Python is from Go",
		Long:  benchHelp,
		Example: `  pyctx bench
  pyctx bench --plot speed.svg
  pyctx bench --rows callback`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if plot != "" && filepath.Ext(plot) != ".svg" {
				return fmt.Errorf("--plot is %q: it must be the name of an .svg file", plot)
			}
			pattern, err := regexp.Compile(rows)
			if err != nil {
				return fmt.Errorf("--rows is %q: %w", rows, err)
			}
			report, err := measure(cmd.Context(), g, pattern)
			if err != nil {
				return err
			}
			if len(report.Results) == 0 {
				return fmt.Errorf("--rows is %q: there is no such row", rows)
			}
			if err := writeBench(cmd.OutOrStdout(), report, asJSON); err != nil {
				return failed(err)
			}
			if plot != "" { // last, so that what was measured is not lost where that fails
				if err := drawBench(report, plot); err != nil {
					return failedf("cannot draw %s: %w", plot, err)
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&plot, "plot", "", "draw latencies and throughput into this `FILE.svg` too")
	cmd.Flags().StringVar(&rows, "rows", "", "measure only the rows that this `regexp` matches, such as ^requests")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func writeBench(out io.Writer, report bench.Report, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(report)
	}
	return printBench(out, report)
}

// measure runs the short form, until a signal ends it.
func measure(ctx context.Context, g *global, rows *regexp.Regexp) (bench.Report, error) {
	if err := g.start(py.Config{}); err != nil {
		return bench.Report{}, err
	}
	ctx, stop := untilSignal(ctx)
	defer stop()
	report, err := bench.Short(ctx, rows)
	if stopped := bySignal(ctx); stopped != nil {
		return report, stopped
	}
	return report, asFailure(err)
}
