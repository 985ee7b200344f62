package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	osexec "os/exec"
)

// The values of -pin. The last two are what the pinned child is told.
const (
	pinNo     = "no"
	pinOnly   = "only"
	pinBoth   = "both"
	pinInside = "inside"
	pinCheck  = "check"
)

// measurePinned runs the same rows in a child that has one processor, and is told how.
func (o *options) measurePinned(ctx context.Context, how string) (report, error) {
	self, err := os.Executable()
	if err != nil {
		return report{}, err
	}
	cmd := osexec.CommandContext(ctx, self, "-pin", how, "-json", "-rows", o.rows.String(), "-subjects", o.subjects.String(),
		"-rounds", fmt.Sprint(o.rounds), "-batch", o.batch.String())
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := startPinned(cmd); err != nil {
		return report{}, err
	}
	if err := cmd.Wait(); err != nil {
		return report{}, fmt.Errorf("on one processor: %w", err)
	}
	var r report
	return r, json.Unmarshal(out.Bytes(), &r)
}
