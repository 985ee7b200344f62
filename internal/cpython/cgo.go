//go:build cgo && (linux || darwin)

package cpython

// #cgo CFLAGS: -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Wno-unused-parameter -Wno-unknown-warning-option -Wno-format-truncation -fvisibility=hidden
// #cgo linux LDFLAGS: -ldl -lpthread
// #include "attach.h"
// #include "request.h"
// #include "runtime.h"
import "C"
