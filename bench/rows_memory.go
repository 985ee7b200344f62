package bench

import (
	"context"
	"sync"

	"github.com/pycontext/py"
)

const (
	largeSize   = 64 << 20
	largeSource = `
import zlib
data = bytes(64 << 20)
def of_python(_): return zlib.adler32(data)
`
)

var largeData = sync.OnceValue(func() []byte { return make([]byte, largeSize) })

// largeRows are data that Python works on where it is. The floor is data that Python has already, or next to none.
func largeRows() []row {
	return []row{
		{
			name: "64 MiB lent to Python, against 64 bytes", unit: nanoseconds, goal: goal{limit: 5000, beyond: true},
			of: []subject{lending(ours, "builtins", "len", largeData), lending(floorName, "builtins", "len", fewBytes)},
		},
		{
			name: "64 MiB lent to Python, and a checksum of them", unit: nanoseconds,
			of: []subject{lending(ours, "zlib", "adler32", largeData), lending(floorName, "__main__", "of_python", fewBytes)},
		},
	}
}

func fewBytes() []byte { return make([]byte, 64) }

// lending calls a function with data that is lent.
func lending(name, module, function string, data func() []byte) subject {
	return subject{name, func(l *lab) (probe, error) {
		lent := py.Lend(data())
		return on(ownLock, largeSource, func(ctx context.Context, c *py.Context) error {
			_, err := py.Call[int](ctx, c, module, function, lent)
			return err
		}).timed().open(l)
	}}
}
