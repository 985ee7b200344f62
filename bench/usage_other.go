//go:build !unix

package main

import "time"

func processorTime() (time.Duration, error) { return 0, skipped("processor time cannot be read here") }
