package bench

import (
	"fmt"
	"os"
	osexec "os/exec"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/pycontext/py"
)

// machine is where figures come from.
type machine struct {
	Date       string `json:"date"`
	Processor  string `json:"processor"`
	Processors int    `json:"processors"`
	System     string `json:"system"`
	Others     string `json:"others,omitempty"` // what other programs did meanwhile
	Go         string `json:"go"`
	Python     string `json:"python"`
	Commit     string `json:"commit,omitempty"`
}

func describeMachine() (machine, error) {
	info, err := py.Info()
	if err != nil {
		return machine{}, err
	}
	return machine{
		Date:       time.Now().UTC().Format("2006-01-02"),
		Processor:  processorModel(),
		Processors: runtime.GOMAXPROCS(0),
		System:     strings.TrimSpace(runtime.GOOS + "/" + runtime.GOARCH + " " + contents("/proc/sys/kernel/osrelease")),
		Go:         runtime.Version(),
		Python:     fmt.Sprintf("CPython %s (%s)", info.Version, info.Source),
		Commit:     output("git", "describe", "--always", "--dirty"),
	}, nil
}

func (m machine) String() string {
	text := fmt.Sprintf("%s: %d x %s, %s, %s, %s", m.Date, m.Processors, m.Processor, m.System, m.Go, m.Python)
	if m.Commit != "" {
		text += ", commit " + m.Commit
	}
	if m.Others != "" {
		text += "; " + m.Others
	}
	return text
}

var modelName = regexp.MustCompile(`(?m)^model name\s*:\s*(.*)$`)

func processorModel() string {
	if m := modelName.FindStringSubmatch(contents("/proc/cpuinfo")); m != nil {
		return m[1]
	}
	if name := output("sysctl", "-n", "machdep.cpu.brand_string"); name != "" {
		return name
	}
	return "processor"
}

func contents(file string) string {
	text, _ := os.ReadFile(file)
	return strings.TrimSpace(string(text))
}

// output is what a command prints, or nothing.
func output(command string, args ...string) string {
	out, err := osexec.Command(command, args...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
