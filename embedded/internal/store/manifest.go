package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// manifestName lies in the folder itself, so that both are renamed into place together.
const manifestName = ".manifest"

const manifestHeader = "pyctx manifest 1"

// readManifest returns what the manifest knows, by name. One that is missing or damaged knows nothing, or
// less: its loss costs time, never correctness.
func readManifest(dir string) map[string]file {
	name := filepath.Join(dir, manifestName)
	if info, err := os.Lstat(name); err != nil || !info.Mode().IsRegular() {
		return nil // opening a pipe would wait for ever
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	text, ok := strings.CutPrefix(string(data), manifestHeader+"\n")
	if !ok {
		return nil
	}
	known := map[string]file{}
	for line := range strings.Lines(text) {
		if f, ok := parseEntry(line); ok {
			known[f.name] = f
		}
	}
	return known
}

// writeManifest puts it into dir by way of a temporary file with the given pattern, which must be on the same
// file system but not in dir: there it would look foreign to a process that checks dir at the moment.
func writeManifest(dir, pattern string, files []file) error {
	tmp, err := os.CreateTemp(filepath.Dir(pattern), filepath.Base(pattern))
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	var b bytes.Buffer
	b.WriteString(manifestHeader + "\n")
	for _, f := range files {
		b.WriteString(formatEntry(f))
	}
	_, err = tmp.Write(b.Bytes())
	if err := errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), filepath.Join(dir, manifestName))
}

// formatEntry writes a line: sum, size, times, inode, execute bit, quoted name and link. A link has no sum.
func formatEntry(f file) string {
	sum := f.sum
	if sum == "" {
		sum = "-"
	}
	return fmt.Sprintf("%s %d %d %d %d %t\t%q\t%q\n", sum, f.stat.size, f.stat.modified, f.stat.changed,
		f.stat.inode, f.exec, f.name, f.link)
}

// parseEntry is written without fmt, which would cost as much as all the rest of a quick check.
func parseEntry(line string) (file, bool) {
	var f file
	cols := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
	if len(cols) != 3 {
		return f, false
	}
	nums := strings.Fields(cols[0])
	if len(nums) != 6 || !strings.HasSuffix(line, "\n") {
		return f, false
	}
	if nums[0] != "-" {
		f.sum = nums[0]
	}
	var errs [7]error
	for i, to := range []*int64{&f.stat.size, &f.stat.modified, &f.stat.changed, &f.stat.inode} {
		*to, errs[i] = strconv.ParseInt(nums[i+1], 10, 64)
	}
	f.exec, errs[4] = strconv.ParseBool(nums[5])
	f.name, errs[5] = strconv.Unquote(cols[1])
	f.link, errs[6] = strconv.Unquote(cols[2])
	return f, errs == [7]error{}
}
