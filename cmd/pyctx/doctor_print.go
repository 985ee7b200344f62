package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// print is for people: first the Python, then its modes, then a table of modules with what is wrong below it.
func (d *diagnosis) print(w io.Writer) error {
	if d.Error != "" {
		_, err := fmt.Fprintf(w, "No Python can be used:\n%s\n", d.Error)
		return err
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	d.printPython(t)
	d.printModules(t)
	if err := t.Flush(); err != nil {
		return err
	}
	for _, m := range d.Modules {
		m.printProblems(w)
	}
	return nil
}

// sources says what the library's short names mean.
var sources = map[string]string{
	"Config.Python": "asked for with --python",
	"PYCTX_PYTHON":  "asked for with PYCTX_PYTHON",
	"VIRTUAL_ENV":   "the active virtual environment (VIRTUAL_ENV)",
	"bundled":       "bundled with pyctx",
	"PATH":          "found on PATH",
}

func (d *diagnosis) printPython(w io.Writer) {
	build := ""
	if d.FreeThreaded {
		build = ", free-threaded"
	}
	found := d.Source
	if text := sources[found]; text != "" {
		found = text
	}
	line(w, "Python", "CPython "+d.Version+build)
	line(w, "Found", found)
	for _, passed := range d.PassedOver {
		line(w, "Passed over", strings.ReplaceAll(passed, "\n", "; "))
	}
	line(w, "Library", d.Library)
	line(w, "Executable", d.Executable)
	line(w, "Home", d.Home)
	line(w, "Environment", d.Venv)
	for _, m := range d.Modes {
		verdict := "yes"
		if !m.Supported {
			verdict = "no: " + m.Reason
		}
		line(w, "Mode "+m.Mode, verdict)
	}
}

func line(w io.Writer, name, value string) {
	if value != "" {
		fmt.Fprintf(w, "%s\t%s\n", name, value)
	}
}

func (d *diagnosis) printModules(w io.Writer) {
	if len(d.Modules) == 0 {
		return
	}
	fmt.Fprint(w, "\nModule")
	for _, i := range d.Modules[0].Imports {
		fmt.Fprintf(w, "\t%s", i.Mode)
	}
	fmt.Fprintln(w)
	for _, m := range d.Modules {
		fmt.Fprint(w, strings.TrimSpace(m.Module+" "+m.version()))
		for _, i := range m.Imports {
			fmt.Fprintf(w, "\t%s", i.verdict())
		}
		fmt.Fprintln(w)
	}
}

func (m moduleReport) version() string {
	for _, i := range m.Imports {
		if i.Version != "" {
			return i.Version
		}
	}
	return ""
}

func (i importReport) verdict() string {
	switch {
	case i.OK:
		return fmt.Sprintf("ok, %v", time.Duration(i.Seconds*float64(time.Second)).Round(100*time.Microsecond))
	case i.Crash != "":
		return "CRASH"
	}
	return "no"
}

// printProblems says each thing once, with the modes that it is true of.
func (m moduleReport) printProblems(w io.Writer) {
	modes := map[string][]string{}
	var order []string
	for _, i := range m.Imports {
		text := i.problem()
		if text == "" {
			continue
		}
		if modes[text] == nil {
			order = append(order, text)
		}
		modes[text] = append(modes[text], i.Mode)
	}
	for _, text := range order {
		fmt.Fprintf(w, "\n%s in %s: %s\n", m.Module, strings.Join(modes[text], ", "), text)
	}
}

func (i importReport) problem() string {
	text := i.Error
	if i.Crash != "" {
		text = strings.TrimSpace("it ended its process: " + i.Crash + " " + i.Error)
	}
	if len(i.Without) > 0 {
		text = "it goes without what does not load here, and may be slower or fail in use: " + strings.Join(i.Without, ", ")
	}
	if i.Advice != "" {
		text += "\n  " + i.Advice
	}
	return text
}
