//go:build !linux

package main

import osexec "os/exec"

func startPinned(*osexec.Cmd) error { return skipped("only Linux lets a program choose its processor") }
