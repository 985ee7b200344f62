package bench

import "testing"

// Items are a million for each operation.
func BenchmarkStream(b *testing.B)      { benchmark(b, streamSource, stream) }
func BenchmarkStreamFloor(b *testing.B) { benchmark(b, streamSource, exhaust) }
