package handle

import (
	"sync"
	"testing"
)

func TestNumbers(t *testing.T) {
	var table Table[int]
	if v := table.Find(0); v != nil {
		t.Errorf("0 has the value %v in an empty table", *v)
	}
	seen := map[uint64]bool{0: true}
	for round := range 3 {
		numbers := make([]uint64, 100)
		for i := range numbers {
			numbers[i] = table.Add(&i)
			if seen[numbers[i]] {
				t.Fatalf("round %d gives %#x again", round, numbers[i])
			}
			seen[numbers[i]] = true
		}
		for i, n := range numbers {
			if v := table.Find(n); v == nil || *v != i {
				t.Fatalf("%#x has the value %v, want %d", n, v, i)
			}
			if v := table.Remove(n); v == nil || *v != i {
				t.Fatalf("the removed value of %#x is %v, want %d", n, v, i)
			}
			if table.Find(n) != nil || table.Remove(n) != nil {
				t.Fatalf("%#x is still in use", n)
			}
		}
	}
	if n := len(*table.slots.Load()); n != 100 {
		t.Errorf("%d slots for 100 values at a time", n)
	}
	for _, n := range []uint64{0, 1, 101, 1<<32 | 1, 1 << 40, ^uint64(0)} {
		if table.Find(n) != nil {
			t.Errorf("%#x is in use", n)
		}
	}
}

// A number never finds the value of another, whoever adds and removes meanwhile.
func TestAtOnce(t *testing.T) {
	type given struct {
		number uint64
		value  *int
	}
	var table Table[int]
	old := make(chan given, 100)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for i := range 20_000 {
				g := given{table.Add(&i), &i}
				if table.Find(g.number) != g.value {
					t.Error("a value is not found")
				}
				select {
				case old <- g:
				case other := <-old:
					if v := table.Find(other.number); v != nil && v != other.value {
						t.Error("a number finds the value of another")
					}
				}
				table.Remove(g.number)
				if table.Find(g.number) != nil {
					t.Error("a value is found after its end")
				}
			}
		})
	}
	group.Wait()
}
