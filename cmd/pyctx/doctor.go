package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/pycontext/py"
)

const doctorHelp = `doctor tells which Python was found and how, and which modes it supports. For each MODULE it tries an import in
each mode, every one in a process of its own, since a broken extension module can take its process along.

The exit status is 1 if no Python can be used, or if a MODULE loads in none of the modes.`

// diagnosis is what doctor finds. With --json it is printed as it is.
type diagnosis struct {
	Error        string         `json:"error,omitempty"` // there is no usable Python, and nothing below
	Version      string         `json:"version,omitempty"`
	Source       string         `json:"source,omitempty"`
	PassedOver   []string       `json:"passed_over,omitempty"`
	Library      string         `json:"library,omitempty"`
	Executable   string         `json:"executable,omitempty"`
	Home         string         `json:"home,omitempty"`
	Venv         string         `json:"venv,omitempty"`
	FreeThreaded bool           `json:"free_threaded"`
	Modes        []modeReport   `json:"modes,omitempty"`
	Modules      []moduleReport `json:"modules,omitempty"`
}

type modeReport struct {
	Mode      string `json:"mode"`
	Supported bool   `json:"supported"`
	Reason    string `json:"reason,omitempty"` // why not
}

type moduleReport struct {
	Module  string         `json:"module"`
	Imports []importReport `json:"imports"` // one for each supported mode
}

// importReport is how the import of one module in one mode went.
type importReport struct {
	Mode    string   `json:"mode"`
	OK      bool     `json:"ok"`
	Seconds float64  `json:"seconds"`           // of the import alone
	Version string   `json:"version,omitempty"` // the module's __version__
	Without []string `json:"without,omitempty"` // extension modules that did not load, which it did not mind
	Error   string   `json:"error,omitempty"`   // first line
	Crash   string   `json:"crash,omitempty"`   // the signal that ended the process
	Advice  string   `json:"advice,omitempty"`
}

func newDoctor(g *global) *cobra.Command {
	var asJSON bool
	var limit time.Duration
	cmd := &cobra.Command{
		Use:   "doctor [flags] [MODULE...]",
		Short: "Tell which Python is used, and which modules load in which mode",
		Long:  doctorHelp,
		Example: `  pyctx doctor
  pyctx doctor numpy pandas
  pyctx doctor --python .venv --json numpy`,
		RunE: func(cmd *cobra.Command, modules []string) error {
			if err := checkModules(modules); err != nil {
				return err
			}
			if limit <= 0 {
				return fmt.Errorf("--timeout is %v: it must be more than 0", limit)
			}
			d := diagnose(g)
			if d.Error == "" {
				ctx, stop := untilSignal(cmd.Context()) // which ends the processes that try the imports
				defer stop()
				d.Modules = probeAll(ctx, d.probers(g, limit), modules)
				if stopped := bySignal(ctx); stopped != nil {
					return stopped
				}
			}
			if err := d.write(cmd.OutOrStdout(), asJSON); err != nil {
				return failed(err)
			}
			return silent(d.status())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().DurationVar(&limit, "timeout", time.Minute, "how long an import may take")
	return cmd
}

func diagnose(g *global) *diagnosis {
	if err := g.start(py.Config{}); err != nil {
		return &diagnosis{Error: message(err)}
	}
	info, err := py.Info()
	if err != nil {
		return &diagnosis{Error: message(err)}
	}
	d := &diagnosis{
		Version:      info.Version,
		Source:       info.Source,
		PassedOver:   info.PassedOver,
		Library:      info.Library,
		Executable:   info.Executable,
		Home:         info.Home,
		Venv:         info.Venv,
		FreeThreaded: info.FreeThreaded,
	}
	for _, m := range []py.Mode{py.Worker, py.Subinterp, py.OwnGIL} {
		d.Modes = append(d.Modes, tryMode(m))
	}
	return d
}

// tryMode makes a context, which is the best evidence that one can be made.
func tryMode(m py.Mode) modeReport {
	c, err := py.New(context.Background(), py.Options{Mode: m})
	if err != nil {
		return modeReport{Mode: m.String(), Reason: message(err)}
	}
	_ = c.Close()
	return modeReport{Mode: m.String(), Supported: true}
}

// probers are those of the supported modes.
func (d *diagnosis) probers(g *global, limit time.Duration) []prober {
	var all []prober
	for _, m := range d.Modes {
		if m.Supported {
			all = append(all, prober{python: g.python, mode: m.Mode, limit: limit})
		}
	}
	return all
}

// probeAll tries the imports, as many at a time as there are processors.
func probeAll(ctx context.Context, probers []prober, modules []string) []moduleReport {
	reports := make([]moduleReport, len(modules))
	slots := make(chan struct{}, runtime.NumCPU())
	var group sync.WaitGroup
	for i, module := range modules {
		reports[i] = moduleReport{Module: module, Imports: make([]importReport, len(probers))}
		for k, p := range probers {
			group.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				reports[i].Imports[k] = p.probe(ctx, module)
			})
		}
	}
	group.Wait()
	for _, m := range reports {
		m.advise()
	}
	return reports
}

// advise adds what to do about a mode that a module does not load in, while it does in worker contexts.
func (m moduleReport) advise() {
	worker := slices.ContainsFunc(m.Imports, func(i importReport) bool { return i.Mode == py.Worker.String() && i.OK })
	for k := range m.Imports {
		if i := &m.Imports[k]; worker && i.Advice == "" && (!i.OK || len(i.Without) > 0) && i.Mode != py.Worker.String() {
			i.Advice = "all of it loads in mode worker: use --mode worker (py.Worker)"
		}
	}
}

func (d *diagnosis) status() int {
	if d.Error != "" {
		return statusFailed
	}
	for _, m := range d.Modules {
		if !m.loads() {
			return statusFailed
		}
	}
	return 0
}

func (m moduleReport) loads() bool {
	for _, i := range m.Imports {
		if i.OK {
			return true
		}
	}
	return false
}

func (d *diagnosis) write(w io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(d)
	}
	return d.print(w)
}

var moduleName = regexp.MustCompile(`^[\pL_][\pL\pN_]*(\.[\pL_][\pL\pN_]*)*$`)

func checkModules(modules []string) error {
	for _, m := range modules {
		if !moduleName.MatchString(m) {
			return fmt.Errorf("%q is no name of a module, such as numpy or os.path", m)
		}
	}
	return nil
}
