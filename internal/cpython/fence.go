//go:build !race

package cpython

// fence orders Go memory for the race detector, which does not see the ordering that C memory gives.
type fence struct{}

func (*fence) out() {}
func (*fence) in()  {}
