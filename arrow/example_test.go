//go:build cgo && (linux || darwin)

package arrow_test

import (
	"context"
	"fmt"
	"log"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/pycontext/py"
	pyarrow "github.com/pycontext/py/arrow"
)

// Data from Go goes into Python and comes back, in place. What Python does with it here is nothing: with pyarrow it may be
// pyarrow.table(data), with pandas pandas.DataFrame.from_arrow(data).
func Example() {
	ctx := context.Background()
	c, err := py.New(ctx, py.Options{Preload: "def same(data): return data"})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	numbers := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil))
	defer numbers.Release()
	numbers.Field(0).(*array.Int64Builder).AppendValues([]int64{1, 2, 3}, nil)
	record := numbers.NewRecordBatch()
	defer record.Release()

	data, err := pyarrow.Export(ctx, c, record)
	if err != nil {
		log.Fatal(err)
	}
	defer data.Close()
	result, err := py.Call[*py.Object](ctx, c, "__main__", "same", data)
	if err != nil {
		log.Fatal(err)
	}
	defer result.Close()

	rows, err := pyarrow.Reader(ctx, result)
	if err != nil {
		log.Fatal(err)
	}
	defer rows.Release()
	for rows.Next() {
		fmt.Println(rows.RecordBatch().Column(0))
	}
	fmt.Println(rows.Err())
	// Output:
	// [1 2 3]
	// <nil>
}

// The examples below need pandas or pyarrow, in a context whose namespace has them.
var c *py.Context

func ExampleExport() {
	numbers := array.NewFloat64Builder(memory.DefaultAllocator)
	defer numbers.Release()
	numbers.AppendValues([]float64{1, 2.5}, nil)
	items := numbers.NewFloat64Array()
	defer items.Release()

	data, err := pyarrow.Export(ctx, c, items)
	if err != nil {
		log.Fatal(err)
	}
	defer data.Close()
	fmt.Println(py.Eval[float64](ctx, c, "pyarrow.compute.sum(pyarrow.array(data)).as_py()", py.Vars{"data": data}))
}

func ExampleTable() {
	frame, err := py.Call[*py.Object](ctx, c, "pandas", "read_csv", "orders.csv")
	if err != nil {
		log.Fatal(err)
	}
	defer frame.Close()
	table, err := pyarrow.Table(ctx, frame)
	if err != nil {
		log.Fatal(err)
	}
	defer table.Release()
	fmt.Println(table.NumRows(), table.Schema())
}

func ExampleReader() {
	file, err := py.Eval[*py.Object](ctx, c, "pyarrow.dataset.dataset('orders').scanner().to_reader()")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	rows, err := pyarrow.Reader(ctx, file)
	if err != nil {
		log.Fatal(err)
	}
	defer rows.Release()
	for rows.Next() {
		fmt.Println(rows.RecordBatch().NumRows())
	}
	if rows.Err() != nil {
		log.Fatal(rows.Err())
	}
}

func ExampleRecord() {
	data, err := py.Eval[*py.Object](ctx, c, "pyarrow.RecordBatch.from_pydict({'n': [1, 2, 3]})")
	if err != nil {
		log.Fatal(err)
	}
	defer data.Close()
	record, err := pyarrow.Record(ctx, data)
	if err != nil {
		log.Fatal(err)
	}
	defer record.Release()
	fmt.Println(record.Column(0).(*array.Int64).Int64Values())
}

func ExampleArray() {
	data, err := py.Eval[*py.Object](ctx, c, "pyarrow.array(['a', None])")
	if err != nil {
		log.Fatal(err)
	}
	defer data.Close()
	items, err := pyarrow.Array(ctx, data)
	if err != nil {
		log.Fatal(err)
	}
	defer items.Release()
	fmt.Println(items.(*array.String).Value(0), items.IsNull(1))
}

func ExampleChunked() {
	column, err := py.Eval[*py.Object](ctx, c, "polars.Series([1, 2, 3])")
	if err != nil {
		log.Fatal(err)
	}
	defer column.Close()
	chunked, err := pyarrow.Chunked(ctx, column)
	if err != nil {
		log.Fatal(err)
	}
	defer chunked.Release()
	fmt.Println(chunked.Len())
}

func ExampleSchema() {
	data, err := py.Eval[*py.Object](ctx, c, "pyarrow.parquet.read_schema('orders.parquet')")
	if err != nil {
		log.Fatal(err)
	}
	defer data.Close()
	fmt.Println(pyarrow.Schema(ctx, data))
}

func ExampleLive() {
	fmt.Println(pyarrow.Live().Imported, "buffers of Python's are in use")
}
