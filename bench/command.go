package bench

import (
	osexec "os/exec"

	"github.com/pycontext/py"
)

// commanded is a Python process for each operation.
func commanded(code string, args ...string) subject {
	return subject{execName, func(l *lab) (probe, error) {
		info, err := py.Info()
		if err != nil {
			return nil, err
		}
		return l.timed(repeated(func() error {
			return run(osexec.CommandContext(l.ctx, info.Executable, append([]string{"-I", "-c", code}, args...)...))
		}))
	}}
}
