//go:build !unix

package main

import "os"

func apart(stream, _ *os.File) (*os.File, error) { return stream, nil }
