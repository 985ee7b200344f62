package locate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// config is the file that makes a folder a virtual environment (PEP 405).
const config = "pyvenv.cfg"

func isVenv(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, config))
	return err == nil && info.Mode().IsRegular()
}

// venvOf returns the virtual environment that exe belongs to, or "": PEP 405 puts pyvenv.cfg next to the
// executable or one folder up. Asking Python would not do, since before 3.14 it is the site module that
// sets the prefix, and the question is put without site.
func venvOf(exe string) string {
	bin := filepath.Dir(exe)
	for _, dir := range []string{bin, filepath.Dir(bin)} {
		if isVenv(dir) {
			return dir
		}
	}
	return ""
}

// pythonIn returns the interpreter of a virtual environment or a prefix, or "".
func pythonIn(dir string) string {
	for _, sub := range []string{binDir, ""} {
		for _, name := range pythonNames {
			exe := filepath.Join(dir, sub, name)
			if checkExecutable(exe) == nil {
				return exe
			}
		}
	}
	return ""
}

// fromVenv takes a folder that must be a virtual environment.
func fromVenv(dir string) (Python, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Python{}, err
	}
	if _, err := os.Stat(dir); err != nil {
		return Python{}, missing(dir, err)
	}
	if !isVenv(dir) {
		return Python{}, errors.New("is not a virtual environment: it has no pyvenv.cfg")
	}
	if err := checkBase(dir); err != nil {
		return Python{}, err
	}
	exe := pythonIn(dir)
	if exe == "" {
		return Python{}, fmt.Errorf("is a virtual environment without a working %s: create it anew with "+
			"python3 -m venv", filepath.Join(binDir, pythonNames[0]))
	}
	return fromInterpreter(exe)
}

// checkBase says clearly what CPython would only say in riddles: that the Python from which the
// environment was made is gone.
func checkBase(dir string) error {
	data, err := os.ReadFile(filepath.Join(dir, config))
	if err != nil {
		return err
	}
	home := homeOf(string(data))
	if home == "" {
		return errors.New("is a virtual environment whose pyvenv.cfg does not name its base (home = ...)")
	}
	if !filepath.IsAbs(home) {
		home = filepath.Join(dir, home)
	}
	if _, err := os.Stat(home); err != nil {
		return fmt.Errorf("is a virtual environment made from the Python in %q, which is gone: create it anew "+
			"with python3 -m venv", home)
	}
	return nil
}

// homeOf reads the one key that matters. Everything after the first equals sign is the value, spaces around
// it aside: that is how CPython reads it too.
func homeOf(cfg string) string {
	for line := range strings.Lines(cfg) {
		key, value, ok := strings.Cut(line, "=")
		if ok && strings.EqualFold(strings.TrimSpace(key), "home") {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
