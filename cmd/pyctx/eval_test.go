package main

import "testing"

func TestEval(t *testing.T) {
	for _, c := range []struct {
		out    string
		status int
		args   []string
		err    string
	}{
		{"1267650600228229401496703205376\n", 0, []string{"2**100"}, ""},
		{"25\n", 0, []string{"x * x", "--var", "x=5"}, ""},
		{`{"b":[1,2.5,null,true],"a":"é"}` + "\n", 0, []string{"x", "--var", `x={"b": [1, 2.5, null, true], "a": "é"}`}, ""},
		{"\"adaada\"\n", 0, []string{"name * n", "--var", "name=ada", "--var", "n=2"}, ""},
		{"\"a=b\"\n", 0, []string{"x", "--var", "x=a=b"}, ""},
		{"\"\"\n", 0, []string{"x", "--var", "x="}, ""},
		{"\"5\"\n", 0, []string{"x", "--var", `x="5"`}, ""},
		{"\"007\"\n", 0, []string{"x", "--var", "x=007"}, ""},
		{"\"NaN\"\n", 0, []string{"x", "--var", "x=NaN"}, ""},
		{"3\n", 0, []string{"(lambda: max(y for y in x))()", "--var", "x=[1,3]"}, ""},
		{`["\udcff","\udcfe"]` + "\n", 0, []string{"[y, x]", "--var", "x=\xfe", "--var", "y=\xff"}, ""},
		{"4.0\n", 0, []string{"__import__('math').sqrt(16)"}, ""},
		{"-1\n", 0, []string{"--", "-1"}, ""},
		{"1\n", 0, []string{"  1 "}, ""},
		{"Ada {1}\n", 0, []string{"--text", "f'Ada { {1} }'"}, ""},
		{"\"subinterp\"\n", 0, []string{"--mode", "subinterp", "'subinterp'"}, ""},
		{"[5,6]\n", 0, []string{"[ﬁ, é]", "--var", "ﬁ=5", "--var", "e\u0301=6"}, ""}, // which Python takes for fi and \u00e9
		{"", 3, []string{"exit(3)"}, ""},
		{"", 2, []string{" "}, "pyctx: there is no expression\nRun 'pyctx eval --help' for usage.\n"},
		{"", 1, []string{"{1}"}, "pyctx: the result is not JSON: Object of type set is not JSON serializable\n"},
		{"", 1, []string{"float('nan')"}, "pyctx: the result is not JSON: Out of range float values are not JSON compliant: nan\n"},
		{"", 1, []string{"zzzzzz"}, "Traceback (most recent call last):\n  File \"<expression>\", line 1, in <module>\n    zzzzzz\nNameError: name 'zzzzzz' is not defined\n"},
		{"", 1, []string{"'\xff'"}, "UnicodeEncodeError: 'utf-8' codec can't encode character '\\udcff' in position 1: surrogates not allowed\n"},
		{"", 1, []string{"1", "--var", "class=5"}, "pyctx: --var class: no expression can use it, since it is a keyword of Python; choose another name\n"},
		{"", 1, []string{"x = 1"}, "  File \"<expression>\", line 1\n    x = 1\n      ^\nSyntaxError: invalid syntax\n"},
	} {
		o := pyctx(t, append([]string{"eval"}, c.args...)...)
		o.check(t, c.out, c.status)
		if o.err != c.err {
			t.Errorf("%q: standard error is %q, want %q", c.args, o.err, c.err)
		}
	}
}
