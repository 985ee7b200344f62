package py

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Format prints the message for %v and %s, and for %+v what Python prints for an uncaught exception. An exception that came from a
// Go function, which got one from Python, has that as its cause there.
func (e *Error) Format(s fmt.State, verb rune) {
	if verb != 'v' || !s.Flag('+') {
		io.WriteString(s, e.Error())
		return
	}
	var p printer
	p.chain(e)
	io.WriteString(s, strings.TrimSuffix(p.text.String(), "\n"))
}

// printer writes what Python's module traceback does.
type printer struct {
	text   strings.Builder
	groups int  // that are around what is written
	open   bool // the frame around the members of a group has to be closed
}

const (
	causeLine   = "\nThe above exception was the direct cause of the following exception:\n\n"
	contextLine = "\nDuring handling of the above exception, another exception occurred:\n\n"
	framesLine  = "Traceback (most recent call last):\n"
	mostRepeats = 3 // of one frame
	groupWidth  = 15
	groupDepth  = 10
)

func (p *printer) indent() { p.text.WriteString(strings.Repeat("  ", p.groups)) }

// emit writes lines, behind the margin of a group.
func (p *printer) emit(margin, lines string) {
	for line := range strings.Lines(lines) {
		if p.groups > 0 {
			p.indent()
			p.text.WriteString(margin + " ")
		}
		p.text.WriteString(line)
	}
}

func (p *printer) chain(e *Error) {
	if cause := e.cause(); cause != nil {
		p.chain(cause)
		p.emit("|", causeLine)
	} else if e.Context != nil && !e.hideContext {
		p.chain(e.Context)
		p.emit("|", contextLine)
	}
	switch {
	case len(e.Group) == 0:
		p.frames(e, "|", framesLine)
		p.emit("|", e.lastLines())
	case p.groups > groupDepth:
		p.emit("|", fmt.Sprintf("... (max_group_depth is %d)\n", groupDepth))
	default:
		p.group(e)
	}
}

// cause is that of "raise ... from", or the exception that a Go function, which raised this one, got from Python.
func (e *Error) cause() *Error {
	cause := e.Cause
	if cause == nil && !e.again {
		errors.As(e.goError, &cause)
	}
	return cause
}

func (p *printer) group(e *Error) {
	margin, outermost := "|", p.groups == 0
	if outermost {
		p.groups, margin = 1, "+"
	}
	p.frames(e, margin, "Exception Group "+framesLine)
	p.emit("|", e.lastLines())
	n := min(len(e.Group), groupWidth+1)
	p.open = false
	for i, member := range e.Group[:n] {
		if i == n-1 {
			p.open = true
		}
		p.member(i, member, len(e.Group)-groupWidth)
		if i == n-1 && p.open {
			p.indent()
			p.text.WriteString("+------------------------------------\n")
			p.open = false
		}
		p.groups--
	}
	if outermost {
		p.groups = 0
	}
}

// member goes one group deeper.
func (p *printer) member(i int, e *Error, more int) {
	corner, title := "  ", fmt.Sprint(i+1)
	if i == 0 {
		corner = "+-"
	}
	if i == groupWidth {
		title = "..."
	}
	p.indent()
	fmt.Fprintf(&p.text, "%s+---------------- %s ----------------\n", corner, title)
	p.groups++
	if i == groupWidth {
		p.emit("|", fmt.Sprintf("and %d more exception%s\n", more, plural(more)))
	} else {
		p.chain(e)
	}
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// frames writes the traceback, no frame more than three times in a row.
func (p *printer) frames(e *Error, margin, title string) {
	if len(e.Traceback) == 0 {
		return
	}
	p.emit(margin, title)
	beneath := e.sources()
	for i := 0; i < len(e.Traceback); {
		same := 1
		for i+same < len(e.Traceback) && e.Traceback[i+same].same(e.Traceback[i]) {
			same++
		}
		for k := i; k < i+min(same, mostRepeats); k++ {
			p.frame(e.Traceback[k], beneath[k])
		}
		if more := same - mostRepeats; more > 0 {
			p.emit("|", fmt.Sprintf("  [Previous line repeated %d more time%s]\n", more, plural(more)))
		}
		i += same
	}
}

// sources are what stands beneath each entry of the traceback, which a program may have changed.
func (e *Error) sources() []string {
	if slices.Equal(e.Traceback, e.entries) {
		return e.beneath
	}
	known := make(map[Frame]string)
	for i, f := range e.entries {
		known[f] = e.beneath[i]
	}
	all := make([]string, len(e.Traceback))
	for i, f := range e.Traceback {
		all[i] = known[f]
	}
	return all
}

func (p *printer) frame(f Frame, beneath string) {
	p.emit("|", fmt.Sprintf("  File \"%s\", line %d, in %s\n", f.File, f.Line, f.name()))
	switch {
	case beneath != "":
		p.emit("|", beneath)
	case f.Source != "":
		p.emit("|", "    "+f.Source+"\n")
	}
}

// name is the function's without those of what it is in.
func (f Frame) name() string { return f.Function[strings.LastIndexByte(f.Function, '.')+1:] }

func (f Frame) same(g Frame) bool {
	return f.File == g.File && f.Line == g.Line && f.name() == g.name()
}

func (e *Error) lastLines() string {
	if e.last != "" {
		return e.last
	}
	lines := e.Error() + "\n"
	for _, note := range e.Notes {
		lines += note + "\n"
	}
	return lines
}
