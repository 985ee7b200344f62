package conformance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pycontext/py"
)

var errorCases = []testCase{
	{"Case53Exceptions", exceptions},
	{"Case53Format", errorFormat},
	{"Case53Shortened", shortened},
	{"Case53Chains", errorChains},
	{"Case53LongChain", longChain},
	{"Case53ThroughGo", errorsThroughGo},
	{"Case53Again", errorsAgain},
	{"Case53Forgotten", errorsForgotten},
	{"Case53Interrupted", errorsInterrupted},
	{"Case54SystemExit", systemExit},
	{"Case55OddExceptions", oddExceptions},
	{"Case55OutOfMemory", outOfMemory},
}

func exceptions(t *testing.T, s *suite) {
	c := s.open(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "conformance_module.py")
	os.WriteFile(file, []byte("def outer(x):\n    return inner(x)\n\ndef inner(x):\n    return {}[x]  # here\n"), 0o600)
	run(t, c, "import sys\nsys.path.insert(0, d)\nimport conformance_module\nsys.path.remove(d)\ndel sys.modules['conformance_module']", py.Vars{"d": dir})
	run(t, c, "def f():\n  conformance_module.outer('k')")
	_, err := c.Call(limit(t), "__main__", "f")
	e := raises(t, "f", err, "KeyError")
	equal(t, "class", []string{e.Module, e.Type, e.Message}, []string{"builtins", "KeyError", "'k'"})
	equal(t, "bases", e.Bases, []string{"LookupError", "Exception", "BaseException"})
	equal(t, "traceback", e.Traceback, []py.Frame{{File: "<string>", Line: 2, Function: "f", Source: "conformance_module.outer('k')"},
		{File: file, Line: 2, Function: "outer", Source: "return inner(x)"}, {File: file, Line: 5, Function: "inner", Source: "return {}[x]  # here"}})
	for _, class := range []string{"KeyError", "LookupError", "Exception", "BaseException", "builtins.KeyError"} {
		is(t, class, err, py.Exception(class))
	}
	for _, class := range []string{"IndexError", "Error", "Key", "OSError", "ArithmeticError", ""} {
		equal(t, "not a "+class, errors.Is(err, py.Exception(class)), false)
	}
	err = c.Exec(limit(t), "x = 1\ndef g():\n\n  1/0\nclass K:\n  def m(self): g()\nK().m()")
	e = raises(t, "g", err, "ZeroDivisionError")
	var lines []string
	for _, f := range e.Traceback {
		lines = append(lines, fmt.Sprint(f.Function, ":", f.Line))
	}
	equal(t, "lines", lines, []string{"<module>:7", "K.m:6", "g:4"})
	if !s.atLeast(11) {
		t.Error("how old is this?")
	}
	_, err = c.Call(limit(t), "json", "loads", "{")
	raises(t, "a class in a module", err, "json.decoder.JSONDecodeError")
	raises(t, "a class in a module", err, "JSONDecodeError")
	raises(t, "a class in a module", err, "ValueError")
	err = c.Exec(limit(t), "class Mine(KeyError, OSError): pass\nclass Yours(Mine):\n  def __str__(self): return 'mine ü'\nraise Yours(1)")
	e = raises(t, "several bases", err, "OSError")
	equal(t, "message", e.Message, "mine ü")
	equal(t, "bases", slices.Contains(e.Bases, "LookupError") && slices.Contains(e.Bases, "OSError"), true)
	err = c.Exec(limit(t), "e = ValueError('x')\ne.add_note('first')\ne.add_note('second\\nline')\nraise e")
	equal(t, "notes", raises(t, "notes", err, "ValueError").Notes, []string{"first", "second\nline"})
	_, err = c.Eval(limit(t), "int('x')", py.Vars{"v": 1})
	e = raises(t, "eval with variables", err, "ValueError")
	equal(t, "its traceback", len(e.Traceback) == 1 && e.Traceback[0].Function == "<module>", true)
	err = c.Exec(limit(t), "raise ExceptionGroup('g', [KeyError(1), ExceptionGroup('h', [OSError(2)])])")
	e = raises(t, "a group", err, "ExceptionGroup")
	if len(e.Group) != 2 || e.Group[0].Type != "KeyError" || len(e.Group[1].Group) != 1 || e.Group[1].Group[0].Type != "OSError" {
		t.Errorf("group: %+v", e.Group)
	}
	err = c.Exec(limit(t), "raise BaseExceptionGroup('g', [KeyboardInterrupt()])")
	raises(t, "a base group", err, "BaseExceptionGroup")
	for code, class := range map[string]string{"raise KeyboardInterrupt": "KeyboardInterrupt", "raise StopIteration(5)": "StopIteration", "raise GeneratorExit": "GeneratorExit",
		"raise 5": "TypeError", "raise": "RuntimeError", "raise OSError(2, 'x', 'file')": "FileNotFoundError", "import asyncio\nraise asyncio.CancelledError": "CancelledError",
		"raise BaseException": "BaseException", "next(iter(()))": "StopIteration", "open('/no/such')": "FileNotFoundError", "'x'.encode('nope')": "LookupError",
		"b'\\xff'.decode()": "UnicodeDecodeError", "'\\ud800'.encode()": "UnicodeEncodeError", "from os import nope": "ImportError", "x = (1 for _ in y_)": "NameError", "assert False, [1]": "AssertionError",
		"import warnings\nwarnings.simplefilter('error')\nwarnings.warn('x')": "UserWarning"} {
		raises(t, code, c.Exec(limit(t), code), class)
		works(t, c)
	}
	run(t, c, "import warnings\nwarnings.resetwarnings()")
}

func errorChains(t *testing.T, s *suite) {
	c := s.open(t)
	err := c.Exec(limit(t), "try:\n  1/0\nexcept Exception as e:\n  raise KeyError('k') from e")
	e := raises(t, "cause", err, "KeyError")
	if e.Cause == nil || e.Cause.Type != "ZeroDivisionError" {
		t.Fatalf("cause: %v", e.Cause)
	}
	err = c.Exec(limit(t), "try:\n  1/0\nexcept Exception:\n  {}['k']")
	e = raises(t, "context", err, "KeyError")
	if e.Context == nil || e.Context.Type != "ZeroDivisionError" || e.Cause != nil {
		t.Fatalf("context: %+v", e)
	}
	err = c.Exec(limit(t), "try:\n  1/0\nexcept Exception as e:\n  raise KeyError('k') from e")
	if e = raises(t, "both", err, "KeyError"); e.Cause == nil || e.Context != e.Cause {
		t.Fatalf("what is raised from what is being handled has that as its context too: %+v", e)
	}
	equal(t, "an exception is not its cause", errors.Is(err, py.Exception("ZeroDivisionError")), false)
	for name, code := range map[string]string{
		"own cause":    "e = ValueError()\ne.__cause__ = e\nraise e",
		"own context":  "e = ValueError()\ntry: raise e\nexcept ValueError: pass\ne.__context__ = e\nraise e",
		"cycle of two": "a, b = ValueError('a'), KeyError('b')\na.__cause__, b.__cause__ = b, a\nraise a",
		"cycle of contexts": "a, b = ValueError('a'), KeyError('b')\nraise a from b\n" +
			"",
		"diamond":         "a, b, c = ValueError('a'), KeyError('b'), OSError('c')\na.__cause__ = b\na.__context__ = c\nb.__cause__ = c\nraise a",
		"group in itself": "g = ExceptionGroup('g', [ValueError(1)])\ng.exceptions[0].__cause__ = g\nraise g",
	} {
		err := c.Exec(limit(t), code)
		var e *py.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", name, err)
		}
		if text := fmt.Sprintf("%+v", err); len(text) > 20000 {
			t.Errorf("%s: a text of %d bytes", name, len(text))
		}
		works(t, c)
	}
	// What one request handles is not the context of another's exception.
	register(t, c, "fail", func(ctx context.Context) string {
		_, err := c.Eval(ctx, "[][1]")
		_, other := c.Eval(context.Background(), "[][1]")
		for _, err := range []error{err, other} {
			if e := raises(t, "nested", err, "IndexError"); e.Context != nil || e.Cause != nil {
				t.Errorf("a nested request's exception has a context: %+v", e)
			}
		}
		info, err := c.Eval(ctx, "__import__('sys').exc_info()[0] is None")
		equal(t, "nothing is being handled in a nested request", []any{info, err}, []any{true, nil})
		return "ok"
	})
	run(t, c, "import go, sys\ntry: 1/0\nexcept ZeroDivisionError:\n  go.fail()\n  assert sys.exc_info()[0] is ZeroDivisionError\nassert sys.exc_info()[0] is None")
	err = c.Exec(limit(t), "try: 1/0\nexcept ZeroDivisionError:\n  go.nope()")
	if e := raises(t, "after a callback", err, "AttributeError"); e.Context == nil || e.Context.Type != "ZeroDivisionError" {
		t.Errorf("its own context is lost: %+v", e)
	}
	err = c.Exec(limit(t), "[][1]")
	if e := raises(t, "the next request", err, "IndexError"); e.Context != nil {
		t.Errorf("it has the context of another: %+v", e.Context)
	}
}

// longChain raises from within handlers: each exception has the last one both as its cause and as its context.
func longChain(t *testing.T, s *suite) {
	c := s.open(t)
	run(t, c, "def chain(n):\n  if n == 0: raise ValueError(0)\n  try: chain(n - 1)\n  except ValueError as e: raise ValueError(n) from e")
	for _, n := range []int{5, 12, 15, 17, 28, 500} {
		start := time.Now()
		_, err := c.Call(limit(t), "__main__", "chain", n)
		e := raises(t, fmt.Sprint("a chain of ", n), err, "ValueError")
		length := 0
		for ; e != nil && length < 1000; e = e.Cause {
			length++
		}
		if length < min(n, 20) {
			t.Errorf("a chain of %d arrives with %d", n, length)
		}
		if text := fmt.Sprintf("%+v", err); len(text) > 1<<20 {
			t.Errorf("a chain of %d prints %d bytes", n, len(text))
		}
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("a chain of %d takes %v", n, d)
		}
		if t.Failed() {
			return // the next one may take exponentially longer
		}
	}
	works(t, c)
}

// errorsThroughGo has exceptions of Python go through Go functions and Python again, several times.
func errorsThroughGo(t *testing.T, s *suite) {
	c := s.open(t)
	register(t, c, "up", func(ctx context.Context, levels int) error {
		return c.Exec(ctx, "up(n)", py.Vars{"n": levels - 1})
	})
	run(t, c, "import go, asyncio\nclass Base(BaseException): pass\ndef up(levels):\n  if levels: go.up(levels)\n  else: deepest()")
	for _, x := range []struct{ raise, class, message, catch string }{
		{"{}['a']", "KeyError", "'a'", "KeyError"},
		{"raise KeyError('a b', 1)", "KeyError", "('a b', 1)", "KeyError"},
		{"raise ValueError('v')", "ValueError", "v", "ValueError"},
		{"open('/no/such/file')", "OSError", "[Errno 2] No such file or directory: '/no/such/file'", "FileNotFoundError"},
		{"b'\\xff'.decode()", "UnicodeDecodeError", "invalid start byte", "UnicodeError"},
		{"raise ExceptionGroup('g', [ValueError(1)])", "ExceptionGroup", "g (1 sub-exception)", "ExceptionGroup"},
		{"raise SystemExit('out')", "SystemExit", "out", "SystemExit"},
		{"raise KeyboardInterrupt('k')", "KeyboardInterrupt", "k", "KeyboardInterrupt"},
		{"raise asyncio.CancelledError('c')", "CancelledError", "c", "BaseException"},
		{"raise Base('b')", "Base", "b", "BaseException"},
	} {
		run(t, c, "def deepest():\n  try:\n    "+x.raise+"\n  except BaseException as e:\n    e.add_note('a note')\n    raise")
		var first string
		for levels := range 4 {
			err := c.Exec(limit(t), "up(n)", py.Vars{"n": levels})
			got := raises(t, x.raise, err, x.class)
			contains(t, x.raise, got.Message, x.message)
			if levels == 1 {
				first = got.Message
			}
			if levels > 1 {
				equal(t, x.raise+": the message", got.Message, first)
			}
			contains(t, x.raise+": %+v", fmt.Sprintf("%+v", err), "in deepest", "a note")
		}
		run(t, c, "try: up(2)\nexcept "+x.catch+": pass")
		if !strings.HasSuffix(x.catch, "Error") && x.catch != "ExceptionGroup" {
			raises(t, x.raise+": except Exception", c.Exec(limit(t), "try: up(2)\nexcept Exception: pass"), x.class)
		}
	}
	works(t, c)
}

// errorsInterrupted has an interrupt come at every moment while an exception is looked at: it is that exception, as it is, or an
// interrupt.
func errorsInterrupted(t *testing.T, s *suite) {
	c := s.open(t)
	register(t, c, "fails", func(ctx context.Context) error { return c.Exec(ctx, "raise go.Interrupted") })
	register(t, c, "passes", func(ctx context.Context) error { return fmt.Errorf("on: %w", c.Exec(ctx, "raise ValueError('x')")) })
	run(t, c, `
import go, sys
def strike(n):
    left = n
    def tracer(frame, event, arg):
        nonlocal left
        if frame.f_code.co_filename == '<py>':
            frame.f_trace_opcodes = True
            left -= event == 'opcode'
            if left == 0: raise go.Interrupted
            return tracer
    sys.settrace(tracer)
`)
	for _, code := range []string{"raise ValueError('x')", "undefined", "go.fails()", "go.passes()"} {
		plain := c.Exec(limit(t), code).Error()
		for n, strikes := 1, true; strikes; n++ {
			err := c.Exec(limit(t), "strike(n)\n"+code, py.Vars{"n": n})
			if !errors.Is(err, py.ErrInterrupted) {
				equal(t, fmt.Sprintf("%s at moment %d", code, n), fmt.Sprint(err), plain)
			}
			strikes = eval[bool](t, c, "sys.gettrace() is None")
			run(t, c, "sys.settrace(None)")
		}
	}
}

func systemExit(t *testing.T, s *suite) {
	c := s.open(t)
	for _, code := range []string{"import sys\nsys.exit()", "import sys\nsys.exit(3)", "import sys\nsys.exit('text')", "raise SystemExit", "exit_ = __import__('sys').exit\nexit_(0)",
		"import sys\ntry: sys.exit(1)\nfinally: x = 1"} {
		raises(t, code, c.Exec(limit(t), code), "SystemExit")
		works(t, c)
	}
	_, err := c.Call(limit(t), "sys", "exit", 5)
	equal(t, "message", raises(t, "call", err, "SystemExit").Message, "5")
	register(t, c, "out", func(ctx context.Context) error { return c.Exec(ctx, "import sys\nsys.exit(7)") })
	raises(t, "through Go", c.Exec(limit(t), "import go\ngo.out()"), "SystemExit")
	run(t, c, "import threading, sys\nt = threading.Thread(target=sys.exit)\nt.start()\nt.join()")
	err = c.Exec(limit(t), "import asyncio, sys\nasync def f(): sys.exit(2)\nasyncio.run(f())")
	raises(t, "in asyncio", err, "SystemExit")
	works(t, c)
}

func oddExceptions(t *testing.T, s *suite) {
	c := s.open(t)
	register(t, c, "fail", func() error { return errors.New("from Go") })
	run(t, c, "import go")
	for _, x := range []struct{ name, code, class, message string }{
		{"__str__ raises", "class E(KeyError):\n  def __str__(self): 1/0\nraise E", "E", ""},
		{"__str__ exits", "class E(KeyError):\n  def __str__(self): raise SystemExit\nraise E", "E", ""},
		{"__str__ is interrupted", "class E(KeyError):\n  def __str__(self): raise KeyboardInterrupt\nraise E", "E", ""},
		{"__str__ of int", "class E(KeyError):\n  def __str__(self): return 5\nraise E", "E", ""},
		{"__str__ None", "class E(KeyError):\n  __str__ = None\nraise E", "E", ""},
		{"__str__ recurses", "class E(KeyError):\n  def __str__(self): return str(self)\nraise E", "E", ""},
		{"__repr__ raises", "class E(Exception):\n  def __repr__(self): 1/0\nraise KeyError(E())", "KeyError", ""},
		{"surrogate", "raise ValueError('\\ud800 x')", "ValueError", "x"},
		{"NUL", "raise ValueError('a\\x00b')", "ValueError", "a\x00b"},
		{"not text", "raise ValueError(b'\\xff', object())", "ValueError", "xff"},
		{"huge", "raise ValueError('x' * 5_000_000)", "ValueError", "xxx"},
		{"str subclass", "class S(str):\n  def __str__(self): return S('inner')\nraise ValueError(S('outer'))", "ValueError", ""},
		{"str subclass encode", "class S(str):\n  def encode(self, *a): 1/0\nclass E(KeyError):\n  def __str__(self): return S('mine')\nraise E", "E", ""},
		{"notes no list", "e = KeyError('m')\ne.__notes__ = 5\nraise e", "KeyError", "m"},
		{"notes of numbers", "e = KeyError('m')\ne.__notes__ = [1, None, b'x', 'ok']\nraise e", "KeyError", "m"},
		{"notes raise", "class N:\n  def __str__(self): 1/0\n  __repr__ = __str__\ne = KeyError('m')\ne.__notes__ = [N(), 'ok']\nraise e", "KeyError", "m"},
		{"notes property", "class E(KeyError):\n  @property\n  def __notes__(self): 1/0\nraise E('m')", "E", "m"},
		{"surrogate note", "e = KeyError('m')\ne.add_note('\\ud800')\nraise e", "KeyError", "m"},
		{"cause property", "class E(KeyError):\n  __cause__ = property(lambda s: 1/0)\nraise E('m')", "E", "m"},
		{"_go_error", "e = KeyError('m')\ne._go_error = 5\nraise e", "KeyError", "m"},
		{"_go_error property", "class E(KeyError):\n  @property\n  def _go_error(self): 1/0\nraise E('m')", "E", "m"},
		{"__getattribute__", "class E(KeyError):\n  def __getattribute__(self, n): raise ValueError(n)\nraise E('m')", "E", "m"},
		{"__class__", "class E(KeyError):\n  __class__ = property(lambda s: 1/0)\nraise E('m')", "E", "m"},
		{"module number", "class E(KeyError): pass\nE.__module__ = 5\nraise E('m')", "E", "m"},
		{"module surrogate", "class E(KeyError): pass\nE.__module__ = '\\ud800'\nraise E('m')", "E", "m"},
		{"name empty", "E = type('', (KeyError,), {})\nraise E('m')", "KeyError", "m"},
		{"metaclass", "class M(type):\n  def __getattribute__(c, n):\n    if n in ('__qualname__', '__module__', '__mro__', '__name__'): 1/0\n    return super().__getattribute__(n)\nclass E(KeyError, metaclass=M): pass\nraise E('m')", "", ""},
		{"mro", "class M(type):\n  def mro(c): return [c, KeyError, LookupError, Exception, BaseException, object]\nclass E(KeyError, metaclass=M): pass\nraise E('m')", "E", "m"},
		{"init raises", "class E(Exception):\n  def __init__(self): 1/0\nraise E", "ZeroDivisionError", ""},
		{"new returns other", "class E(Exception):\n  def __new__(cls): return 5\nraise E", "TypeError", ""},
		{"syntax error made up", "raise SyntaxError", "SyntaxError", ""},
		{"syntax error odd", "raise SyntaxError('m', ('f', 'not a line', None, 5))", "", ""},
		{"syntax error odd2", "e = SyntaxError('m')\ne.lineno = 'x'\ne.offset = 10**30\ne.text = 5\ne.filename = b'x'\nraise e", "SyntaxError", "m"},
		{"syntax error huge", "e = SyntaxError('m')\ne.lineno = 10**30\nraise e", "SyntaxError", "m"},
		{"group of odd", "class E(KeyError):\n  def __str__(self): 1/0\nraise ExceptionGroup('g', [E()])", "ExceptionGroup", "g"},
		{"group with a Go error", "class N:\n  def __str__(self): 1/0\ntry: go.fail()\nexcept Exception as e: g = e\nb = KeyError('b')\nb.__notes__ = [N()]\nraise ExceptionGroup('g', [g, b])", "ExceptionGroup", "g"},
		{"exceptions property", "class G(ExceptionGroup):\n  exceptions = property(lambda s: 1/0)\nraise G('g', [ValueError()])", "G", "g"},
		{"deep group", "e = ValueError('v')\nfor i in range(500): e = ExceptionGroup('g', [e])\nraise e", "ExceptionGroup", "g"},
		{"wide group", "raise ExceptionGroup('g', [ValueError(i) for i in range(5000)])", "ExceptionGroup", "g"},
		{"traceback gone", "e = ValueError('m')\ntry: raise e\nexcept ValueError: pass\ne.__traceback__ = None\nraise e", "ValueError", "m"},
		{"filename odd", "exec(compile('1/0', '\\ud800\\x00', 'exec'))", "", ""},
		{"filename proc", "exec(compile('1/0', '/dev/null', 'exec'))", "ZeroDivisionError", "division"},
		{"filename dir", "exec(compile('1/0', '/', 'exec'))", "ZeroDivisionError", "division"},
		{"no linecache", "import sys\nold = sys.modules.pop('linecache', None)\nsys.modules['linecache'] = None\ntry: import json; json.loads('{')\nfinally: pass", "ValueError", ""},
		{"with linecache", "import sys\nsys.modules.pop('linecache')\nsys.modules.update({'linecache': old} if old else {})\nraise ValueError('m')", "ValueError", "m"},
		{"long traceback", "def f(n): return f(n - 1) if n else 1/0\nf(5000)", "ZeroDivisionError", "division"},
	} {
		err := c.Exec(limit(t), x.code)
		var e *py.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: got %.200v, want an exception", x.name, err)
			continue
		}
		if x.class != "" && !errors.Is(err, py.Exception(x.class)) {
			t.Errorf("%s: got class %q (%.100v), want %s", x.name, e.Type, err, x.class)
		}
		contains(t, x.name, e.Message, x.message)
		if x.class == "E" || x.class == "KeyError" { // the rest of what is known is not lost either
			if !errors.Is(err, py.Exception("LookupError")) {
				t.Errorf("%s: no bases: %+v", x.name, e.Bases)
			}
			if len(e.Traceback) == 0 {
				t.Errorf("%s: no traceback", x.name)
			}
		}
		if strings.HasPrefix(x.name, "notes ") && (x.name == "notes of numbers" || x.name == "notes raise") && !slices.Contains(e.Notes, "ok") {
			t.Errorf("%s: %v", x.name, e.Notes)
		}
		if len(fmt.Sprintf("%+v", err)) == 0 || len(err.Error()) == 0 {
			t.Errorf("%s: no text", x.name)
		}
		works(t, c)
	}
}

func outOfMemory(t *testing.T, s *suite) {
	c := s.open(t)
	for _, expr := range []string{"'x' * (1 << 62)", "[0] * (1 << 60)", "bytes(1 << 62)", "bytearray(1 << 62)", "(1,) * (1 << 60)"} {
		_, err := c.Eval(limit(t), expr)
		if !errors.Is(err, py.Exception("MemoryError")) && !errors.Is(err, py.Exception("OverflowError")) {
			t.Errorf("%s: %v", expr, err)
		}
		works(t, c)
	}
	raises(t, "raise MemoryError", c.Exec(limit(t), "raise MemoryError"), "MemoryError")
}
