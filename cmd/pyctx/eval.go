package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pycontext/py"
)

const evalHelp = `eval evaluates a Python expression and prints its value as JSON. Each --var gives it a variable: JSON if the value
reads as JSON, text if not. Modules come with __import__: "__import__('math').sqrt(x)".`

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
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			pairs, err := splitVars(vars)
			if err != nil {
				return err
			}
			p := &program{mode: mode.Mode, files: []string{"values.py", "ending.py", "script.py"}}
			p.call = func(ctx context.Context, c *py.Context) (int, error) {
				return py.Call[int](ctx, c, module, "evaluate", args[0], pairs, text)
			}
			return p.main(g)
		},
	}
	cmd.Flags().StringArrayVar(&vars, "var", nil, "a variable, as `NAME=VALUE`; may be repeated")
	cmd.Flags().BoolVar(&text, "text", false, "print str(value), not JSON")
	addModeFlag(cmd, &mode, py.Worker)
	return cmd
}

func splitVars(vars []string) ([][]string, error) {
	pairs := [][]string{}
	for _, v := range vars {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("--var %q is not NAME=VALUE", v)
		}
		pairs = append(pairs, []string{name, value})
	}
	return pairs, nil
}
