package bench

import (
	"bufio"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/pycontext/py"
)

//go:embed python
var pythonFiles embed.FS

// A service is a Python process that answers calls.
type service interface {
	// call decodes the result of a function into what result points to.
	call(function string, result any, args ...any) error
}

// What is sent: a call, or what a Go function returned. What is received: a result, an error, or a call of a Go function.
type (
	question struct {
		Call string `json:"call"`
		Args []any  `json:"args"`
	}
	returned struct {
		Answer int `json:"answer"`
	}
	answer struct {
		Result   any    `json:"result"`
		Error    string `json:"error"`
		Callback string `json:"callback"`
		Args     []int  `json:"args"`
	}
)

// codec writes and reads messages.
type codec struct {
	encode func(v any) error
	decode func(v any) error
}

func jsonCodec(c net.Conn) codec { return codec{json.NewEncoder(c).Encode, json.NewDecoder(c).Decode} }

// msgpackCodec needs a msgpack library; this one takes the place of a hand-written encoder of half its speed.
func msgpackCodec(c net.Conn) codec {
	out := bufio.NewWriter(c)
	e, d := msgpack.NewEncoder(out), msgpack.NewDecoder(bufio.NewReader(c))
	e.SetCustomStructTag("json")
	d.SetCustomStructTag("json")
	return codec{
		func(v any) error { return errors.Join(e.Encode(v), out.Flush()) },
		d.Decode,
	}
}

// peer is a child process at the other end of a socket. It takes one call at a time, and those of its own callbacks.
type peer struct {
	codec
	pid       int
	mu        sync.Mutex
	callbacks map[string]func(n int) (int, error)
}

func newPeer(c codec, pid int) *peer {
	p := &peer{codec: c, pid: pid}
	p.callbacks = map[string]func(n int) (int, error){
		"f":    func(n int) (int, error) { return next(n), nil },
		"nest": func(n int) (m int, err error) { return m, p.exchange("nest", &m, []any{n - 1}) },
	}
	return p
}

func (p *peer) call(function string, result any, args ...any) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.exchange(function, result, args)
}

func (p *peer) exchange(function string, result any, args []any) error {
	if err := p.encode(question{function, args}); err != nil {
		return err
	}
	for {
		a := answer{Result: result}
		if err := p.decode(&a); err != nil {
			return err
		}
		switch {
		case a.Error != "":
			return errors.New(a.Error)
		case a.Callback == "":
			return nil
		}
		n, err := p.callbacks[a.Callback](a.Args[0])
		if err != nil {
			return err
		}
		if err := p.encode(returned{n}); err != nil {
			return err
		}
	}
}

// scripts is the folder with the Python files, unpacked.
func (l *lab) scripts() (string, error) {
	return sharedBy(l, "scripts", func() (string, func(), error) {
		dir, err := os.MkdirTemp("", "bench")
		if err != nil {
			return "", nil, err
		}
		return filepath.Join(dir, "python"), func() { _ = os.RemoveAll(dir) }, os.CopyFS(dir, pythonFiles)
	})
}

// python is a command that runs one of the scripts on the same CPython.
func (l *lab) python(script string, args ...string) (*osexec.Cmd, error) {
	info, err := py.Info()
	if err != nil {
		return nil, err
	}
	dir, err := l.scripts()
	if err != nil {
		return nil, err
	}
	cmd := osexec.CommandContext(l.ctx, info.Executable, append([]string{"-B", filepath.Join(dir, script)}, args...)...)
	cmd.Stderr = os.Stderr
	return cmd, nil
}

// openPeer starts a child process.
func (l *lab) openPeer(kind string) (service, func(), error) {
	cmd, err := l.python("server.py", kind)
	if err != nil {
		return nil, nil, err
	}
	makeCodec := jsonCodec
	if kind == msgpackName {
		makeCodec = msgpackCodec
		if cmd.Env, err = l.withMsgpack(); err != nil {
			return nil, nil, err
		}
	}
	conn, childs, err := socketPair()
	if err != nil {
		return nil, nil, err
	}
	cmd.ExtraFiles = []*os.File{childs}
	err = cmd.Start()
	_ = childs.Close()
	if err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	end := func() {
		_ = conn.Close()
		_ = cmd.Wait()
	}
	return newPeer(makeCodec(conn), cmd.Process.Pid), end, nil
}

const msgpackVersion = "1.1.2"

// withMsgpack is an environment in which the children find msgpack, which the bundled Python does not have. It is kept in
// the user's cache folder.
func (l *lab) withMsgpack() ([]string, error) {
	where, err := sharedBy(l, "msgpack package", func() (string, func(), error) {
		where, err := l.installMsgpack()
		return where, func() {}, err
	})
	return append(os.Environ(), "PYTHONPATH="+where), err
}

func (l *lab) installMsgpack() (string, error) {
	info, err := py.Info()
	if err != nil {
		return "", err
	}
	if osexec.CommandContext(l.ctx, info.Executable, "-c", "import msgpack").Run() == nil {
		return "", nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", skipped("there is no folder to keep msgpack in: " + err.Error())
	}
	version := pythonVersion(info.Version)
	where := filepath.Join(cache, "pyctx-bench", "msgpack-"+msgpackVersion+"-"+version)
	if _, err := os.Stat(filepath.Join(where, "msgpack")); err == nil {
		return where, nil
	}
	pip := osexec.CommandContext(l.ctx, "python3", "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", where,
		"--python-version", version, "--only-binary=:all:", "msgpack=="+msgpackVersion)
	if err := run(pip); err != nil {
		return "", skipped(fmt.Sprintf("this Python has no msgpack, and pip does not get it: %v", err))
	}
	return where, nil
}

// pythonVersion is "3.14" of "3.14.6".
func pythonVersion(full string) string {
	parts := strings.SplitN(full, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

// asked is an operation of a service.
func asked(name string, op func(s service) error) way {
	return way{name, func(l *lab, number int) (func() error, error) {
		s, err := l.service(name, number)
		return func() error { return op(s) }, err
	}}
}

func (l *lab) service(name string, number int) (service, error) {
	return sharedBy(l, fmt.Sprint(name, number), func() (service, func(), error) {
		if name == httpName {
			return l.openSidecar()
		}
		return l.openPeer(name)
	})
}

// askedEach is the operation by every service.
func askedEach(op func(s service) error) []way {
	return []way{asked(jsonName, op), asked(msgpackName, op), asked(httpName, op)}
}
