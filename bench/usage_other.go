//go:build !unix

package bench

import "time"

func processorTime() (time.Duration, error) { return 0, skipped("processor time cannot be read here") }
