package bench

import (
	"testing"

	"github.com/pycontext/py"
)

// BenchmarkRef is what an operation on an object costs within Attach.
func BenchmarkRef(b *testing.B) {
	c := newContext(b, "class C: x = 1; f = lambda self: None\no = C()\nd = {'a': 1}")
	for name, op := range map[string]func(o, d py.Ref) error{
		"attr": func(o, d py.Ref) error {
			r, err := o.Attr("x")
			r.Release()
			return err
		},
		"set": func(o, d py.Ref) error { return o.SetAttr("x", 1) },
		"has": func(o, d py.Ref) error { _, err := o.HasAttr("x"); return err },
		"item": func(o, d py.Ref) error {
			r, err := d.Item("a")
			r.Release()
			return err
		},
		"len":      func(o, d py.Ref) error { _, err := d.Len(); return err },
		"contains": func(o, d py.Ref) error { _, err := d.Contains("a"); return err },
		"bool":     func(o, d py.Ref) error { _, err := d.Bool(); return err },
		"equal":    func(o, d py.Ref) error { _, err := d.Equal(d); return err },
		"method":   func(o, d py.Ref) error { _, err := py.CallMethodRef[any](o, "f"); return err },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			err := c.Attach(b.Context(), func(a *py.Attached) error {
				o, _ := a.Global("o")
				d, err := a.Global("d")
				for b.Loop() {
					if err = op(o, d); err != nil {
						return err
					}
				}
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		})
	}
}
