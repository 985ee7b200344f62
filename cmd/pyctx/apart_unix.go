//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// apart keeps a standard stream for this program alone. Whoever else uses its number, such as child processes and code in
// C, gets another file.
func apart(stream, instead *os.File) (*os.File, error) {
	own, err := unix.FcntlInt(stream.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err == nil {
		err = unix.Dup2(int(instead.Fd()), int(stream.Fd()))
	}
	if err != nil {
		return nil, os.NewSyscallError("dup", err)
	}
	return os.NewFile(uintptr(own), stream.Name()), nil
}
