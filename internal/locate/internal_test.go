//go:build unix

package locate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An interpreter that hangs, and one whose child keeps the pipe open, end with the time that is allowed.
func TestAnswerTime(t *testing.T) {
	defer func(d time.Duration) { answerTime = d }(answerTime)
	answerTime = 200 * time.Millisecond
	for _, body := range []string{"exec sleep 8", "sleep 8"} {
		exe := filepath.Join(t.TempDir(), "python")
		if err := os.WriteFile(exe, []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, err := fromInterpreter(exe)
		if err == nil || !strings.Contains(err.Error(), "did not answer within") {
			t.Errorf("%s: got %v", body, err)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: took %v", body, took)
		}
	}
}

// A wrapper may start something that goes on, with its output, when the interpreter has answered.
func TestAnswerOfWrapper(t *testing.T) {
	exe := filepath.Join(t.TempDir(), "python")
	body := `sleep 8 &
echo '{"implementation": "cpython", "version": [3, 14, 6], "executable": "/x/python"}'`
	if err := os.WriteFile(exe, []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if a, err := ask(exe); err != nil || a.Version != (Version{3, 14, 6}) {
		t.Errorf("got %+v, %v", a, err)
	}
}

func TestFromName(t *testing.T) {
	for name, want := range map[string]library{
		"libpython3.13t.so.1.0": {Version{3, 13, 0}, true},
		"libpython3.12.dylib":   {Version{3, 12, 0}, false},
		"libpython3.8m.so":      {Version{3, 8, 0}, false},
		"python314.dll":         {Version{3, 14, 0}, false},
		"python313t.dll":        {Version{3, 13, 0}, true},
		"libpython3.so":         {},
		"python3.dll":           {},
		"libpypy3.10-c.so":      {},
		"libboost_python312.so": {},
	} {
		if got, _ := fromName("/x/" + name); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

func TestRegisterBundled(t *testing.T) {
	defer bundled.Store(bundled.Load())
	RegisterBundled(func() (Python, error) { return Python{Home: "/x"}, nil })
	py, err := Find(Options{Env: func(string) string { return "" }})
	if err != nil || py.Home != "/x" || py.Source != SourceBundled {
		t.Errorf("got %+v, %v", py, err)
	}
}

// A position-independent executable has the type of a library in ELF; the shell is one nearly everywhere.
func TestKindOf(t *testing.T) {
	script := filepath.Join(t.TempDir(), "libpython3.14.so")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]kind{"/bin/sh": executable, script: otherFile} {
		if got, err := kindOf(path); got != want || err != nil {
			t.Errorf("%s: got %v, %v, want %v", path, got, err, want)
		}
	}
}
