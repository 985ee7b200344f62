package main

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"os"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/pycontext/py/bench"
)

// ours is the name of the library's column.
const ours = "py"

// chart is a plot with its legend beside it.
type chart struct {
	*plot.Plot
	legend    plot.Legend
	ways      []string       // by color
	again     map[string]int // lines of the same way
	low, high float64
}

var shapes = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.BoxGlyph{}, draw.TriangleGlyph{}, draw.RingGlyph{}, draw.SquareGlyph{}}

func newChart(title string) *chart {
	c := &chart{plot.New(), plot.NewLegend(), nil, map[string]int{}, math.Inf(1), 0}
	c.legend.Top, c.legend.Left, c.legend.Padding = true, true, 4
	c.Title.Text, c.Title.Padding = title, 10
	c.Y.Scale, c.Y.Padding, c.Y.Tick.Label.Font.Size = plot.LogScale{}, 6, 10
	c.X.Padding, c.X.Tick.Label.Font.Size = 6, 10
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = color.Gray{225}, color.Gray{240}
	c.Add(grid)
	return c
}

// add draws points, and a line through them if there is to be one.
func (c *chart) add(name, way string, points plotter.XYs, line bool) error {
	scatter, err := plotter.NewScatter(points)
	if err != nil {
		return err
	}
	l, err := plotter.NewLine(points)
	if err != nil {
		return err
	}
	for _, p := range points {
		c.low, c.high = min(c.low, p.Y), max(c.high, p.Y)
	}
	if !slices.Contains(c.ways, way) {
		c.ways = append(c.ways, way)
	}
	number := slices.Index(c.ways, way)
	scatter.Color, scatter.Shape, scatter.Radius = plotutil.Color(number), shapes[number%len(shapes)], 4
	l.Color, l.Width, l.Dashes = plotutil.Color(number), 1.5, plotutil.Dashes(c.again[way])
	c.again[way]++
	if line {
		c.Add(l, scatter)
		c.legend.Add(name, l, scatter)
		return nil
	}
	c.Add(scatter)
	c.legend.Add(name, scatter)
	return nil
}

// drawBench draws latencies and throughput, one below the other, as far as they were measured.
func drawBench(report bench.Report, file string) error {
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	rows := map[string]bench.Result{}
	for _, r := range report.Results {
		rows[r.Name] = r
	}
	latencies, err := drawLatencies(rows)
	if err != nil {
		return err
	}
	rates, err := drawRates(rows)
	if err != nil {
		return err
	}
	var charts []*chart
	var plots [][]*plot.Plot
	for _, c := range []*chart{latencies, rates} {
		if c.ways != nil {
			charts, plots = append(charts, c), append(plots, []*plot.Plot{c.Plot})
		}
	}
	if charts == nil {
		return errors.New("nothing was measured that can be drawn: that takes rows of latency or goroutines")
	}
	canvas := vgsvg.New(24*vg.Centimeter, vg.Length(len(charts))*12*vg.Centimeter)
	page := draw.New(canvas)
	page.SetColor(color.White)
	page.Fill(page.Rectangle.Path())
	page = draw.Crop(page, 10, -10, 10, -10)
	body := draw.Crop(page, 0, -4*vg.Centimeter, 0, 0)
	for i, row := range plot.Align(plots, draw.Tiles{Rows: len(charts), Cols: 1, PadY: vg.Centimeter}, body) {
		charts[i].Draw(row[0])
		beside := page
		beside.Min.X = body.Max.X + 10
		beside.Min.Y, beside.Max.Y = row[0].Min.Y, row[0].Max.Y-20
		charts[i].legend.Draw(beside)
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if _, err := canvas.WriteTo(f); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

// drawLatencies has a column for each percentile, with a point for each way.
func drawLatencies(rows map[string]bench.Result) (*chart, error) {
	c := newChart("One call of math.sqrt: how long it takes")
	c.Y.Tick.Marker = decades(bench.FormatTime)
	var names []string
	var found []bench.Result
	for _, of := range []struct {
		name string
		row  func(percentile string) string
	}{{"back to back", bench.CallsInARow}, {"1 ms apart", bench.CallsApart}} {
		for _, percentile := range []string{"median", "p99", "p99.9"} {
			if r, ok := rows[of.row(percentile)]; ok {
				names, found = append(names, of.name+",\n"+percentile), append(found, r)
			}
		}
	}
	ways := waysOf(found)
	for i, way := range ways {
		var points plotter.XYs
		for x, r := range found {
			if s, ok := r.Figures[way]; ok { // side by side, so that none hides another
				points = append(points, plotter.XY{X: float64(x) + 0.08*(float64(i)-float64(len(ways)-1)/2), Y: s.Value})
			}
		}
		if err := c.add(way, way, points, false); err != nil {
			return nil, err
		}
	}
	if names == nil {
		return c, nil
	}
	c.NominalX(names...)
	c.X.Min, c.X.Max = -0.5, float64(len(names))-0.5
	c.Y.Min, c.Y.Max = decadesAround(c.low, c.high)
	return c, nil
}

// drawRates has a line for each way, from few goroutines to many.
func drawRates(rows map[string]bench.Result) (*chart, error) {
	c := newChart("Calls of math.sqrt a second, by the number of goroutines that call")
	c.X.Scale, c.X.Tick.Marker = plot.LogScale{}, plot.TickerFunc(crowdTicks)
	c.Y.Tick.Marker = decades(bench.FormatRate)
	one := waysOf([]bench.Result{rows[bench.CallsBy(1, 1)]})
	for _, contexts := range []int{1, 2, 4} {
		name := fmt.Sprintf("%s, %d contexts", ours, contexts)
		if contexts == 1 {
			name = ours + ", 1 context"
		}
		if err := c.addRates(rows, name, ours, contexts); err != nil {
			return nil, err
		}
	}
	for _, way := range one {
		if way == ours {
			continue
		}
		if err := c.addRates(rows, way, way, 1); err != nil {
			return nil, err
		}
	}
	if c.ways == nil {
		return c, nil
	}
	c.X.Min, c.X.Max = 0.8, 1250
	c.Y.Min, c.Y.Max = decadesAround(c.low, c.high)
	return c, nil
}

var crowds = []int{1, 8, 100, 1000}

func crowdTicks(float64, float64) []plot.Tick {
	var all []plot.Tick
	for _, n := range crowds {
		all = append(all, plot.Tick{Value: float64(n), Label: fmt.Sprint(n)})
	}
	return all
}

func (c *chart) addRates(rows map[string]bench.Result, name, way string, contexts int) error {
	var points plotter.XYs
	for _, n := range crowds {
		if s, ok := rows[bench.CallsBy(n, contexts)].Figures[way]; ok {
			points = append(points, plotter.XY{X: float64(n), Y: s.Value})
		}
	}
	if points == nil {
		return nil
	}
	return c.add(name, way, points, true)
}

func waysOf(rows []bench.Result) []string {
	var all []string
	for _, r := range rows {
		for _, way := range r.Ways() {
			if !slices.Contains(all, way) {
				all = append(all, way)
			}
		}
	}
	return all
}

// decades are ticks at powers of ten, with labels such as "10 us" of "10.0 us".
type decades func(v float64) string

func (d decades) Ticks(low, high float64) []plot.Tick {
	var all []plot.Tick
	for v := math.Pow(10, math.Floor(math.Log10(low))); v <= high*1.001; v *= 10 {
		label := strings.NewReplacer(".00", "", ".0", "").Replace(d(v)) + "  " // some fonts are wider than expected
		all = append(all, plot.Tick{Value: v, Label: label})
		for n := 2.0; n < 10; n++ {
			all = append(all, plot.Tick{Value: n * v})
		}
	}
	return all
}

func decadesAround(low, high float64) (float64, float64) {
	return math.Pow(10, math.Floor(math.Log10(low))), math.Pow(10, math.Ceil(math.Log10(high)))
}
