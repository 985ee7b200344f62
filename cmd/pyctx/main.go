// Command pyctx runs Python functions, scripts and expressions in contexts of this process, with a Python that it
// brings along. See pyctx --help.
package main

import "os"

func main() {
	out := &printed{to: os.Stdout}
	root := newRoot()
	root.SetOut(out)
	command, err := root.ExecuteC()
	if out.err != nil {
		err = out.failure()
	}
	os.Exit(report(os.Stderr, command.CommandPath(), err))
}
