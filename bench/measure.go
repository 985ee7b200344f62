package bench

import (
	"fmt"
	"time"
)

// result is a row as it was measured, one for each of its figures.
type result struct {
	Section string               `json:"section"`
	Name    string               `json:"name"`
	Pinned  bool                 `json:"pinned,omitempty"`
	Unit    string               `json:"unit"`
	Goal    float64              `json:"goal,omitempty"`
	OfFloor bool                 `json:"goal_is_multiple_of_floor,omitempty"`
	Beyond  bool                 `json:"goal_is_beyond_floor,omitempty"`
	Figures map[string]summary   `json:"figures"`
	Rounds  map[string][]float64 `json:"rounds"`          // what each round says
	Empty   map[string]string    `json:"empty,omitempty"` // why a column has nothing
}

// measure runs the subjects of a row in turns, so that what the machine does meanwhile hits all of them.
func (l *lab) measure(section string, r row, pinned bool) ([]result, error) {
	defer l.endRow()
	if r.long && !pinned {
		defer func(batch time.Duration) { l.batch = batch }(l.batch)
		l.batch *= 4
	}
	probes := make([]probe, len(r.of))
	observed := make([][][]float64, len(r.of))
	reasons := map[string]string{}
	for i, s := range r.of {
		var err error
		if probes[i], err = s.open(l); err != nil {
			reasons[s.name], probes[i] = reason(err), nil
		}
	}
	if r.beside != nil {
		if err := r.beside(l); err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
	}
	rounds := l.rounds
	if r.rounds > 0 {
		rounds = min(rounds, r.rounds)
	}
	for range rounds {
		for i, p := range probes {
			if p == nil {
				continue
			}
			settle()
			values, err := p()
			if err != nil {
				reasons[r.of[i].name], probes[i], observed[i] = reason(err), nil, nil
				continue
			}
			observed[i] = append(observed[i], values)
		}
	}
	if err := l.ctx.Err(); err != nil {
		return nil, err
	}
	return r.results(section, pinned, observed, reasons), nil
}

// reason says why a cell is empty.
func reason(err error) string {
	if isSkipped(err) {
		return "skipped: " + err.Error()
	}
	return "failed: " + err.Error()
}

func (r row) results(section string, pinned bool, observed [][][]float64, reasons map[string]string) []result {
	figures := r.figures
	if figures == nil {
		figures = median
	}
	var all []result
	for i, f := range figures {
		made := result{Section: section, Name: r.name, Pinned: pinned, Unit: r.unit.Name, OfFloor: r.goal.ofFloor, Beyond: r.goal.beyond,
			Figures: map[string]summary{}, Rounds: map[string][]float64{}, Empty: reasons}
		if f.name != "" {
			made.Name += ", " + f.name
		}
		if i == 0 {
			made.Goal = r.goal.limit
			if pinned {
				made.Goal = r.goal.pinned
			}
		}
		for s, rounds := range observed {
			if rounds == nil {
				continue
			}
			made.Figures[r.of[s].name] = summarize(rounds, f.percentile)
			for _, round := range rounds {
				made.Rounds[r.of[s].name] = append(made.Rounds[r.of[s].name], percentile(round, f.percentile))
			}
		}
		all = append(all, made)
	}
	return all
}

// ratio is ours in floors, or zero where either is missing.
func (r result) ratio() float64 {
	us, ok := r.Figures[ours]
	floor, has := r.Figures[floorName]
	if !ok || !has || floor.Value == 0 {
		return 0
	}
	if r.unit().higher {
		return floor.Value / us.Value
	}
	return us.Value / floor.Value
}

func (r result) unit() unit {
	for _, u := range units {
		if u.Name == r.Unit {
			return u
		}
	}
	return unit{r.Unit, false, func(v float64) string { return fmt.Sprintf("%.3g", v) }}
}

// verdict says whether the goal is reached, in words; empty without one.
func (r result) verdict() string {
	us, ok := r.Figures[ours]
	if r.Goal == 0 || !ok {
		return ""
	}
	u, value, text := r.unit(), us.Value, ""
	switch {
	case r.OfFloor:
		value, text = r.ratio(), fmt.Sprintf("<= %.1fx floor", r.Goal)
	case r.Beyond:
		value, text = value-r.Figures[floorName].Value, fmt.Sprintf("<= %s + floor", u.write(r.Goal))
	case u.higher:
		text = ">= " + u.write(r.Goal)
	default:
		text = "<= " + u.write(r.Goal)
	}
	if u.higher && !r.OfFloor && !r.Beyond {
		value, r.Goal = -value, -r.Goal
	}
	if value > r.Goal {
		return text + ": NOT met"
	}
	return text + ": met"
}
