//go:build !linux

package bench

import osexec "os/exec"

func startPinned(*osexec.Cmd) error { return skipped("only Linux lets a program choose its processor") }
