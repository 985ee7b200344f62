// Command instructions counts the instructions that the two halves of the codec take for a value, with valgrind's
// callgrind. Unlike times, they do not depend on what else the machine does.
package main

import (
	"bytes"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"

	_ "github.com/pycontext/py/embedded"
)

func main() {
	do := count
	if len(os.Args) == 2 && os.Args[1] == "work" {
		do = work
	}
	if err := do(); err != nil {
		fmt.Fprintln(os.Stderr, "instructions:", err)
		os.Exit(1)
	}
}

// count runs this program under callgrind and prints what it counts between marks.
func count() error {
	if _, err := osexec.LookPath("valgrind"); err != nil {
		fmt.Println("skipped: there is no valgrind here; install it to count instructions")
		return nil
	}
	dir, err := os.MkdirTemp("", "instructions")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	names, err := callgrind(filepath.Join(dir, "out"))
	if err != nil {
		return err
	}
	fmt.Println("Instructions for one value on its way to Python and back. C's half includes a crossing, and what it makes is freed.\n" +
		"Plain C does what both of C's halves do, without bytes in between; the last column is how often they take that.")
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "value\tGo encodes\tC decodes\tC encodes\tGo decodes\tplain C\tC / plain C\t")
	for i, name := range names {
		fmt.Fprintf(w, "%s\t", name)
		var n [halves]int
		for half := range halves {
			// What callgrind puts out at each mark is what came before it.
			if n[half], err = total(filepath.Join(dir, fmt.Sprintf("out.%d", 2*(i*halves+half+1)))); err != nil {
				return err
			}
			fmt.Fprintf(w, "%d\t", n[half]/repeats)
		}
		fmt.Fprintf(w, "%.2f\t\n", float64(n[1]+n[2])/float64(n[4]))
	}
	return w.Flush()
}

// callgrind returns the names of the values that were converted.
func callgrind(file string) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := osexec.Command("valgrind", "--tool=callgrind", "-q", "--callgrind-out-file="+file, "--dump-before=floor_mark", self, "work")
	// What the Go runtime does now and then is not to be counted, and callgrind does not bear its signals.
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "GOGC=off", "GODEBUG=asyncpreemptoff=1")
	var out, messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &messages
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("callgrind: %w:\n%.2000s", err, &messages)
	}
	return strings.Split(strings.TrimSpace(out.String()), "\n"), nil
}

// total reads how many instructions an output of callgrind is about.
func total(file string) (int, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, fmt.Errorf("callgrind did not see the mark: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		for _, key := range []string{"summary:", "totals:"} {
			if rest, ok := strings.CutPrefix(line, key); ok {
				return strconv.Atoi(strings.TrimSpace(rest))
			}
		}
	}
	return 0, fmt.Errorf("%s has no total", file)
}
