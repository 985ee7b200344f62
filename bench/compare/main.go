// Command compare shows what a change does to the benchmarks of bench/: it builds them on a base commit and on the working
// tree, runs the two in turns, and has benchstat tell what differs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	osexec "os/exec"
	"os/signal"
	"path/filepath"
	"strings"
)

const benchstat = "golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da"

var (
	base      = flag.String("base", "HEAD", "the `commit` to compare with")
	bench     = flag.String("bench", ".", "the benchmarks to run, as go test has it")
	count     = flag.Int("count", 8, "how often each is run; below six nothing is significant")
	benchtime = flag.String("benchtime", "200ms", "how long each is run, as go test has it")
)

func main() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := compare(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func compare(ctx context.Context) error {
	root, err := output(ctx, ".", "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "compare")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	tree := filepath.Join(dir, "base")
	if _, err := output(ctx, root, "git", "worktree", "add", "--detach", tree, *base); err != nil {
		return err
	}
	defer output(context.WithoutCancel(ctx), root, "git", "worktree", "remove", "--force", tree)
	sides := []*side{{name: "base", tree: tree}, {name: "change", tree: root}}
	for _, s := range sides {
		if err := s.build(ctx, dir); err != nil {
			return err
		}
	}
	for round := range *count {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, *count)
		for i := range sides { // each goes first as often as the other
			if err := sides[(i+round)%2].run(ctx); err != nil {
				return err
			}
		}
	}
	return show(ctx, sides)
}

// side is one of the two that are compared.
type side struct {
	name, tree   string
	test, result string
}

func (s *side) build(ctx context.Context, dir string) error {
	s.test, s.result = filepath.Join(dir, s.name+".test"), filepath.Join(dir, s.name+".txt")
	_, err := output(ctx, s.tree, "go", "test", "-c", "-o", s.test, "./bench")
	return err
}

// run adds one run of each benchmark to the result.
func (s *side) run(ctx context.Context) error {
	text, err := output(ctx, filepath.Join(s.tree, "bench"), s.test, "-test.run=^$", "-test.bench="+*bench, "-test.benchtime="+*benchtime)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(s.result, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text+"\n")
	return errors.Join(err, f.Close())
}

func show(ctx context.Context, sides []*side) error {
	args := []string{"run", benchstat}
	for _, s := range sides {
		args = append(args, s.name+"="+s.result)
	}
	cmd := osexec.CommandContext(ctx, "go", args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// output is what a command prints.
func output(ctx context.Context, dir, command string, args ...string) (string, error) {
	cmd := osexec.CommandContext(ctx, command, args...)
	cmd.Dir = dir
	var messages strings.Builder
	cmd.Stderr = &messages
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s%s", cmd, err, out, messages.String())
	}
	return strings.TrimSpace(string(out)), nil
}
