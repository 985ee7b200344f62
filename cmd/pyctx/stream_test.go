//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// stream is a command that runs, with both ends of its pipes in hand.
type stream struct {
	*exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	raw io.Closer // the reader's end of standard output
	err bytes.Buffer
}

func startStream(t testing.TB, args ...string) *stream {
	t.Helper()
	s := &stream{Cmd: command(t, args...)}
	s.Stderr = &s.err
	var err error
	if s.in, err = s.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := s.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.out, s.raw = bufio.NewReader(out), out
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Process.Kill() })
	return s
}

// feed writes a line again and again until the command is gone, and counts how many it took.
func (s *stream) feed(line string) *atomic.Int64 {
	var taken atomic.Int64
	go func() {
		for {
			if _, err := io.WriteString(s.in, line); err != nil {
				return
			}
			taken.Add(1)
		}
	}()
	return &taken
}

func (s *stream) line(t testing.TB, want string) {
	t.Helper()
	if got, err := s.out.ReadString('\n'); got != want {
		t.Fatalf("got line %q (%v), want %q; standard error:\n%s", got, err, want, s.err.String())
	}
}

// end waits for the command, whose output nobody reads any more.
func (s *stream) end(t testing.TB, status int, parts ...string) {
	t.Helper()
	o := outcome{status: statusOf(t, s.Wait())}
	o.err = s.err.String()
	o.check(t, "", status, parts...)
}

// TestMapStreams checks that a result comes out as soon as it is there, while the input is still open.
func TestMapStreams(t *testing.T) {
	for _, flag := range []string{"--unordered=false", "--unordered"} {
		s := startStream(t, "map", flag, "items.py:double")
		for i := range 3 {
			fmt.Fprintf(s.in, "%d\n", i)
			s.line(t, fmt.Sprintf("%d\n", 2*i))
		}
		s.in.Close()
		s.end(t, 0, "3 items, 0 failed")
	}
}

// TestMapHoldsLittle gives items without end, of which the first is not finished: not many more are read.
func TestMapHoldsLittle(t *testing.T) {
	for _, size := range []int{1 << 10, 1 << 20} {
		file := filepath.Join(t.TempDir(), "there")
		s := startStream(t, "map", "--workers", "2", "items.py:until_there")
		fmt.Fprintf(s.in, "%q\n", file)
		taken := s.feed(`"` + strings.Repeat("x", size-3) + "\"\n")
		most := min(maxItems, 2*maxBytes/int64(size)) // as inputs, and as results
		eventually(t, "as many items are taken as may be held", func() bool { return taken.Load() >= most/2 })
		time.Sleep(300 * time.Millisecond)
		// Some are with workers, in pipes and buffers.
		if got := taken.Load(); got > most+(1<<20)/int64(size)+4 {
			t.Errorf("%d items of %d bytes were read, want about %d", got, size, most)
		}
		if kib := residentKiB(s.Process.Pid); kib > 1<<20 {
			t.Errorf("%d KiB are resident", kib)
		}
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		s.line(t, fmt.Sprintf("%q\n", file))
		go io.Copy(io.Discard, s.out)
		eventually(t, "it goes on", func() bool { return taken.Load() > 2*most })
		s.Process.Signal(os.Interrupt)
		s.end(t, 130)
	}
}

// residentKiB is the most memory that a process has had, or 0 where that is not told.
func residentKiB(pid int) (kib int) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if _, after, ok := bytes.Cut(text, []byte("VmHWM:")); ok {
		fmt.Sscan(string(after), &kib)
	}
	return kib
}

// TestMapSignals checks that signals stop at once, whatever the items do, and that it is said how far it got.
func TestMapSignals(t *testing.T) {
	for _, c := range []struct {
		signal  syscall.Signal
		args    string
		status  int
		howFar  string
		leftOut string
	}{
		{syscall.SIGINT, "items.py:sleeps", 130, "stopped by interrupt: 1 item, 0 failed", "; the output is complete up to <stdin>:1"},
		{syscall.SIGTERM, "items.py:spins", 143, "stopped by SIGTERM: 1 item, 0 failed", "; the output is complete up to <stdin>:1"},
		{syscall.SIGINT, "--unordered items.py:spins", 130, "stopped by interrupt: 1 item, 0 failed", ""},
		{syscall.SIGTERM, "--mode worker items.py:sleeps", 143, "stopped by SIGTERM: 1 item", "; the output is complete up to <stdin>:1"},
	} {
		s := startStream(t, append([]string{"map", "--workers", "1"}, strings.Fields(c.args)...)...)
		io.WriteString(s.in, "1\n2\n3\n")
		s.line(t, "1\n")
		s.Process.Signal(c.signal)
		s.end(t, c.status, c.howFar, c.leftOut)
	}
	s := startStream(t, "map", "items.py:double") // an idle one
	io.WriteString(s.in, "1\n")
	s.line(t, "2\n")
	s.Process.Signal(os.Interrupt)
	s.end(t, 130, "the output is complete up to <stdin>:1")
}

// TestMapBlockedOutput stops one whose output nobody reads.
func TestMapBlockedOutput(t *testing.T) {
	s := startStream(t, "map", "items.py:same")
	line := `"` + strings.Repeat("x", 1000) + "\"\n"
	taken := s.feed(line)
	s.line(t, line) // it has begun
	last, since := int64(0), time.Now()
	eventually(t, "the pipe is full", func() bool {
		if now := taken.Load(); now != last {
			last, since = now, time.Now()
		}
		return last > 0 && time.Since(since) > time.Second
	})
	s.Process.Signal(os.Interrupt)
	s.end(t, 130, "stopped by interrupt: ", "; nobody reads the output, and the end of it is lost")
}

// TestReaderGone checks what happens when the reader of standard output has enough: the command ends, without a word.
func TestReaderGone(t *testing.T) {
	for _, flag := range []string{"--unordered=false", "--unordered"} {
		s := startStream(t, "map", flag, "items.py:same")
		s.feed("1\n")
		s.line(t, "1\n")
		s.raw.Close()
		s.end(t, 141)
		if s.err.Len() > 0 {
			t.Errorf("standard error: %s", s.err.String())
		}
	}
	for _, expression := range []string{"input()", "input() * 1_000_000"} {
		s := startStream(t, "eval", expression)
		s.raw.Close()
		io.WriteString(s.in, "x\n")
		s.end(t, 141)
		if s.err.Len() > 0 {
			t.Errorf("standard error of eval: %s", s.err.String())
		}
	}
	// A program gets Python's exception.
	s := startStream(t, "run", "-c", "import itertools\nfor i in itertools.count(): print(i)")
	s.line(t, "0\n")
	s.raw.Close()
	s.end(t, 120, "BrokenPipeError: [Errno 32] Broken pipe\n") // Python's status for what is left in its buffers
}

// TestDoctorSignals checks that no process that tries an import is left behind.
func TestDoctorSignals(t *testing.T) {
	dir := folder(t, map[string]string{"busy.py": "import os\nopen(str(os.getpid()), 'w').close()\nwhile True: pass\n"})
	cmd := command(t, "doctor", "busy")
	cmd.Dir = dir
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	began := func() []string {
		found, _ := filepath.Glob(filepath.Join(dir, "[0-9]*"))
		return found
	}
	eventually(t, "an import began", func() bool { return len(began()) > 0 })
	cmd.Process.Signal(syscall.SIGTERM)
	if status := statusOf(t, cmd.Wait()); status != 143 || said.String() != "pyctx: stopped by SIGTERM\n" {
		t.Errorf("status %d, and %q", status, said.String())
	}
	for _, name := range began() {
		id, _ := strconv.Atoi(filepath.Base(name))
		if err := syscall.Kill(id, 0); err == nil {
			t.Errorf("process %d is left behind", id)
			_ = syscall.Kill(id, syscall.SIGKILL)
		}
	}
}

func TestRunSignals(t *testing.T) {
	const tidy = "import atexit, time\natexit.register(print, 'at exit', flush=True)\n"
	for _, c := range []struct {
		name, mode, code string
		signal           syscall.Signal
		status           int
		says             []string
		then             string // is put out after the signal
	}{
		{"a loop", "worker", tidy + "try:\n  print('ready', flush=True)\n  while True: pass\nfinally: print('finally', flush=True)",
			syscall.SIGINT, 130, []string{"Traceback (most recent call last):\n  File \"<string>\", line 5, in <module>\n", "\nKeyboardInterrupt\n"},
			"finally\nat exit\n"},
		{"a loop in an interpreter of its own", "owngil", tidy + "try:\n  print('ready', flush=True)\n  while True: pass\nfinally: print('finally', flush=True)",
			syscall.SIGINT, 130, []string{"\nKeyboardInterrupt\n"}, "finally\nat exit\n"},
		{"code in C", "worker", tidy + "print('ready', flush=True)\ntime.sleep(600)",
			syscall.SIGINT, 130, []string{"line 4, in <module>\n    time.sleep(600)\n", "\nKeyboardInterrupt\n"}, "at exit\n"},
		{"code in C that comes back", "worker", tidy + "import threading\nt = threading.Thread(target=time.sleep, args=(2.5,))\nt.start()\nprint('ready', flush=True)\nt.join()",
			syscall.SIGINT, 130, []string{"line 7, in <module>\n    t.join()\n", "\nKeyboardInterrupt\n"}, "at exit\n"},
		{"threads that are waited for", "worker", tidy + `import sys, threading
main = threading.get_ident()
def work():
  while sys._current_frames()[main].f_code.co_name != '_shutdown': time.sleep(0.01)
  print('ready', flush=True)
  time.sleep(600)
threading.Thread(target=work).start()`,
			syscall.SIGINT, 130, []string{", in _shutdown\n", "\nKeyboardInterrupt\n"}, "at exit\n"},
		{"one that is caught", "worker", "import time\ntry:\n  print('ready', flush=True)\n  while True: pass\nexcept KeyboardInterrupt: print('caught')",
			syscall.SIGINT, 0, nil, "caught\n"},
		{"asyncio", "worker", "import asyncio\nasync def f():\n  print('ready', flush=True)\n  try:\n    while True: await asyncio.sleep(0.01)\n  finally: print('unwound')\nasyncio.run(f())",
			syscall.SIGINT, 130, []string{"\nKeyboardInterrupt\n"}, "unwound\n"},
		{"SIGTERM", "worker", "import time\nprint('ready', flush=True)\ntime.sleep(600)", syscall.SIGTERM, -1, nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := startStream(t, "run", "--mode", c.mode, "-c", c.code)
			s.line(t, "ready\n")
			s.Process.Signal(c.signal)
			rest, _ := io.ReadAll(s.out)
			if string(rest) != c.then {
				t.Errorf("got %q after the signal, want %q", rest, c.then)
			}
			s.end(t, c.status, c.says...)
			if n := strings.Count(s.err.String(), "Traceback"); n > 1 {
				t.Errorf("%d tracebacks:\n%s", n, s.err.String())
			}
			if status := s.ProcessState.Sys().(syscall.WaitStatus); c.status == -1 && status.Signal() != c.signal {
				t.Errorf("ended by %v", status.Signal())
			}
		})
	}
}
