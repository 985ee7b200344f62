// Package examples_test builds every example and runs it as a user would.
package examples_test

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

var folder string // of the built programs

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if folder, err = os.MkdirTemp("", "examples"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	build := exec.Command("go", "build", "-o", folder+string(filepath.Separator), "./...")
	build.Stdout, build.Stderr = os.Stdout, os.Stderr
	if err := build.Run(); err != nil {
		panic(err)
	}
	return m.Run()
}

func command(t *testing.T, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), filepath.Join(folder, name), args...)
	cmd.Stderr = t.Output()
	return cmd
}

func TestOutput(t *testing.T) {
	for name, want := range map[string]string{
		"first": `1.4142135623730951
9 <nil>
go.Error: no price for "ice"
`,
		"callback": `    notes/old/older: 7 bytes of text
  notes/old: 13 bytes of text
notes: 18 bytes of text
in all: 18
go.FileNotFoundError: open missing: file does not exist true
`,
		"counter": `map[apple:100]
map[banana:3]
map[]
`,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := command(t, name).Output()
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// TestFirstIsInREADME keeps the first program that a reader sees one that works.
func TestFirstIsInREADME(t *testing.T) {
	program, err := os.ReadFile("first/main.go")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(program), "package main")
	if !strings.Contains(string(readme), "```go\npackage main"+body+"```\n") {
		t.Error("README.md does not hold the program of first/main.go, from its package clause on")
	}
}

func TestServer(t *testing.T) {
	cmd := command(t, "server", "-addr", "127.0.0.1:0", "-contexts", "2")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + strings.TrimSpace(strings.TrimPrefix(line, "listening on ")) + "/words"
	answers := make(chan string)
	for range 20 {
		go func() { answers <- post(url, "The cat and the dog") }()
	}
	for range 20 {
		if got, want := <-answers, `200 {"and":1,"cat":1,"dog":1,"the":2}`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got, want := post(url, "\xff"), "400 py: args[0]: "; !strings.HasPrefix(got, want) {
		t.Errorf("a body that is not text: got %s, want %s...", got, want)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the server did not end well: %v", err)
	}
}

func post(url, body string) string {
	client := http.Client{Timeout: time.Minute}
	answer, err := client.Post(url, "text/plain", strings.NewReader(body))
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err.Error()
	}
	return answer.Status[:3] + " " + strings.TrimSpace(string(text))
}
