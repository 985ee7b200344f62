package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// beCommand makes the test binary the command: the tests run it as a user would, in a process of its own.
const beCommand = "PYCTX_TEST_COMMAND=1"

func TestMain(m *testing.M) {
	if slices.Contains(os.Environ(), beCommand) {
		main()
	}
	os.Exit(m.Run())
}

// patience is how long a command may take before it counts as hanging.
const patience = 3 * time.Minute

// command is pyctx in the folder testdata, with the bundled Python whatever the environment of the tests says.
func command(t testing.TB, args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Dir = "testdata"
	cmd.WaitDelay = 5 * time.Second
	cmd.Cancel = func() error {
		t.Errorf("pyctx %q hangs", args)
		return cmd.Process.Kill()
	}
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains([]string{"PYCTX_PYTHON", "VIRTUAL_ENV", "PYTHONPATH", "TERM"}, name)
	}), beCommand, "TERM=xterm")
	return cmd
}

// outcome is what is left of a command.
type outcome struct {
	out, err string
	status   int
}

func pyctx(t testing.TB, args ...string) outcome {
	t.Helper()
	return pyctxWith(t, "", args...)
}

// pyctxWith gives the command a standard input.
func pyctxWith(t testing.TB, stdin string, args ...string) outcome {
	t.Helper()
	cmd := command(t, args...)
	cmd.Stdin = strings.NewReader(stdin)
	return finish(t, cmd)
}

func finish(t testing.TB, cmd *exec.Cmd) outcome {
	t.Helper()
	var out, err bytes.Buffer
	if cmd.Stdout == nil {
		cmd.Stdout = &out
	}
	if cmd.Stderr == nil {
		cmd.Stderr = &err
	}
	status := statusOf(t, cmd.Run())
	return outcome{out.String(), err.String(), status}
}

func statusOf(t testing.TB, err error) int {
	t.Helper()
	var e *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e):
		return e.ExitCode()
	}
	t.Fatal(err)
	return 0
}

// check compares what was put out, and the status; standard error has to contain each of parts.
func (o outcome) check(t testing.TB, out string, status int, parts ...string) {
	t.Helper()
	if o.out != out || o.status != status {
		t.Errorf("got output %.2000q and status %d, want %.2000q and %d; standard error:\n%s", o.out, o.status, out, status, o.err)
	}
	o.says(t, parts...)
}

func (o outcome) says(t testing.TB, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(o.err, part) {
			t.Errorf("standard error has no %q:\n%s", part, o.err)
		}
	}
}

// folder makes a folder with files.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// eventually polls a condition.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for began := time.Now(); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > patience/2 {
			t.Fatalf("not within %v: %s", patience/2, what)
		}
	}
}
