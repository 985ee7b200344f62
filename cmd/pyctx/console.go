package main

import (
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// console is standard error with a progress bar below what is written. Any goroutine may use it.
type console struct {
	mu    sync.Mutex
	out   io.Writer
	bar   *progressbar.ProgressBar // nil: none
	shown bool
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
		progressbar.OptionSetPredictTime(total > 0),
		progressbar.OptionSetElapsedTime(true),
	)
}

func (c *console) progress(position int64, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bar == nil {
		return
	}
	c.shown = true
	c.bar.Describe(text)
	_ = c.bar.Set64(position)
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

// Write writes whole lines above the bar, which comes back with the next progress.
func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clear()
	return c.out.Write(p)
}

func (c *console) printf(format string, args ...any) { fmt.Fprintf(c, "pyctx: "+format+"\n", args...) }
