// Package arrow takes Arrow data from Python to Go and back without copying it, by Arrow's C data interface, as
// github.com/apache/arrow-go has it. Its name is that of arrow-go's own package, so import it under another:
//
//	import (
//		"github.com/apache/arrow-go/v18/arrow"
//		pyarrow "github.com/pycontext/py/arrow"
//	)
//
// # From Python
//
// [Record], [Table], [Array], [Chunked], [Reader] and [Schema] take any object with the methods of Arrow's PyCapsule interface,
// __arrow_c_array__, __arrow_c_stream__ and __arrow_c_schema__: those of pyarrow, pandas (2.2 or later), polars, nanoarrow, duckdb
// and others.
//
//	o, err := py.Call[*py.Object](ctx, c, "pandas", "read_csv", "data.csv")
//	defer o.Close()
//	table, err := pyarrow.Table(ctx, o)
//	defer table.Release()
//
// What comes of it is the caller's, and ends with its Release, as everything of arrow-go does; it is not released by itself.
// From a [py.Worker] context it is Python's own memory, in place, and stays valid until that Release, also when the context
// has closed. Any goroutine may release it, within a callback or [py.Context.Attach] too: the producer is told soon, on a
// thread of its own, which holds no interpreter lock. Contexts with an interpreter of their own take their memory along when
// they end, so the data of theirs is a copy.
//
// # To Python
//
// [Export] makes an object of arrow-go's data that has those methods, to be given to Python as an argument. pyarrow.table,
// pyarrow.record_batch, pyarrow.array, pandas.DataFrame.from_arrow, polars.DataFrame and the like take it, in place:
//
//	o, err := pyarrow.Export(ctx, c, record)
//	defer o.Close()
//	sum, err := py.Call[float64](ctx, c, "report", "total", o)
//
// Go's memory stays where it is, pinned, for as long as Python can reach it, whatever Go releases meanwhile and whether or not
// the context is still open. Nobody may write to it. [Live] counts what is held on either side.
package arrow
