package bench

import (
	"math"
	"slices"
)

// summary is a figure with how far the rounds lie apart: the quartiles of what each round says on its own.
type summary struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// summarize takes the observations of each round.
func summarize(rounds [][]float64, p float64) summary {
	var each []float64
	for _, r := range rounds {
		each = append(each, percentile(r, p))
	}
	return summary{percentile(slices.Concat(rounds...), p), percentile(each, 25), percentile(each, 75)}
}

// spread is half the distance of the quartiles, as a part of the value.
func (s summary) spread() float64 {
	if s.Value == 0 {
		return 0
	}
	return (s.High - s.Low) / 2 / math.Abs(s.Value)
}

// percentile interpolates between the two nearest observations.
func percentile(all []float64, p float64) float64 {
	if len(all) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(all))
	at := p / 100 * float64(len(sorted)-1)
	below := int(at)
	if below+1 >= len(sorted) {
		return sorted[below]
	}
	return sorted[below] + (at-float64(below))*(sorted[below+1]-sorted[below])
}
