package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// console is standard error with a progress bar below what is written. Any goroutine may use it.
type console struct {
	mu      sync.Mutex
	out     io.Writer
	bar     *progressbar.ProgressBar // nil: none
	shown   bool
	midLine bool // the line below is not the bar's
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" }

// showBar starts a bar that is full at total; -1 is unknown.
func (c *console) showBar(total int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bar = progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(c.out),
		progressbar.OptionSetWidth(24),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSpinnerType(14),
		progressbar.OptionSetSpinnerChangeInterval(0), // else a goroutine of the bar's own draws, whatever is written meanwhile
		progressbar.OptionSetPredictTime(total > 0),
		progressbar.OptionSetElapsedTime(true),
	)
}

func (c *console) progress(position int64, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bar == nil || c.midLine {
		return
	}
	text, ok := fitting(text, columns(c.out)-besideText)
	if !ok {
		c.clear() // the terminal has become narrow: write must not draw it again
		return
	}
	c.shown = true
	c.bar.Describe(text)
	_ = c.bar.Set64(position)
}

const besideText = len("  100% || [59m59s:59m59s] ") // at least

// fitting leaves away the ends of a text that do not fit, and tells whether there is room for it at all. A bar that is longer
// than a line of the terminal could not be drawn over.
func fitting(text string, room int) (string, bool) {
	for len(text) > max(room, 0) {
		text = text[:max(strings.LastIndex(text, ", "), 0)]
	}
	return text, room >= 0
}

func columns(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return n
		}
	}
	return 80
}

func (c *console) hideBar() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clear()
	c.bar = nil
}

func (c *console) clear() {
	if c.shown {
		_ = c.bar.Clear()
		c.shown = false
	}
}

// Write writes above the bar.
func (c *console) Write(p []byte) (int, error) { return c.write(c.out, p) }

func (c *console) write(w io.Writer, p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	shown := c.shown
	c.clear()
	if len(p) > 0 {
		c.midLine = p[len(p)-1] != '\n'
	}
	n, err := w.Write(p)
	if shown && !c.midLine {
		c.shown = true
		_ = c.bar.RenderBlank()
	}
	return n, err
}

// above is another way to the terminal of the bar.
type above struct {
	*console
	out io.Writer
}

func (a above) Write(p []byte) (int, error) { return a.write(a.out, p) }

func (c *console) printf(format string, args ...any) { fmt.Fprintf(c, "pyctx: "+format+"\n", args...) }
