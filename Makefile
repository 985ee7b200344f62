.PHONY: check test bench fuzz

FUZZTIME ?= 30s

# What CI runs.
check:
	bash .ci/run

test:
	go test ./...

# Prints every figure beside its floor.
bench:
	go run ./bench

# Each fuzz target of the codec for FUZZTIME.
fuzz:
	@for target in $$(go test -list '^Fuzz' ./internal/wire | grep '^Fuzz'); do \
		echo "$$target"; go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) ./internal/wire || exit 1; \
	done
