// Command counter keeps a counter for each of two users, each in an env of one context: a namespace of its own, in which
// the context's preload has run. The names in one are not seen in the other.
package main

import (
	"context"
	"fmt"
	"log"
	"sync"

	"github.com/pycontext/py"
	_ "github.com/pycontext/py/embedded"
)

const code = `
from collections import Counter

seen = Counter()

def count(word):
    seen[word] += 1
    return seen[word]
`

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatalf("%+v", err)
	}
}

func run(ctx context.Context) error {
	c, err := py.New(ctx, py.Options{Preload: code})
	if err != nil {
		return err
	}
	defer c.Close()

	ann, err := c.NewEnv(ctx)
	if err != nil {
		return err
	}
	defer ann.Close()
	bob, err := c.NewEnv(ctx)
	if err != nil {
		return err
	}
	defer bob.Close()

	// Any number of goroutines may use an env. Its requests run one after the other, so the count needs no lock.
	var users sync.WaitGroup
	for range 100 {
		users.Go(func() {
			if _, err := ann.Call(ctx, "__main__", "count", "apple"); err != nil {
				log.Print(err)
			}
		})
	}
	users.Wait()

	for range 3 {
		if _, err := bob.Call(ctx, "__main__", "count", "banana"); err != nil {
			return err
		}
	}
	for _, r := range []py.Runner{ann, bob, c} {
		seen, err := py.Eval[map[string]int](ctx, r, "seen")
		if err != nil {
			return err
		}
		fmt.Println(seen)
	}
	return nil
}
