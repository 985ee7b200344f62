package main

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pycontext/py"
	"github.com/pycontext/py/embedded"
)

const rootHelp = `pyctx runs Python inside one Go process: functions over many inputs in parallel, scripts, and expressions.
It brings CPython ` + embedded.Version + ` along, so the machine needs no Python. To use packages, activate a virtual
environment, or name one (or an interpreter, or a libpython) with --python. The Python that comes along has no pip:
make an environment with "pyctx run -m venv --without-pip env", and install with another pip --python env, or uv.

Modes (--mode), where a context is one Python with a thread of its own:
  owngil     an interpreter and a lock of its own: contexts run truly in parallel. Needs CPython 3.14.
             Many extension modules do not load in it yet, numpy among them: see "pyctx doctor numpy".
  subinterp  an interpreter of its own, one lock for all. Needs CPython 3.12.
  worker     the main interpreter, one lock for all: every package works.

Environment:
  PYCTX_PYTHON  the Python to use, as --python     VIRTUAL_ENV  an active virtual environment
  PYTHONPATH    folders in front of sys.path       PYCTX_CACHE  where the bundled Python is unpacked
  Python's other variables and the user's own site-packages are not looked at.`

const statusHelp = `
Exit status:
  0  all went well    1  something failed    2  the command line is wrong
  130  Ctrl-C         143  SIGTERM           141  the reader of standard output is gone`

// global are the flags of every command.
type global struct{ python string }

func newRoot() *cobra.Command {
	g := &global{}
	root := &cobra.Command{
		Use:           "pyctx",
		Short:         "Run Python in parallel inside one process",
		Long:          rootHelp + "\n" + statusHelp,
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Example: `  pyctx map examples/primes.py:count examples/ranges.jsonl
  pyctx run -m http.server 8000
  pyctx eval 'sum(x) / len(x)' --var 'x=[1, 2, 3]'
  pyctx doctor numpy`,
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.PersistentFlags().StringVar(&g.python, "python", "",
		"the Python to use: an interpreter, a virtual environment or a libpython `path`")
	root.SetFlagErrorFunc(plainly)
	root.AddCommand(newMap(g), newRun(g), newEval(g), newDoctor(g), newBench(g), newProbe(g), newVersion())
	failForUnknownTopics(root)
	return root
}

// failForUnknownTopics lets "pyctx help frob" be the mistake that "pyctx frob" is; cobra's own prints all the help there is.
func failForUnknownTopics(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	help, _, _ := root.Find([]string{"help"})
	help.Run = nil
	help.RunE = func(_ *cobra.Command, args []string) error {
		topic, _, err := root.Find(args)
		if err != nil {
			return err
		}
		topic.InitDefaultHelpFlag()
		return topic.Help()
	}
}

// plainly says what is wrong with the value of a flag, without the name of the Go function that found out.
func plainly(_ *cobra.Command, err error) error {
	var invalid *pflag.InvalidValueError
	var number *strconv.NumError
	if errors.As(err, &invalid) && errors.As(err, &number) {
		return fmt.Errorf("invalid argument %q for --%s: it must be a whole number", invalid.GetValue(), invalid.GetFlag().Name)
	}
	return err
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions of pyctx and of its bundled Python",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), version())
			return asFailure(err)
		},
	}
}

func version() string {
	own := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		own = info.Main.Version
	}
	return fmt.Sprintf("pyctx %s, bundled CPython %s, %s %s/%s", own, embedded.Version, runtime.Version(), runtime.GOOS,
		runtime.GOARCH)
}

func asFailure(err error) error {
	if err == nil {
		return nil
	}
	return failed(err)
}

// modeFlag is a py.Mode as a flag.
type modeFlag struct{ py.Mode }

func (m *modeFlag) Set(s string) (err error) {
	m.Mode, err = py.ParseMode(s)
	if err != nil {
		err = fmt.Errorf("it must be worker, subinterp or owngil")
	}
	return err
}

func (m *modeFlag) Type() string { return "mode" }

func addModeFlag(cmd *cobra.Command, m *modeFlag, usual py.Mode) {
	m.Mode = usual
	cmd.Flags().Var(m, "mode", "worker, subinterp or owngil")
	_ = cmd.RegisterFlagCompletionFunc("mode",
		cobra.FixedCompletions([]string{"worker", "subinterp", "owngil"}, cobra.ShellCompDirectiveNoFileComp))
}
