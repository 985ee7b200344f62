package conformance

import (
	"reflect"
	"testing"
	"time"

	"github.com/pycontext/py"
)

func init() { standardCases = append(standardCases, testCase{"Keys", keys}) }

type (
	gridKey   struct{ X, Y int }
	tupleKey  struct{ X, Y int }
	customKey [2]int
)

// MarshalPython is how a struct that is a key says what is hashable about it.
func (k tupleKey) MarshalPython() (any, error) { return py.Tuple{k.X, k.Y}, nil }

func (k customKey) MarshalPython() (any, error) { return "custom", nil }

// keys has the keys of maps, and items of sets, that are no plain values in Go, or not hashable in Python.
func keys(t *testing.T, s *suite) {
	c := s.openStandard(t, "import collections, dataclasses\nPair = collections.namedtuple('Pair', 'X Y')\n"+
		"@dataclasses.dataclass(frozen=True)\nclass Grid:\n  X: int\n  Y: int")
	for _, k := range []struct {
		v    any
		repr string
	}{
		{map[[2]int]int{{1, 2}: 3}, "{(1, 2): 3}"}, {map[any]int{[2]int{1, 2}: 3}, "{(1, 2): 3}"},
		{map[[1]any]int{{[1]any{"x"}}: 3}, "{(('x',),): 3}"}, {map[any]int{[2]byte{'a', 'b'}: 3}, "{b'ab': 3}"},
		{py.Dict{{Key: [1][1]string{{"x"}}, Value: 1}}, "{(('x',),): 1}"},
		{py.Set{[1]int{1}}, "{(1,)}"}, {py.FrozenSet{py.Tuple{[]byte("x"), py.FrozenSet{}}}, "frozenset({(b'x', frozenset())})"},
		{map[any]struct{}{[1]int{1}: {}}, "{(1,)}"}, {map[tupleKey]int{{1, 2}: 3}, "{(1, 2): 3}"},
		{map[any]int{tupleKey{1, 2}: 3}, "{(1, 2): 3}"}, {map[[1]tupleKey]int{{{1, 2}}: 3}, "{((1, 2),): 3}"},
		{map[customKey]int{{}: 3}, "{'custom': 3}"}, {map[any]int{customKey{}: 3}, "{'custom': 3}"},
		{map[py.UUID]int{{15: 1}: 3}, "{UUID('00000000-0000-0000-0000-000000000001'): 3}"},
		{map[time.Duration]int{time.Second: 3}, "{datetime.timedelta(seconds=1): 3}"},
	} {
		equal(t, k.repr, eval[string](t, c, "repr(v)", py.Vars{"v": k.v}), k.repr)
	}
	for _, k := range []struct {
		v           any
		place, says string
	}{
		{map[gridKey]int{{1, 2}: 3}, `vars["v"].keys(): a dict is not hashable`, "MarshalPython"},
		{map[any]int{gridKey{1, 2}: 3}, `vars["v"].keys(): a dict is not hashable`, "converter"},
		{map[gridKey]struct{}{{1, 2}: {}}, `vars["v"].keys(): a dict is not hashable`, "py.Tuple"},
		{map[[1]gridKey]int{{{1, 2}}: 3}, `vars["v"].keys(): in a tuple, a dict is not hashable`, "py.Tuple"},
		{map[*gridKey]int{{1, 2}: 3}, `vars["v"].keys(): a dict is not hashable`, "py.Tuple"},
		{py.Set{1, []int{1}}, `vars["v"][1]: a list is not hashable`, "Go array"},
		{py.Set{py.Set{}}, `vars["v"][0]: a set is not hashable`, "py.FrozenSet"},
		{py.Set{py.Tuple{1, py.Tuple{[]int{1}}}}, `vars["v"][0]: in a tuple, a list is not hashable`, "Go array"},
		{py.Dict{{Key: py.ByteArray("x"), Value: 1}}, `vars["v"].keys(): a bytearray is not hashable`, "bytes"},
	} {
		err := discardValue(c.Eval(limit(t), "v", py.Vars{"v": k.v}))
		if !isConversion(err) {
			t.Errorf("%T: got %v, want a ConversionError", k.v, err)
			continue
		}
		contains(t, k.place, err.Error(), k.place, k.says)
	}
	for _, expr := range []string{"{Pair(1, 2): 3}", "{Grid(1, 2): 3}"} {
		if got := eval[map[gridKey]int](t, c, expr); !reflect.DeepEqual(got, map[gridKey]int{{1, 2}: 3}) {
			t.Errorf("%s: got %v", expr, got)
		}
	}
	if err := py.RegisterConverter[gridKey](limit(t), c, "__main__", "Grid", py.Converter{To: "dataclasses.asdict", From: "lambda d: Grid(**d)"}); err != nil {
		t.Fatal(err)
	}
	equal(t, "with a converter", eval[string](t, c, "repr(v)", py.Vars{"v": map[gridKey]int{{1, 2}: 3}}), "{Grid(X=1, Y=2): 3}")
	equal(t, "with a converter, in a set", eval[string](t, c, "repr(v)", py.Vars{"v": py.Set{gridKey{1, 2}}}), "{Grid(X=1, Y=2)}")
}
