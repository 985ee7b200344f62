package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pycontext/py"
)

const evalHelp = `eval evaluates a Python expression and prints its value as JSON. Each --var gives it a variable: JSON if the value
reads as JSON, text if not. Modules come with __import__: "__import__('math').sqrt(x)". An expression that begins with
- goes behind --.`

func newEval(g *global) *cobra.Command {
	var mode modeFlag
	var vars []string
	var text bool
	cmd := &cobra.Command{
		Use:   "eval [flags] EXPR",
		Short: "Evaluate a Python expression and print its value as JSON",
		Long:  evalHelp,
		Example: `  pyctx eval '2 ** 1000'
  pyctx eval 'sorted(x, key=len)' --var 'x=["ccc", "a"]'
  pyctx eval 'name.title()' --var name=ada --text`,
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case strings.TrimSpace(strings.Join(args, "")) == "":
				return errors.New("there is no expression")
			case len(args) > 1:
				return fmt.Errorf("there are %d expressions, and one is evaluated: quote it for the shell", len(args))
			}
			pairs, err := splitVars(vars)
			if err != nil {
				return err
			}
			p := &program{mode: mode.Mode, files: []string{"values.py", "ending.py", "script.py"}}
			p.call = func(ctx context.Context, c *py.Context) (int, error) {
				return py.Call[int](ctx, c, module, "evaluate", []byte(args[0]), pairs, text)
			}
			return p.main(g)
		},
	}
	cmd.Flags().StringArrayVar(&vars, "var", nil, "a variable, as `NAME=VALUE`; may be repeated")
	cmd.Flags().BoolVar(&text, "text", false, "print str(value), not JSON")
	addModeFlag(cmd, &mode, py.Worker)
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		var unknown *pflag.NotExistError
		if errors.As(err, &unknown) {
			return fmt.Errorf("%w (an expression that begins with - goes behind --)", err)
		}
		return plainly(cmd, err)
	})
	return cmd
}

var variableName = regexp.MustCompile(`^[\pL_][\pL\pM\pN_]*$`)

func splitVars(vars []string) ([][][]byte, error) {
	pairs := [][][]byte{}
	for _, v := range vars {
		name, value, ok := strings.Cut(v, "=")
		if !ok || !variableName.MatchString(name) {
			return nil, fmt.Errorf("--var %q is not NAME=VALUE, such as x=5", v)
		}
		pairs = append(pairs, asBytes([]string{name, value}))
	}
	return pairs, nil
}
