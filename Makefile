.PHONY: check test bench bench-check bench-compare bench-instructions fuzz

FUZZTIME ?= 30s
BASE ?= HEAD

# What CI runs.
check:
	bash .ci/run

test:
	go test ./...

# Prints every figure beside its floor and the alternatives. bench/README.md says more.
bench:
	go run ./bench/run

# Fails when a row has lost more than a third against its floor.
bench-check:
	go run ./bench/run -check

# The Go benchmarks on the commit BASE and on the working tree.
bench-compare:
	go run ./bench/compare -base $(BASE)

# The instructions that the codec takes.
bench-instructions:
	go run -ldflags="-s=0 -w=0" ./bench/instructions # callgrind needs the symbol of the mark

# Each fuzz target of the codec for FUZZTIME. Without a limit go spends most of that on making inputs shorter.
fuzz:
	@for target in $$(go test -list '^Fuzz' ./internal/wire | grep '^Fuzz'); do \
		echo "$$target"; go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x ./internal/wire || exit 1; \
	done
