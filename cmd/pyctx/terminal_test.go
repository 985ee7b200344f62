//go:build unix

package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// terminal is a command on one. What it writes there is kept.
type terminal struct {
	*exec.Cmd
	keyboard *os.File
	over     chan struct{} // nothing more comes

	mu   sync.Mutex
	text bytes.Buffer
}

// startOnTerminal starts a command whose standard error is a terminal of its own, and those of the other streams that are
// not set before.
func startOnTerminal(t *testing.T, cmd *exec.Cmd) *terminal {
	t.Helper()
	return startOnNarrow(t, cmd, 100)
}

// startOnNarrow gives the terminal so many columns.
func startOnNarrow(t *testing.T, cmd *exec.Cmd, columns uint16) *terminal {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("there is no terminal: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	if err := pty.Setsize(master, &pty.Winsize{Rows: 30, Cols: columns}); err != nil {
		t.Fatal(err)
	}
	if cmd.Stdin == nil {
		cmd.Stdin = slave
	}
	if cmd.Stdout == nil {
		cmd.Stdout = slave
	}
	cmd.Stderr = slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 2}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	x := &terminal{Cmd: cmd, keyboard: master, over: make(chan struct{})}
	go func() {
		defer close(x.over)
		_, _ = io.Copy(x, master) // ends with an error when the last writer is gone
	}()
	return x
}

func (x *terminal) Write(p []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.text.Write(p)
}

func (x *terminal) written() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.text.String()
}

// shows waits until a part was on the screen.
func (x *terminal) shows(t *testing.T, part string) {
	t.Helper()
	eventually(t, "the terminal shows "+part, func() bool { return strings.Contains(x.written(), part) })
}

func (x *terminal) end(t *testing.T) (screen string, status int) {
	t.Helper()
	err := x.Wait()
	select {
	case <-x.over:
	case <-time.After(5 * time.Second): // a child that was left behind keeps it open
	}
	return screenOf(x.written()), statusOf(t, err)
}

var colors = regexp.MustCompile(`^\033\[[0-9;]*m`)

// screenOf is what a terminal shows in the end.
func screenOf(text string) string {
	lines, line, column := []string{}, []rune{}, 0
	for len(text) > 0 {
		if rest, ok := strings.CutPrefix(text, "\033[2K"); ok {
			line, text = nil, rest
			continue
		}
		if color := colors.FindString(text); color != "" {
			text = text[len(color):]
			continue
		}
		r := []rune(text)[0]
		text = text[len(string(r)):]
		switch r {
		case '\r':
			column = 0
		case '\n':
			lines, line, column = append(lines, strings.TrimRight(string(line), " ")), nil, 0
		default:
			for len(line) <= column {
				line = append(line, ' ')
			}
			line[column] = r
			column++
		}
	}
	return strings.Join(append(lines, string(line)), "\n")
}

func TestProgress(t *testing.T) {
	in := folder(t, map[string]string{"in.jsonl": lines(100)}) + "/in.jsonl"
	for name, out := range map[string]io.Writer{"results elsewhere": &bytes.Buffer{}, "results there, too": nil} {
		t.Run(name, func(t *testing.T) {
			cmd := command(t, "map", "--workers", "2", "items.py:a_while", in)
			cmd.Stdout = out
			x := startOnTerminal(t, cmd)
			x.shows(t, "%") // how far it is, as the size of the file is known
			x.shows(t, " items, ")
			x.shows(t, "items/s")
			screen, status := x.end(t)
			want := ""
			if out == nil {
				want = lines(100)
			}
			results, summary, _ := strings.Cut(screen, "pyctx: ")
			if results != want || !strings.HasPrefix(summary, "100 items, 0 failed, ") || strings.Count(summary, "\n") != 1 || status != 0 {
				t.Errorf("status %d; in the end the screen is\n%s", status, screen)
			}
		})
	}
}

// TestProgressNarrow checks that the bar stays on its line, where the next one is drawn over it.
func TestProgressNarrow(t *testing.T) {
	in := folder(t, map[string]string{"in.jsonl": lines(60)}) + "/in.jsonl"
	for columns, parts := range map[uint16][]string{60: {" items, ", "items/s"}, 45: {" items "}, 27: {"%"}, 12: nil} {
		cmd := command(t, "map", "--workers", "2", "items.py:a_while", in)
		cmd.Stdout = io.Discard
		x := startOnNarrow(t, cmd, columns)
		for _, part := range parts {
			x.shows(t, part)
		}
		_, status := x.end(t)
		bars, _, _ := strings.Cut(x.written(), "pyctx: ")
		for _, line := range strings.Split(regexp.MustCompile(`\033\[\w+`).ReplaceAllString(bars, ""), "\r") {
			if n := len([]rune(line)); n > int(columns) || strings.Contains(line, "\n") {
				t.Errorf("%d columns: a line of %d: %q", columns, n, line)
			}
		}
		if status != 0 {
			t.Errorf("%d columns: status %d", columns, status)
		}
	}
}

// TestProgressNarrowed has the terminal become too narrow for a bar: it goes, and does not stay as it was last.
func TestProgressNarrowed(t *testing.T) {
	in, feed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := command(t, "map", "items.py:a_while")
	cmd.Stdin = in
	x := startOnNarrow(t, cmd, 80)
	in.Close()
	io.WriteString(feed, "1\n")
	x.shows(t, "1 item, ")
	x.shows(t, "1\r\n") // nothing but the bar is written from here on
	if err := pty.Setsize(x.keyboard, &pty.Winsize{Rows: 30, Cols: 20}); err != nil {
		t.Fatal(err)
	}
	wide := len(x.written())
	eventually(t, "the bar is gone", func() bool { return strings.HasSuffix(x.written(), "\033[2K\r") })
	io.WriteString(feed, "2\n3\n")
	x.shows(t, "3\r\n")
	feed.Close()
	_, status := x.end(t)
	if _, narrow, _ := strings.Cut(x.written()[wide:], "\033[2K\r"); strings.Contains(narrow, "|") || status != 0 {
		t.Errorf("status %d; on a narrow terminal is written %q", status, narrow)
	}
}

// TestProgressUnknown has no size to begin with: a spinner turns, and nothing is left of it where failures are reported.
func TestProgressUnknown(t *testing.T) {
	in, feed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := command(t, "map", "items.py:odd")
	cmd.Stdin, cmd.Stdout = in, io.Discard
	x := startOnTerminal(t, cmd)
	in.Close()
	io.WriteString(feed, "1\n")
	x.shows(t, "1 item, ")
	io.WriteString(feed, "2\n")
	x.shows(t, "<stdin>:2: ValueError")
	x.shows(t, "2 items, ")
	x.shows(t, ", 1 failed")
	feed.Close()
	screen, status := x.end(t)
	if !strings.HasPrefix(screen, "pyctx: <stdin>:2: ValueError: 2 is even\n  Traceback ") || status != 1 ||
		!strings.Contains(screen, "\n  ValueError: 2 is even\npyctx: 2 items, 1 failed, ") {
		t.Errorf("status %d; in the end the screen is\n%s", status, screen)
	}
}

func TestNoProgress(t *testing.T) {
	in := folder(t, map[string]string{"in.jsonl": lines(20)}) + "/in.jsonl"
	for _, flag := range []string{"--no-progress", "--quiet", ""} {
		cmd := command(t, "map", flag, "items.py:a_while", in)
		if flag == "" {
			cmd.Args = append(cmd.Args[:2], cmd.Args[3:]...)
			cmd.Env = append(cmd.Env, "TERM=dumb")
		}
		cmd.Stdout = io.Discard
		x := startOnTerminal(t, cmd)
		if _, status := x.end(t); status != 0 || strings.ContainsAny(x.written(), "%\033") {
			t.Errorf("%s: status %d, and written was\n%q", flag, status, x.written())
		}
	}
	o := pyctx(t, "map", "items.py:a_while", in) // no terminal at all
	if o.status != 0 || strings.ContainsAny(o.err, "%\033\r") {
		t.Errorf("written was %q", o.err)
	}
}

// TestCtrlC presses it.
func TestCtrlC(t *testing.T) {
	in := folder(t, map[string]string{"in.jsonl": lines(100000)}) + "/in.jsonl"
	cmd := command(t, "map", "--workers", "2", "items.py:a_while", in)
	cmd.Stdout = io.Discard
	x := startOnTerminal(t, cmd)
	eventually(t, "an item is done", func() bool { return regexp.MustCompile(`[1-9] items, `).MatchString(x.written()) })
	io.WriteString(x.keyboard, "\x03")
	screen, status := x.end(t)
	if status != 130 || strings.Count(screen, "\n") != 1 || !strings.HasPrefix(screen, "pyctx: stopped by interrupt: ") ||
		!strings.Contains(screen, "; the output is complete up to "+in+":") {
		t.Errorf("status %d; in the end the screen is\n%s", status, screen)
	}

	x = startOnTerminal(t, command(t, "run", "-c", "print(input('name? '))\nprint('ready')\nwhile True: pass"))
	x.shows(t, "name? ")
	io.WriteString(x.keyboard, "ada\r")
	x.shows(t, "ready")
	io.WriteString(x.keyboard, "\x03")
	screen, status = x.end(t)
	if status != 130 || !strings.HasPrefix(screen, "name? ada\nada\nready\n^CTraceback ") || !strings.HasSuffix(screen, "\nKeyboardInterrupt\n") {
		t.Errorf("status %d; in the end the screen is\n%s", status, screen)
	}
}

// TestBenchStops ends a measurement, of which the terminal shows how far it is.
func TestBenchStops(t *testing.T) {
	cmd := command(t, "bench")
	cmd.Stdout = io.Discard
	x := startOnTerminal(t, cmd)
	x.shows(t, "requests: ")
	io.WriteString(x.keyboard, "\x03")
	_, status := x.end(t)
	if text := x.written(); status != 130 || !strings.HasSuffix(text, "\r\033[Kpyctx: stopped by interrupt\r\n") {
		t.Errorf("status %d; written was %q", status, text)
	}
}

// TestTyped types the items: no bar goes where they are echoed.
func TestTyped(t *testing.T) {
	x := startOnTerminal(t, command(t, "map", "items.py:double"))
	io.WriteString(x.keyboard, "1\r")
	x.shows(t, "2\r\n")
	time.Sleep(300 * time.Millisecond) // a bar would be drawn meanwhile
	io.WriteString(x.keyboard, "\x04")
	screen, status := x.end(t)
	if status != 0 || !strings.HasPrefix(screen, "1\n2\npyctx: 1 item, 0 failed, ") || strings.Contains(x.written(), "\033") {
		t.Errorf("status %d; in the end the screen is\n%s", status, screen)
	}
}
