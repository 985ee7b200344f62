package locate

import "io/fs"

const (
	binDir    = "Scripts"
	exeSuffix = ".exe"
)

// pythonNames are the interpreter's names inside a virtual environment or a prefix.
var pythonNames = []string{"python.exe"}

func executableMode(fs.FileInfo) bool { return true }
