package py

import (
	"fmt"

	"github.com/pycontext/py/internal/wire"
)

// Limits bound what a value from Python may be: a result, or an argument of a Go function. They hold before memory is taken
// for it, so that no Python code can make Go run out of it by mistake or on purpose. A value beyond one is a
// [ConversionError], or for an argument a TypeError in Python, that names the limit, and for which errors.Is(err, ErrLimit)
// holds. The arguments of one call of a Go function count together, as one value does, whatever they are to its parameters. What
// stays in Python, as an [Object], has no limits. Zero stands for the default, which no ordinary program meets.
type Limits struct {
	// Depth is how many containers may lie inside one another, each dimension of an array being one. Default and maximum: 1000.
	Depth int
	// Bytes is how large a value may be on its way, which is about the size of its texts and bytes and up to nine bytes for
	// each number. Default: 2 GiB.
	Bytes int64
	// Items is how many items the containers in a value may have together, an entry of a dict and an attribute that becomes a
	// field being one. The numbers of an Array count where Items is set. Default: 100 million.
	Items int64
}

const (
	defaultBytes = 2 << 30
	defaultItems = 100_000_000
)

func (l Limits) check() error {
	if l.Depth < 0 || l.Depth > wire.MaxDepth {
		return fmt.Errorf("py: Options.Limits.Depth is %d: it must be from 1 to %d, or 0 for that", l.Depth, wire.MaxDepth)
	}
	if l.Bytes < 0 || l.Items < 0 {
		return fmt.Errorf("py: Options.Limits are %d bytes and %d items: they must not be negative", l.Bytes, l.Items)
	}
	return nil
}

func (l Limits) orDefault() (depth int, bytes, items uint64) {
	if l.Depth == 0 {
		l.Depth = wire.MaxDepth
	}
	if l.Bytes == 0 {
		l.Bytes = defaultBytes
	}
	if l.Items == 0 {
		l.Items = defaultItems
	}
	return l.Depth, uint64(l.Bytes), uint64(l.Items)
}
