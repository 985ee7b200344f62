package main

import "os"

// stdinApart keeps standard input for this program alone: whoever else reads it finds nothing.
func stdinApart() (*os.File, error) {
	nothing, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer nothing.Close()
	return apart(os.Stdin, nothing)
}
