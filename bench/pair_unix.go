//go:build unix

package bench

import (
	"net"
	"os"
	"syscall"
)

// socketPair is two Unix sockets that are connected, one for this process and one for a child. They have no names, whose length
// the system limits: folders for temporary files may have longer ones.
func socketPair() (own net.Conn, childs *os.File, err error) {
	syscall.ForkLock.RLock()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(pair[0])
		syscall.CloseOnExec(pair[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	file := os.NewFile(uintptr(pair[0]), "socket")
	defer file.Close()
	childs = os.NewFile(uintptr(pair[1]), "socket")
	if own, err = net.FileConn(file); err != nil {
		_ = childs.Close()
	}
	return own, childs, err
}
