package bench

import (
	"errors"
	"fmt"
)

// A row is one thing that a user does: done with package py, done as its floor, and done as the alternatives do it. The
// rows of a section are in the file rows_SECTION.go. A new feature gets rows in the section that it belongs to, or a file
// and an entry of sections.
type row struct {
	name    string
	unit    unit
	goal    goal
	figures []figure           // nil: the median
	pinned  bool               // is measured on one processor too
	long    bool               // its rounds are long: threads that hand work to each other take a while to have a processor each
	rounds  int                // at most, for what takes long; 0: as many as are asked for
	check   bool               // its ratio to the floor is kept in ratios.json
	beside  func(l *lab) error // runs while the row is measured, until its end
	of      []subject
}

type section struct {
	name string
	rows []row
}

func sections() []section {
	return []section{
		{"floors", floorRows()},
		{"requests", requestRows()},
		{"values", valueRows()},
		{"large data", largeRows()},
		{"functions", functionRows()},
		{"streams", streamRows()},
		{"goroutines", goroutineRows()},
		{"latency", latencyRows()},
		{"contexts", contextRows()},
		{"parallel", parallelRows()},
	}
}

// A subject is one way to do what a row says.
type subject struct {
	name string
	open func(l *lab) (probe, error)
}

// The names of the subjects, which are the columns of the tables.
const (
	ours        = "py"
	floorName   = "floor"
	channelName = "channel"
	jsonName    = "json"
	msgpackName = "msgpack"
	httpName    = "http"
	execName    = "exec"
	interpName  = "interpreters"
	processName = "processes"
	textName    = "json text"
	plainName   = "none" // one Python process, nothing in parallel
)

var columns = []string{ours, floorName, channelName, textName, jsonName, msgpackName, httpName, execName, interpName, processName, plainName}

// A probe measures one round and returns what it observed, in the row's unit.
type probe func() ([]float64, error)

// as converts what a subject observes.
func (s subject) as(convert func(float64) float64) subject {
	return subject{s.name, func(l *lab) (probe, error) {
		p, err := s.open(l)
		return func() ([]float64, error) {
			values, err := p()
			for i, v := range values {
				values[i] = convert(v)
			}
			return values, err
		}, err
	}}
}

// eachOf is for subjects that do many of what is measured in one operation.
func eachOf(many int, subjects ...subject) []subject {
	var all []subject
	for _, s := range subjects {
		all = append(all, s.as(func(v float64) float64 { return v / float64(many) }))
	}
	return all
}

// skipped is the error of a subject that cannot be measured here.
type skipped string

func (s skipped) Error() string { return string(s) }

func isSkipped(err error) bool {
	var s skipped
	return errors.As(err, &s)
}

// A goal is what issue and README promise. A zero one promises nothing.
type goal struct {
	limit   float64
	pinned  float64 // on one processor
	ofFloor bool    // a multiple of the floor
	beyond  bool    // what is on top of the floor
}

// A figure is what is made of the observations of a row: a percentile.
type figure struct {
	name       string
	percentile float64
}

var (
	median  = []figure{{"", 50}}
	spreads = []figure{{"median", 50}, {"p99", 99}, {"p99.9", 99.9}}
)

// A unit says how a figure is written, and which way is better.
type unit struct {
	Name   string
	higher bool
	write  func(float64) string
}

var (
	nanoseconds = unit{"ns", false, short}
	perSecond   = unit{"per second", true, func(v float64) string { return thousands(v) + "/s" }}
	megabytes   = unit{"MB", false, func(v float64) string { return fmt.Sprintf("%.2f MB", v) }}
	times       = unit{"times", true, func(v float64) string { return fmt.Sprintf("%.2fx", v) }}
	percent     = unit{"%", false, func(v float64) string { return fmt.Sprintf("%.2f %%", v) }}
)

var units = []unit{nanoseconds, perSecond, megabytes, times, percent}

// short writes nanoseconds as a duration with three digits.
func short(v float64) string {
	name := "ns"
	switch {
	case v >= 1e9:
		v, name = v/1e9, "s"
	case v >= 1e6:
		v, name = v/1e6, "ms"
	case v >= 1e3:
		v, name = v/1e3, "us"
	}
	switch {
	case v < 10:
		return fmt.Sprintf("%.2f %s", v, name)
	case v < 100:
		return fmt.Sprintf("%.1f %s", v, name)
	}
	return fmt.Sprintf("%.0f %s", v, name)
}

func thousands(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.2fM", v/1e6)
	case v >= 1e4:
		return fmt.Sprintf("%.0fk", v/1e3)
	case v >= 1e3:
		return fmt.Sprintf("%.1fk", v/1e3)
	}
	return fmt.Sprintf("%.0f", v)
}
