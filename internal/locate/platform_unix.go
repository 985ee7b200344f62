//go:build !windows

package locate

import "io/fs"

const (
	binDir    = "bin"
	exeSuffix = ""
)

// pythonNames are the interpreter's names inside a virtual environment or a prefix.
var pythonNames = []string{"python3", "python"}

func executableMode(info fs.FileInfo) bool { return info.Mode().Perm()&0o111 != 0 }
