// Command pyctx runs Python functions, scripts and expressions in contexts of this process, with a Python that it
// brings along. See pyctx --help.
package main

import "os"

func main() {
	command, err := newRoot().ExecuteC()
	os.Exit(report(os.Stderr, command.CommandPath(), err))
}
