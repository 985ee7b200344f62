//go:build unix

package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestDoctorKilled checks that the processes that try the imports end with one that can do nothing about it. Each holds a lock for as
// long as it lives.
func TestDoctorKilled(t *testing.T) {
	dir := folder(t, map[string]string{"held": "", "hangs.py": `
import fcntl, pathlib, sys, time
print(sys.stdin.read())
held = open("held")
fcntl.flock(held, fcntl.LOCK_SH)
pathlib.Path("importing").touch()
time.sleep(600)
`})
	cmd := command(t, "doctor", "hangs")
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	until := func(what string, is func() bool) {
		t.Helper()
		for began := time.Now(); !is(); time.Sleep(10 * time.Millisecond) {
			if time.Since(began) > patience/3 {
				t.Fatal(what)
			}
		}
	}
	until("no import has begun", func() bool {
		_, err := os.Stat(filepath.Join(dir, "importing"))
		return err == nil
	})
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	held, err := os.Open(filepath.Join(dir, "held"))
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	until("a process goes on", func() bool { return syscall.Flock(int(held.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil })
}
