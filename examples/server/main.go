// Command server answers HTTP requests with Python code, on several contexts that run truly in parallel. Go keeps the
// connections, the deadlines and the shutdown; Python works on the text.
//
//	go run ./examples/server -addr 127.0.0.1:8080 &
//	curl -d 'the cat and the dog' http://127.0.0.1:8080/words
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/pycontext/py"
	_ "github.com/pycontext/py/embedded"
)

const code = `
import re
from collections import Counter

def words(text):
    return Counter(re.findall(r"\w+", text.lower()))
`

// pool is a channel of idle contexts: who takes one has it for a while, and puts it back.
type pool chan *py.Context

func newPool(ctx context.Context, n int) (pool, error) {
	p := make(pool, n)
	for range n {
		c, err := py.New(ctx, py.Options{Mode: py.OwnGIL, Preload: code})
		if err != nil {
			p.close()
			return nil, err
		}
		p <- c
	}
	return p, nil
}

func (p pool) words(ctx context.Context, text string) (map[string]int, error) {
	select {
	case c := <-p:
		defer func() { p <- c }()
		return py.Call[map[string]int](ctx, c, "__main__", "words", text)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// close ends the contexts that are idle, which is all of them once the server is shut down.
func (p pool) close() {
	for {
		select {
		case c := <-p:
			if err := c.Close(); err != nil {
				log.Print(err)
			}
		default:
			return
		}
	}
}

func (p pool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	// The deadline interrupts the Python code; so does a client that goes away, whose request's context ends.
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	counts, err := p.words(ctx, string(text))
	var misfit *py.ConversionError
	switch {
	case errors.As(err, &misfit): // such as a body that is not UTF-8
		http.Error(w, err.Error(), http.StatusBadRequest)
	case errors.Is(err, context.DeadlineExceeded):
		http.Error(w, err.Error(), http.StatusGatewayTimeout)
	case err != nil:
		log.Printf("%+v", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
	default:
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(counts)
	}
}

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen on")
	contexts := flag.Int("contexts", runtime.GOMAXPROCS(0), "number of Python contexts")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr, *contexts); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, addr string, contexts int) error {
	if contexts < 1 {
		return fmt.Errorf("-contexts %d: at least one is needed", contexts)
	}
	// The pool outlives ctx: requests under way finish before it is closed.
	p, err := newPool(context.WithoutCancel(ctx), contexts)
	if err != nil {
		return err
	}
	defer p.close()
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("POST /words", p)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	fmt.Printf("listening on %s\n", listener.Addr())

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return server.Shutdown(grace)
}
