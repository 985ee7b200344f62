// Package bench measures what a user of package py does: go test -bench . ./bench
package bench
