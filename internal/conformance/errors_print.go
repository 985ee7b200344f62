package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pycontext/py"
)

// errorFormat compares %+v with what Python's own traceback module prints.
func errorFormat(t *testing.T, s *suite) {
	c := s.open(t)
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "conformance_format.py"), []byte(formatted), 0o600)
	run(t, c, "import sys, traceback\nsys.path.insert(0, d)\nimport conformance_format as m\nsys.path.remove(d)\ndel sys.modules['conformance_format']", py.Vars{"d": dir})
	run(t, c, `
def text(f):
    try: f()
    except BaseException as e:
        e.__traceback__ = e.__traceback__.tb_next
        return ''.join(traceback.format_exception(e)).removesuffix('\n')
`)
	for name, f := range eval[map[string]*py.Object](t, c, "{n: f for n, f in vars(m).items() if n.startswith('t_')}") {
		for range 2 {
			want := call[string](t, c, "__main__", "text", f)
			_, err := f.Call(limit(t))
			if got := fmt.Sprintf("%+v", err); got != want {
				t.Errorf("%s:\n--- got\n%s\n--- want\n%s", name, got, want)
			}
			if text := fmt.Sprintf("%v", err); strings.Contains(text, "Traceback") {
				t.Errorf("%%v of %s: %s", name, text)
			}
		}
		f.Close()
	}
}

const formatted = `
import linecache
def t_plain(): raise ValueError('text')
def t_empty(): raise ValueError
def t_chained():
    try: t_plain()
    except ValueError as e: raise KeyError('k') from e
def t_during():
    try: t_plain()
    except ValueError: t_empty()
def t_hidden():
    try: t_plain()
    except ValueError: raise KeyError('k') from None
def t_noted():
    e = ValueError('x')
    e.add_note('a note')
    e.add_note('two\nlines')
    e.add_note('')
    raise e
def recursive(n):
    if n == 0: raise ValueError('deep')
    recursive(n - 1)
def t_deep(): recursive(20)
def t_four(): recursive(4)
def t_three(): recursive(3)
def t_multi(): raise ValueError('two\nlines')
def t_mine():
    class Mine(Exception): pass
    raise Mine('x')
def t_syntax(): compile('x = = 1', 'file.py', 'exec')
def t_syntax_range(): compile('if True:\n    f(a, b for b in c, d)', 'file.py', 'exec')
def t_syntax_lines(): compile('x = (1,\n  2', 'file.py', 'exec')
def t_syntax_indent(): compile('if x:\n  a\n   b', 'file.py', 'exec')
def t_syntax_tab(): compile('if x:\n        a\n\tb', 'file.py', 'exec')
def t_syntax_typo(): compile('fro x in y: pass', 'file.py', 'exec')
def t_syntax_wide(): compile('"\u4f60\u597d" = = 1', 'file.py', 'exec')
def t_syntax_made(): raise SyntaxError('made')
def t_syntax_odd(): raise SyntaxError('odd', ('f\\g.py', 3, 2, 'some text\n', 3, 4))
def t_marks():
    x = {'a': {'b': 1}}
    return x['a']['b']['c']
def t_operator(): return (1 + 2) * 3 + (4 - '5')
def t_call(): return len(1, 2) + len([])
def t_attribute(): return [].apend(1)
def t_name(): return lenn([])
def t_local():
    counter = 1
    return countr
def t_forgotten(): return os.path
def t_import(): from collections import OrderdDict
def t_no_module(): import conformance_no_such
def t_several_lines():
    return (1 +
            2 + None
            + 3)
def t_call_over_lines():
    return int(
        'x',
    )
def t_wide(): return '\u4f60\u597d' + ('\u00e9\u00e9' + 1)
def t_lambda(): (lambda x: x / 0)(1)
class Holder:
    def method(self): return self.missing
    @property
    def broken(self): return 1 / 0
def t_method(): Holder().method()
def t_property(): Holder().broken
def t_comprehension(): return [1 / x for x in (1, 0)]
def t_generator(): return sum(1 / x for x in (1, 0))
def t_assert(): assert 1 == 2, 'no'
def t_unpack(): a, b = 1, 2, 3
def t_str_raises():
    class Bad(Exception):
        def __str__(self): 1 / 0
    raise Bad
def t_exit():
    import sys
    sys.exit(3)
def t_interrupt(): raise KeyboardInterrupt
def t_no_file(): open('/no/such/file')
def t_loads():
    import json
    json.loads('{')
def t_group(): raise ExceptionGroup('g', [ValueError(1), TypeError('two\nlines')])
def raised(e):
    try: raise e
    except type(e): return e
def t_group_raised(): raise ExceptionGroup('g', [raised(ValueError(1)), raised(KeyError('k'))])
def t_group_nested():
    inner = ExceptionGroup('h', [raised(OSError(2, 'x')), ExceptionGroup('i', [ValueError()])])
    inner.add_note('of the inner')
    e = ExceptionGroup('g', [ValueError(1), raised(inner), ValueError(3)])
    e.add_note('of the\nouter')
    raise e
def t_group_wide(): raise ExceptionGroup('g', [ValueError(i) for i in range(17)])
def t_group_wider(): raise ExceptionGroup('g', [ValueError(i) for i in range(16)])
def t_group_full(): raise ExceptionGroup('g', [ValueError(i) for i in range(15)])
def t_group_deep():
    e = ValueError('deep')
    for i in range(13): e = ExceptionGroup(str(i), [e])
    raise e
def t_group_chained():
    try: t_group_nested()
    except ExceptionGroup as e: raise ValueError('after') from e
def t_group_of_chains():
    def chain():
        try: 1 / 0
        except ZeroDivisionError as e: return raised(KeyError('k'))
    raise ExceptionGroup('g', [chain(), chain()])
def t_base_group(): raise BaseExceptionGroup('g', [KeyboardInterrupt()])
linecache.cache['<made up>'] = 30, None, ['def made():\n', '    return {}["x"] + 1\n'], '<made up>'
exec(compile('def made():\n    return {}["x"] + 1', '<made up>', 'exec'))
def t_made(): made()
def t_exec(): exec('def f():\n  1/0\nf()')
`

// shortened takes frames out of a traceback: the others keep the lines that belong to them.
func shortened(t *testing.T, s *suite) {
	c := s.open(t)
	file := filepath.Join(t.TempDir(), "shortened.py")
	os.WriteFile(file, []byte("def outer(x):\n    return inner(x)\n\ndef inner(x):\n    return x.y.z\n"), 0o600)
	run(t, c, "exec(compile(open(f).read(), f, 'exec'))", py.Vars{"f": file})
	e := raises(t, "outer", c.Exec(limit(t), "outer(1)"), "AttributeError")
	e.Traceback = e.Traceback[1:]
	text := fmt.Sprintf("%+v", e)
	contains(t, "without the first frame", text, "line 2, in outer\n    return inner(x)\n")
	contains(t, "without the first frame", text, "line 5, in inner\n    return x.y.z\n           ^^^\n")
	e.Traceback = append([]py.Frame{{File: "go.go", Line: 1, Function: "main", Source: "call()"}}, e.Traceback[1:]...)
	contains(t, "with another one", fmt.Sprintf("%+v", e), "  File \"go.go\", line 1, in main\n    call()\n")
}
