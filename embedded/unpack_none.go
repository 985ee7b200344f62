//go:build !((linux && (amd64 || arm64)) || (darwin && (amd64 || arm64)) || (windows && amd64))

package embedded

import "errors"

func unpack(string) error { return errors.New("not built in") }
