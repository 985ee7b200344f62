package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/pycontext/py"
)

func init() {
	standardCases = append(standardCases,
		testCase{"Marshalers", marshalers}, testCase{"Unmarshalers", unmarshalers}, testCase{"TextAndJSON", textAndJSON},
		testCase{"StructPolicy", structPolicy}, testCase{"ObjectsOnTheWay", objectsOnTheWay})
}

// celsius travels as a str, by a method with a pointer receiver.
type celsius struct{ degrees float64 }

func (c *celsius) MarshalPython() (any, error) {
	if c.degrees < -273 {
		return nil, errCold
	}
	return fmt.Sprintf("%v C", c.degrees), nil
}

func (c *celsius) UnmarshalPython(value any) error {
	if value == nil {
		c.degrees = -1
		return nil
	}
	text, _ := value.(string)
	if _, err := fmt.Sscanf(text, "%f C", &c.degrees); err != nil {
		return errCold
	}
	return nil
}

var errCold = errors.New("too cold")

type loop struct{}

func (l loop) MarshalPython() (any, error) { return []any{l}, nil }

type panicking struct{}

func (panicking) MarshalPython() (any, error)  { panic("in MarshalPython") }
func (*panicking) UnmarshalPython(v any) error { panic("in UnmarshalPython") }

// pair is a Python class of its own: a struct that says otherwise.
type pair struct{ a, b int }

func (p pair) MarshalPython() (any, error) { return py.Tuple{p.a, p.b}, nil }

func marshalers(t *testing.T, s *suite) {
	c := s.open(t)
	repr := func(v any) string { return eval[string](t, c, "repr(v)", py.Vars{"v": v}) }
	equal(t, "a value", repr(celsius{1.5}), "'1.5 C'")
	equal(t, "a pointer", repr(&celsius{1.5}), "'1.5 C'")
	equal(t, "nil", repr((*celsius)(nil)), "None")
	equal(t, "a value receiver", repr([]any{pair{1, 2}, &pair{3, 4}, (*pair)(nil)}), "[(1, 2), (3, 4), None]")
	equal(t, "in a slice", repr([]celsius{{1}}), "['1 C']")
	equal(t, "in a map", repr(map[string]celsius{"a": {1}}), "{'a': '1 C'}")
	equal(t, "as a key", repr(map[pair]int{{1, 2}: 3}), "{(1, 2): 3}")
	equal(t, "in a struct", repr(struct{ T *celsius }{&celsius{1}}), "{'T': '1 C'}")
	register(t, c, "temperature", func() celsius { return celsius{2} })
	equal(t, "from a callback", eval[string](t, c, "__import__('go').temperature()"), "2 C")
	err := discardValue(c.Eval(limit(t), "v", py.Vars{"v": []any{1, celsius{-300}}}))
	is(t, "its error", err, errCold)
	contains(t, "its place", err.Error(), `vars["v"][1]`)
	if err := discardValue(c.Eval(limit(t), "v", py.Vars{"v": loop{}})); !isConversion(err) {
		t.Errorf("one that comes back to itself: %v", err)
	}
	var panicked *py.PanicError
	if err := discardValue(c.Eval(limit(t), "v", py.Vars{"v": panicking{}})); !errors.As(err, &panicked) {
		t.Errorf("one that panicking: %v", err)
	}
	works(t, c)
}

func unmarshalers(t *testing.T, s *suite) {
	c := s.open(t)
	equal(t, "a value", eval[celsius](t, c, "'1.5 C'"), celsius{1.5})
	equal(t, "a pointer", eval[*celsius](t, c, "'1.5 C'"), &celsius{1.5})
	equal(t, "None as a pointer", eval[*celsius](t, c, "None"), (*celsius)(nil))
	equal(t, "None as a value", eval[celsius](t, c, "None"), celsius{-1})
	equal(t, "in a slice", eval[[]celsius](t, c, "['1 C', '2 C']"), []celsius{{1}, {2}})
	equal(t, "in a map", eval[map[string]*celsius](t, c, "{'a': '1 C'}"), map[string]*celsius{"a": {1}})
	equal(t, "in a struct", eval[struct{ T celsius }](t, c, "{'T': '1 C'}").T, celsius{1})
	register(t, c, "degrees", func(v celsius) float64 { return v.degrees })
	equal(t, "as an argument", eval[float64](t, c, "__import__('go').degrees('3 C')"), 3.0)
	err := discardValue(py.Eval[[]celsius](limit(t), c, "['1 C', object()]"))
	is(t, "its error", err, errCold)
	contains(t, "its place", err.Error(), "result[1]")
	var panicked *py.PanicError
	if err := discardValue(py.Eval[panicking](limit(t), c, "1")); !errors.As(err, &panicked) {
		t.Errorf("one that panicking: %v", err)
	}
	works(t, c)
}

type quoted struct{ s string }

func (q quoted) MarshalJSON() ([]byte, error) {
	return []byte(`{"b": 1, "a": [1.5, 10000000000000000000000, null, "` + q.s + `"]}`), nil
}

func textAndJSON(t *testing.T, s *suite) {
	c := s.open(t)
	address := netip.MustParseAddr("10.0.0.1")
	repr := func(v any) string { return eval[string](t, c, "repr(v)", py.Vars{"v": v}) }
	equal(t, "text", repr(py.AsText(address)), "'10.0.0.1'")
	equal(t, "text, of a pointer receiver", repr([]any{py.AsText(*big.NewFloat(1.5)), py.AsText((*big.Float)(nil))}), "['1.5', None]")
	equal(t, "json", repr(py.AsJSON(quoted{"x"})), "{'b': 1, 'a': [1.5, 10000000000000000000000, None, 'x']}")
	equal(t, "as text", eval[py.Text[netip.Addr]](t, c, "'10.0.0.1'").Value, address)
	equal(t, "as text, behind a pointer", eval[py.Text[*big.Float]](t, c, "'1.5'").Value.Cmp(big.NewFloat(1.5)), 0)
	equal(t, "as json", eval[py.JSON[json.RawMessage]](t, c, "{'a': (1, 2.5, None, True, 'x', 10**20)}").Value, json.RawMessage(`{"a":[1,2.5,null,true,"x",100000000000000000000]}`))
	type server struct {
		Address netip.Addr `py:"address,text"`
		More    quoted     `py:"more,json,omitempty"`
	}
	equal(t, "tags", repr(server{address, quoted{"y"}}), "{'address': '10.0.0.1', 'more': {'b': 1, 'a': [1.5, 10000000000000000000000, None, 'y']}}")
	type client struct {
		Address *netip.Addr     `py:"address,text"`
		More    json.RawMessage `py:"more,json"`
	}
	equal(t, "tags, back", eval[client](t, c, "{'address': '10.0.0.1', 'more': [1]}"), client{&address, json.RawMessage("[1]")})
	equal(t, "tags, of an object", eval[client](t, c, "__import__('types').SimpleNamespace(address='10.0.0.1', more={'x': 1})").More, json.RawMessage(`{"x":1}`))
	for what, err := range map[string]error{
		"no text":           discardValue(c.Eval(limit(t), "v", py.Vars{"v": py.AsText(5)})),
		"no str":            discardValue(py.Eval[py.Text[netip.Addr]](limit(t), c, "5")),
		"no address":        discardValue(py.Eval[client](limit(t), c, "{'address': 'x'}")),
		"an object":         discardValue(py.Eval[client](limit(t), c, "{'more': object()}")),
		"bytes":             discardValue(py.Eval[py.JSON[any]](limit(t), c, "b'x'")),
		"NaN":               discardValue(py.Eval[py.JSON[any]](limit(t), c, "float('nan')")),
		"no JSON of a Go":   discardValue(c.Eval(limit(t), "v", py.Vars{"v": py.AsJSON(func() {})})),
		"keys that are int": discardValue(py.Eval[py.JSON[any]](limit(t), c, "{1: 2}")),
	} {
		if !isConversion(err) {
			t.Errorf("%s: %v", what, err)
		}
	}
	contains(t, "the place", discardValue(py.Eval[client](limit(t), c, "{'address': 'x'}")).Error(), "result.address")
}

func structPolicy(t *testing.T, s *suite) {
	c := s.open(t)
	type part struct {
		Price float64 `py:"price,required"`
		Name  string  `py:"name"`
	}
	type order struct {
		_     struct{} `py:",strict"`
		Items []part   `py:"items"`
	}
	equal(t, "all there", eval[order](t, c, "{'items': [{'price': 1.5, 'other': 2}]}").Items, []part{{Price: 1.5}})
	for expr, place := range map[string]string{
		"{'items': [{'price': 1}, {'name': 'x'}]}":                                            "result.items[1].price",
		"{'items': [__import__('types').SimpleNamespace(name='x')]}":                          "result.items[0].price",
		"{'items': [{'price': 1}, {'price': 'x'}]}":                                           "result.items[1].price",
		"{'items': [], 'more': 1}":                                                            `result["more"]`,
		"{1: [], 'items': []}":                                                                "result[1]",
		"{'items': [{type('S', (str,), {})('price'): 1, 'price': 2}]}":                        "",
		"{'items': [{type('S', (str,), {'__hash__': lambda s: 1})('price'): 1, 'price': 2}]}": "result.items[0]",
	} {
		_, err := py.Eval[order](limit(t), c, expr)
		if place == "" {
			equal(t, expr, err, nil) // the two keys are one
			continue
		}
		var bad *py.ConversionError
		if !errors.As(err, &bad) || len(bad.Place) < len(place) || bad.Place[:len(place)] != place {
			t.Errorf("%s: got %v, want a ConversionError at %s", expr, err, place)
		}
	}
	register(t, c, "buy", func(p part) float64 { return p.Price })
	equal(t, "keywords", eval[float64](t, c, "__import__('go').buy(price=2)"), 2.0)
	raises(t, "a keyword that is missing", discardValue(c.Eval(limit(t), "__import__('go').buy(name='x')")), "TypeError")
}

// fresh travels as an object that nothing in Go holds, and is collected before the bytes that name it are complete.
type fresh struct{ make func() (*py.Object, error) }

func (f fresh) MarshalPython() (any, error) { return f.make() }

type collecting struct{}

func (c collecting) MarshalPython() (any, error) {
	for range 10 {
		runtime.GC()
		time.Sleep(2 * time.Millisecond)
	}
	return nil, nil
}

// objectsOnTheWay: a value names objects that Go forgets before Python has read it.
func objectsOnTheWay(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "class W: n = 5")
	value := func() any {
		return py.Tuple{fresh{func() (*py.Object, error) { return py.Call[*py.Object](t.Context(), c, "__main__", "W") }}, collecting{}}
	}
	equal(t, "an argument", eval[int](t, c, "v[0].n", py.Vars{"v": value()}), 5)
	register(t, c, "make", value)
	equal(t, "the result of a callback", eval[int](t, c, "__import__('go').make()[0].n"), 5)
	eventually(t, "references", func() bool { runtime.GC(); run(t, c, "1"); return py.Live().References == 0 })
}
