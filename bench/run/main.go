// Command run measures all that package bench knows of and prints a table. README.md of bench has its flags.
package main

import "github.com/pycontext/py/bench"

func main() { bench.Main() }
