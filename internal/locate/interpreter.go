package locate

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// question is the script that an interpreter is asked to run.
//
//go:embed question.py
var question string

// answerTime is how long an interpreter may take; a cold one on a slow disk needs a second or two.
var answerTime = 20 * time.Second

// answer is what question.py prints. Paths are bytes, one per code point: see rawPath.
type answer struct {
	Implementation string  `json:"implementation"`
	Version        Version `json:"version"`
	Executable     rawPath `json:"executable"`
	BaseExecutable rawPath `json:"base_executable"`
	BasePrefix     rawPath `json:"base_prefix"`
	InstSoName     rawPath `json:"INSTSONAME"`
	LDLibrary      rawPath `json:"LDLIBRARY"`
	LibDir         rawPath `json:"LIBDIR"`
	LibPL          rawPath `json:"LIBPL"`
	MultiArch      rawPath `json:"MULTIARCH"`
	Framework      rawPath `json:"PYTHONFRAMEWORKPREFIX"`
	FreeThreaded   bool    `json:"gil_disabled"`
	Shared         bool    `json:"enable_shared"`
}

// rawPath is a path that came through JSON. A path need not be text, and JSON holds nothing else, so
// question.py writes every byte as the code point of the same number.
type rawPath string

// UnmarshalJSON undoes what question.py did.
func (p *rawPath) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	raw := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return fmt.Errorf("code point %#x in a path", r)
		}
		raw = append(raw, byte(r))
	}
	*p = rawPath(raw)
	return nil
}

// fromInterpreter runs exe once and finds the library that belongs to it.
func fromInterpreter(exe string) (Python, error) {
	if err := checkExecutable(exe); err != nil {
		return Python{}, err
	}
	if venv := venvOf(exe); venv != "" {
		if err := checkBase(venv); err != nil {
			return Python{}, fmt.Errorf("belongs to %q, which %w", venv, err)
		}
	}
	a, err := ask(exe)
	if err != nil {
		return Python{}, err
	}
	if err := a.supported(); err != nil {
		return Python{}, err
	}
	lib, err := a.library()
	if err != nil {
		return Python{}, err
	}
	own := string(a.Executable)
	return Python{
		Executable: own, Library: lib, Version: a.Version, FreeThreaded: a.FreeThreaded, Venv: venvOf(own),
	}, nil
}

// supported refuses what the rest of the library cannot drive.
func (a *answer) supported() error {
	if a.Implementation != "cpython" {
		return fmt.Errorf("is %s %s; CPython %s or later is needed", a.Implementation, a.Version, oldest.minor())
	}
	return supported(a.Version)
}

func supported(v Version) error {
	if v.less(oldest) {
		return fmt.Errorf("is CPython %s; %s or later is needed", v, oldest.minor())
	}
	return nil
}

// ask runs exe with question.py. -E, -s and -S keep the user's variables and packages out; -I would do the
// same and one thing more, which the script does itself, but Python 2 does not know it and deserves a
// better message than "unknown option". The current folder stays: pyenv and its like choose by it.
func ask(exe string) (*answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), answerTime)
	defer cancel()
	var stdout, stderr tail
	cmd := exec.CommandContext(ctx, exe, "-E", "-s", "-S", "-c", question)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Env = withoutVariable(os.Environ(), "__PYVENV_LAUNCHER__")
	cmd.WaitDelay = time.Second // for grandchildren that keep the pipes open
	err := cmd.Run()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("did not answer within %v", answerTime)
	}
	if err != nil && !errors.Is(err, exec.ErrWaitDelay) { // it has run, and what it left behind holds the pipes
		return nil, fmt.Errorf("does not run: %w%s", unwrapPath(err), stderr.quote())
	}
	a, err := parse(stdout.data)
	if err != nil {
		return nil, fmt.Errorf("does not answer as Python does (%w)%s", err, stderr.quote())
	}
	return a, nil
}

// parse takes the last line; a wrapper may have written others before.
func parse(out []byte) (*answer, error) {
	out = bytes.TrimSpace(out)
	line := out[bytes.LastIndexByte(out, '\n')+1:]
	var a answer
	if err := json.Unmarshal(line, &a); err != nil {
		return nil, err
	}
	if a.Implementation == "" || a.Version[0] == 0 {
		return nil, errors.New("no version in its answer")
	}
	if !filepath.IsAbs(string(a.Executable)) {
		return nil, errors.New("it does not know its own path: sys.executable is empty or relative")
	}
	return &a, nil
}

// unwrapPath drops "fork/exec PATH", which the message around says already.
func unwrapPath(err error) error {
	var pathErr *os.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

func withoutVariable(env []string, name string) []string {
	kept := make([]string, 0, len(env))
	for _, kv := range env {
		if !strings.HasPrefix(kv, name+"=") {
			kept = append(kept, kv)
		}
	}
	return kept
}

// tail keeps the end of an output, so that a runaway program fills no memory.
type tail struct{ data []byte }

const tailSize = 64 << 10

// Write keeps the last tailSize bytes at least.
func (t *tail) Write(p []byte) (int, error) {
	t.data = append(t.data, p...)
	if len(t.data) > 2*tailSize {
		t.data = append([]byte(nil), t.data[len(t.data)-tailSize:]...)
	}
	return len(p), nil
}

// quote returns the last lines for an error message.
func (t *tail) quote() string {
	text := strings.TrimSpace(string(t.data))
	if text == "" {
		return ""
	}
	if lines := strings.Split(text, "\n"); len(lines) > 8 {
		text = "...\n" + strings.Join(lines[len(lines)-8:], "\n")
	}
	return fmt.Sprintf("; it says %q", text)
}
