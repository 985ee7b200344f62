// Package sample has the values that are converted between Go and Python as they are measured.
package sample

import "fmt"

// Person is a struct of five fields.
type Person struct {
	ID    int     `json:"id"`
	Name  string  `json:"name"`
	Score float64 `json:"score"`
	Live  bool    `json:"live"`
	Tag   string  `json:"tag"`
}

// Ints are n ints that take more than a byte each.
func Ints(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i * 1000
	}
	return s
}

// Floats are n floats.
func Floats(n int) []float64 {
	s := make([]float64, n)
	for i := range s {
		s[i] = float64(i) / 7
	}
	return s
}

// Scores is a map of n entries.
func Scores(n int) map[string]float64 {
	m := map[string]float64{}
	for i := range n {
		m[fmt.Sprintf("key%d", i)] = float64(i) / 3
	}
	return m
}

// People are n structs.
func People(n int) []Person {
	s := make([]Person, n)
	for i := range s {
		s[i] = Person{i, fmt.Sprintf("name %d", i), float64(i) / 7, i%2 == 0, "tag"}
	}
	return s
}

// Tree is what a JSON document of about n values decodes to: objects of eight each, with up to ten others below each.
func Tree(n int) any { return treeFrom(0, n/8) }

func treeFrom(i, objects int) any {
	children := []any{}
	for child := 10*i + 1; child <= 10*i+10 && child < objects; child++ {
		children = append(children, treeFrom(child, objects))
	}
	return map[string]any{"id": int64(i), "name": fmt.Sprintf("node %d", i), "live": i%2 == 0,
		"tags": []any{"a", float64(i) / 3}, "children": children}
}
