package conformance

import (
	"reflect"
	"testing"
	"time"

	"github.com/pycontext/py"
)

func init() { standardCases = append(standardCases, testCase{"MisfitNone", misfitNone}) }

// noneAs has None where a T is wanted, which is no pointer or the like.
func noneAs[T any](t *testing.T, c *py.Context) {
	what := "None as a " + reflect.TypeFor[T]().String()
	err := discardValue(py.Eval[T](limit(t), c, "None"))
	if !isConversion(err) {
		t.Errorf("%s: got %v, want a ConversionError", what, err)
		return
	}
	contains(t, what, err.Error(), "expected", "got None")
	err = discardValue(py.Eval[map[string]T](limit(t), c, "{'a': None}"))
	contains(t, what, err.Error(), `result["a"]: expected`, "got None")
}

func misfitNone(t *testing.T, s *suite) {
	c := s.open(t)
	noneAs[bool](t, c)
	noneAs[int](t, c)
	noneAs[float64](t, c)
	noneAs[string](t, c)
	noneAs[struct{ X int }](t, c)
	noneAs[[2]int](t, c)
	noneAs[[2]byte](t, c)
	noneAs[complex128](t, c)
	noneAs[complex64](t, c)
	noneAs[py.Date](t, c)
	noneAs[py.TimeOfDay](t, c)
	noneAs[py.DateTime](t, c)
	noneAs[time.Time](t, c)
	noneAs[time.Duration](t, c)
	noneAs[py.Decimal](t, c)
	noneAs[py.UUID](t, c)
	noneAs[py.Path](t, c)
	noneAs[py.Range](t, c)
	noneAs[py.Slice](t, c)
	noneAs[py.Array[int]](t, c)
	equal(t, "a bytearray", eval[py.ByteArray](t, c, "None") == nil, true)
	equal(t, "a pointer", eval[*time.Time](t, c, "None") == nil, true)
	register(t, c, "at", func(at time.Time, n int) {})
	raises(t, "an argument", discardValue(c.Eval(limit(t), "__import__('go').at(None, 1)")), "TypeError")
	err := discardValue(py.Eval[[]py.Array[int8]](limit(t), c, "[__import__('array').array('i', [1, 300])]"))
	contains(t, "an item of an array", err.Error(), "result[0][1]: 300 does not fit int8")
}
