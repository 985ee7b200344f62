// Package py runs Python in a Go program's own process.
//
// A [Context] owns one Python namespace and one thread. Any goroutine may send it a request, such as a call of a function
// or an expression to evaluate, and gets a Go value back. Python code may call functions of the Go program, and those may
// call Python again, as deep as they like. Contexts with an interpreter lock of their own run truly in parallel.
//
//	ctx := context.Background()
//	c, err := py.New(ctx, py.Options{Mode: py.OwnGIL})
//	if err != nil {
//		return err
//	}
//	defer c.Close()
//	root, err := py.Call[float64](ctx, c, "math", "sqrt", 2)
//
// # Which Python
//
// CPython is loaded when the program runs, so building it takes a C compiler but nothing of Python. A process has one
// CPython, 3.12 or later, for its whole life. It is the first of these:
//
//   - what [Config].Python names, or else the variable PYCTX_PYTHON: an interpreter, the folder of a virtual environment,
//     or a libpython;
//   - an active virtual environment (VIRTUAL_ENV);
//   - the bundled CPython, where the program has the import _ "github.com/pycontext/py/embedded";
//   - python3 on PATH.
//
// What is named explicitly is used or refused, with the reason; nothing else is tried then. A CPython that was built
// without a shared library cannot be loaded.
//
// The first [New] loads it. A program that wants to say which Python, what sys.argv and sys.path hold, or where print
// writes to, calls [Start] before. [Info] says what was loaded, where it was found, which of these could not be used and was
// passed over, such as a virtual environment that is gone, and which modes it supports. Python is
// initialised isolated: PYTHONPATH and its like have no effect, text is UTF-8, and signals are left to Go. What Go does nothing
// about, such as a SIGUSR1 that no signal.Notify asks for, ends the process where it comes to a thread that is not Go's.
//
// Two of Python's settings differ from its own defaults, in every interpreter: sys.setrecursionlimit is 12000, since Go
// and Python calling each other use it up; sys.setswitchinterval is 0.5 ms, so that contexts that share a lock, and
// interrupts, do not wait for longer.
//
// # Contexts and modes
//
// [New] makes a context. It lives until [Context.Close], or until the context.Context given to New ends. The [Mode] in
// its [Options] says which interpreter and which lock it has:
//
//	mode       interpreter  lock          modules                   use it for
//	Worker     the main     shared        shared by all workers     packages that know one interpreter only (numpy,
//	                                                                pandas, torch); work that waits more than it computes
//	Subinterp  its own      shared        its own                   keeping tenants apart on CPython 3.12 and 3.13
//	OwnGIL     its own      its own       its own                   computing in parallel, keeping tenants apart (3.14)
//
// Worker works with every package and is the zero value. Contexts that share a lock take turns running Python code; they
// do overlap where code sleeps, reads, writes, or computes in C with the lock let go. OwnGIL contexts share nothing but
// the process, and as many run at once as there are processors. It takes extension modules that support it: those of
// the standard library do on CPython 3.14, but for curses, faulthandler, readline, tkinter and tracemalloc, and numpy and many others do not
// yet, whose import is an ImportError that names the module, the mode and what to use instead. A mode that the Python at hand
// is too old for is [ErrUnsupportedMode].
//
// On a free-threaded build of CPython there are no locks to share, and all modes run in parallel, as do the threads that Python code
// starts: what they have in common has to be prepared for that, Go functions that are [Inline] among it. An extension module that
// does not say that it needs no lock brings the lock back when it is imported, for the whole process; Python's
// sys._is_gil_enabled() tells. Subinterp contexts take the modules there that OwnGIL ones do.
//
// Modes change nothing else. What is said below holds in each of them.
//
// # Requests
//
// [Context.Call] calls a function of a module, [Context.Eval] evaluates an expression, [Context.Exec] runs statements. The
// module "__main__" is the context's own namespace, which Eval and Exec work in:
//
//	err := c.Exec(ctx, "def greet(name, punctuation='.'):\n  return f'Hello {name}{punctuation}'")
//	text, err := c.Call(ctx, "__main__", "greet", "you", py.Kw{"punctuation": "!"})
//	sum, err := c.Eval(ctx, "x + y", py.Vars{"x": 1, "y": 2})
//
// A last argument of type [Kw] holds the keyword arguments. [Vars] of an Eval are seen by that expression alone and
// change nothing; those of an Exec are assigned in the namespace. Sources and names are remembered, so that the same text
// is compiled once; what a name is bound to is looked up each time.
//
// Requests run on the context's one thread, in the order of their arrival. So threading.get_ident() is always the same,
// thread-local state stays, and an sqlite3 connection made in one request works in the next.
//
// An [Env] is one more namespace in a context, at the cost of a dict, that starts with what [Options].Preload defines.
// Call, Eval and Exec work in it as they do in a context.
//
// "import __main__" and sys.modules["__main__"] give the namespace of the request: what Exec defines can be pickled and
// unpickled, and string annotations are found. Methods of objects, what a stream takes from a generator, Attach and threads
// that Python starts have that of the context, also where their code is an env's. C code that asks for the dict of the module by
// itself sees an empty one in a Worker context, and the context's in an env. inspect.getsource finds the source of
// functions, and none of a class, as with python -c; a process that multiprocessing spawns does not have what Exec defined.
//
// # Typed results
//
// The methods return any. The functions [Call], [Eval], [CallMethod], [Attr] and [Decode] decode into a type that you
// name:
//
//	counts, err := py.Call[map[string]int](ctx, c, "__main__", "count", text)
//
//	type point struct {
//		X, Y float64
//		Name string `py:"name"`
//	}
//	points, err := py.Eval[[]point](ctx, env, "[{'X': 1, 'Y': 2.5, 'name': 'a'}]")
//
// # Values
//
// A value travels exactly or not at all. What cannot be carried over is a [ConversionError] that names the place, such as
// args[0].items[3]; from an argument it means that Python was not touched.
//
//	Go, as an argument or a callback's result  Python                      exact, within these limits
//	nil, nil pointer, nil interface            None
//	nil func, nil channel                      None
//	bool                                       bool
//	every int and uint kind, *big.Int          int                         of any size
//	float32, float64                           float                       a NaN with its bits
//	complex64, complex128                      complex
//	string                                     str                         valid UTF-8
//	[]byte, [N]byte                            bytes
//	ByteArray                                  bytearray
//	slice, array                               list                        empty for a nil slice
//	map                                        dict                        empty for a nil map; an array as a key becomes a tuple
//	map[K]struct{}                             set
//	struct                                     dict                        see Structs below
//	Tuple                                      tuple
//	Set                                        set
//	FrozenSet                                  frozenset
//	Dict                                       dict                        in its order
//	Date                                       datetime.date               years 1 to 9999
//	TimeOfDay                                  datetime.time               no tzinfo
//	DateTime                                   datetime.datetime           no tzinfo; with fold
//	time.Time                                  datetime.datetime           microseconds, years 1 to 9999; tzinfo is timezone.utc,
//	                                                                       the ZoneInfo of its location's name, or its offset
//	time.Duration                              datetime.timedelta          microseconds
//	Decimal                                    decimal.Decimal
//	*big.Rat                                   fractions.Fraction
//	UUID                                       uuid.UUID
//	Path                                       pathlib.PosixPath
//	Range                                      range                       64 bits
//	Slice                                      slice
//	*Object                                    the identical object        of the same context
//	func, iter.Seq2, io.Reader or io.Writer    the identical object        of the same context; not a file that Go has bytes of
//	  that a Python object became
//	*Env                                       dict                        of its namespace, itself
//	func, Function                             a callable                  see Functions as values
//	Array                                      numpy.ndarray               with its shape; an ImportError without numpy
//	Lend, LendWritable of a slice              memoryview                  of the slice's memory, for the length of the request
//	iter.Seq, iter.Seq2, chan                  an iterator                 see Iterators and files
//	io.Reader, io.Writer                       a binary file object        see Iterators and files
//	a T with a converter                       an object of its class      see Types of one's own
//	chan<-, uintptr, unsafe.Pointer            an error                    nil ones too
//
//	Python                     any               a typed T
//	None                       nil               pointer, interface, slice, map, as nil
//	bool                       bool              bool kinds
//	int                        int64, *big.Int   int, uint and float kinds, complex128, *big.Int, *big.Rat, if exact
//	float                      float64           float64, complex128; float32 if exact
//	complex                    complex128        complex128; complex64 if exact
//	str                        string            string kinds, Path
//	bytes                      []byte            []byte; [N]byte of that length; ByteArray
//	bytearray                  ByteArray         ByteArray; []byte; [N]byte of that length
//	list                       []any             slice; array of that length
//	tuple                      Tuple             Tuple; slice; array of that length
//	set                        Set               Set; slice; map[K]struct{}
//	frozenset                  FrozenSet         FrozenSet; slice; map[K]struct{}
//	dict, keys all str         map[string]any    map; struct; Dict
//	dict, keys None, bool,     map[any]any       map; Dict
//	  int, float or str
//	dict, other keys           Dict              Dict; map whose keys can be them
//	date                       Date              Date
//	time, no tzinfo            TimeOfDay         TimeOfDay
//	datetime, no tzinfo        DateTime          DateTime
//	datetime with tzinfo       time.Time         time.Time, in the location of that name or at that offset
//	timedelta                  time.Duration     time.Duration; one beyond 292 years is an *Object
//	Decimal                    Decimal           Decimal, NaN and Infinity too; *big.Rat if finite
//	Fraction                   *big.Rat          *big.Rat
//	UUID                       UUID              UUID; [16]byte
//	PosixPath                  Path              Path; string kinds
//	range                      Range             Range; slice; one beyond 64 bits is an *Object
//	slice                      Slice             Slice
//	subclass of any of these,  *Object           what its base becomes
//	  such as OrderedDict,
//	  Counter or IntEnum
//	member of an Enum or Flag  *Object           what its value becomes
//	deque, UserList,           *Object           what a list becomes
//	  dict views
//	array, numpy.ndarray       *Object           Array; what a list becomes, of lists if there are more dimensions
//	memoryview                 *Object           []byte if its items are bytes; Array; what a list becomes
//	mappingproxy, ChainMap,    *Object           what a dict becomes
//	  UserDict
//	UserString, other paths    *Object           what a str becomes
//	numpy scalar               *Object           what its item() becomes
//	named tuple                *Object           Tuple; slice; array; struct
//	dataclass, other object    *Object           *Object; struct
//	  with attributes
//	object with a converter    its T             what becomes of what To returns
//	callable                   *Object           *Object; func whose last result is an error
//	generator, other iterable  *Object           *Object; iter.Seq2[T, error]
//	file object                *Object           *Object; io.Reader, io.Writer
//	anything else              *Object           *Object
//
// What the last column does not name is an error, and so is what the T cannot hold exactly.
//
// The rows of Python are its exact types: an any is to lose nothing, and keeps the class of what is none of them as an
// *[Object]. A typed result takes the plain value. What is any within a larger T is in between: it gets the plain value of an
// instance of a subclass, and an *Object for what has none. A parameter of a Go function is a typed result too: it takes an IntEnum
// as an int and a dataclass as a struct, for the price of a small request where the argument is none of the exact types. What
// is any within it keeps the class.
//
// A value from Python may be 1000 containers deep, 100 million items and 2 GiB large, and more is [ErrLimit], before memory is
// taken for it. [Options].Limits changes the latter two, and makes the first smaller. A range or an array that becomes a slice counts
// all its numbers.
//
// Containers nest at most 1000 deep, which is also where one that contains itself is an error. A str with a lone surrogate
// has no UTF-8 and is an error; Go strings that are not UTF-8 are too: use []byte. A struct as a key of a map would be a dict, which
// Python cannot hash, and is an error: a MarshalPython that returns a [Tuple] makes it a key, a converter does, and a dict whose keys
// are named tuples or the like is a map[struct]T in Go all the same. Values that differ in Go and are equal
// in Python, such as the keys 1 and 1.0 of a map[any]any, are a ValueError; keys of a dict that become equal in Go are an
// error too.
//
// Aware and naive times are told apart: a time.Time is a datetime with a time zone, a [DateTime] one without, and neither
// becomes the other by itself; see [DateTime.In] and [DateTimeOf]. Python's times have microseconds: a time.Time or
// time.Duration with nanoseconds is an error, so use Truncate(time.Microsecond). And a pandas.Timestamp that has some is an *Object
// only: its value is all of them, as an int.
//
// Instant and offset of a time always survive, in both directions and back, and so does its zone: one of the IANA database by its
// name, as a time.LoadLocation and a ZoneInfo, and a fixed offset with its name or without. What does not survive is the rest:
// time.Local, and zones of other libraries than zoneinfo, arrive as their offset and abbreviation at that time; an offset of zero
// without a name, and ZoneInfo("UTC"), are UTC; a monotonic clock reading and a fold that makes no difference are left behind.
//
// # Structs
//
// The exported fields of a struct are the entries of a dict. A field is named by its py tag, or else its json tag, or else as
// in Go; "-" leaves it out, and omitempty and omitzero mean what they mean to JSON. The fields of an embedded struct count
// as those of the struct around it, unless the tag names it; of two of one name the less embedded counts, and two that are equally
// so are an error.
//
// A struct is made of a dict, or of the attributes of any other object: a dataclass, a named tuple, a SimpleNamespace, one
// with slots or properties. Only the attributes that fields name are looked at. Keys without a field are passed over, and
// fields without a key keep their zero values. An exception that a property raises, other than AttributeError, is the
// error of the request; an error about a value names its place, such as result.items[3].price.
//
// Tag options say more. A field that is required has to come. A field _ struct{} with the tag `py:",strict"` makes a key
// without a field an error. Two keys for one field are always one.
//
//	type order struct {
//		_     struct{}   `py:",strict"`
//		ID    int        `py:"id,required"`
//		Items []item     `py:"items"`
//		From  netip.Addr `py:"from,text"` // its MarshalText and UnmarshalText, as a str
//		Extra extra      `py:"extra,json"` // its MarshalJSON, as what the JSON says
//	}
//
// # Types of one's own
//
// A [Marshaler] says itself how it travels, an [Unmarshaler] what it makes of a value, wherever they are: as an argument or
// result, in containers, as a field. Text and JSON forms of Go types are used on request only: by the tags above, or by
// [AsText], [AsJSON] and results of type [Text] and [JSON].
//
// A Python class gets a converter, in one context, with [RegisterConverter], which names the Go type that stands for it:
//
//	err := py.RegisterConverter[point](ctx, c, "shapes", "Point", py.Converter{
//		To:   "lambda p: {'x': p.x, 'y': p.y}", // what travels in the place of a Point
//		From: "lambda d: Point(**d)",           // what arrives in the place of a Go point
//	})
//
// From then on an any that holds a Point has a Go point in it, whatever asks for something else gets what To returned, and a Go
// point is a Point in Python, at any depth. Its subclasses count.
//
// # Objects
//
// What has no Go form stays in Python, and Go gets an *[Object] that refers to it. T = *Object asks for one also where there
// is a Go form:
//
//	o, err := py.Call[*py.Object](ctx, c, "collections", "Counter", "abracadabra")
//	defer o.Close()
//	top, err := py.CallMethod[[]any](ctx, o, "most_common", 2)
//
// Inside a larger T, and as a parameter of a Go function, an *Object takes only what has no Go form.
//
// What Python does with objects, an Object does: attributes ([Object.Attr], [Object.SetAttr]), items ([Object.Item],
// [ItemOf]), [Object.Len], [Object.Contains], comparison ([Object.Compare], [Object.Equal]), [Object.Bool], [Object.Repr],
// [Object.Type], calls with keyword arguments, and [Object.With], a with statement whose body is a Go function:
//
//	err := file.With(ctx, func(ctx context.Context, f *py.Object) error {
//		_, err := f.CallMethod(ctx, "write", "text")
//		return err // what __exit__ sees
//	})
//
// An Object belongs to its context: given back as an argument it is the identical object, and given to another context it
// is [ErrWrongContext]. [Object.Close] releases it, at the thread's next chance; one that Go forgets is released after the
// garbage collector has noticed. All of them end with the context.
//
// # Large data
//
// Values are copied. [Lend] makes a []byte or a slice of numbers an argument that Python sees where it is, as a memoryview,
// whatever its length; [LendWritable] lets Python write to it:
//
//	sum, err := py.Call[int](ctx, c, "zlib", "crc32", py.Lend(data))
//	err := c.Exec(ctx, "samples[:] = samples[::-1]", py.Vars{"samples": py.LendWritable(samples)})
//
// It is lent for the length of the request. Python code that keeps it gets a ValueError when it uses it later. What was made
// of it and is alive when the request ends, a slice of the view or a numpy array over it, is a BufferError of the request;
// such code copies: bytes(view), array.copy(). Memory that Python can reach stays where it is all the same.
//
// [View] is the way back: a [Buffer] is the memory of a bytes object, an array, a numpy array or whatever else has the buffer
// protocol (PEP 3118), as items of a Go type, with its shape and strides. It is valid until it is closed or the context is,
// and Copy takes everything out in one step:
//
//	b, err := py.View[float64](ctx, o)
//	defer b.Close()
//	data, err := b.Data() // in place
//
// An [Array] is numbers with a shape, by value: it becomes a numpy.ndarray, and numpy arrays and other buffers decode into it,
// from any strides and byte order, as far as its type holds each item exactly. A parameter of a Go function may be one too; who
// wants the memory itself there takes an *Object, and a View of it.
//
// Tables, records and arrays of Arrow go in both directions, in place but from interpreters of their own, with the module github.com/pycontext/py/arrow.
//
// # Callbacks
//
// [Register] makes a Go function callable from every context, [Context.Register] from one:
//
//	err := c.Register("lookup", func(ctx context.Context, key string) (int, error) { ... })
//
// In Python it is go.lookup(key), or lookup(key) after from go import lookup, or go.call("lookup", key). It may have a
// context.Context as its first parameter, any parameters that values convert to, a variadic one too, and the results (),
// (T), (error) or (T, error). A last [Kw] or struct takes the keyword arguments. Arguments that do not fit are a TypeError
// in Python. inspect.signature tells what it takes.
//
// The function runs on an ordinary goroutine. The Python frame that called it stays where it is, on the context's thread,
// until the answer is there: each statement runs exactly once. A function registered as [Inline] runs right on the
// Python thread instead, which is quicker and holds up everything else there.
//
// An error that the function returns is raised as go.Error, or as a class that is also FileNotFoundError, PermissionError,
// FileExistsError, EOFError or TimeoutError where errors.Is says the same. If Python does not catch it, the Go error comes out
// of the request: errors.Is and errors.As find it. A panic is a RuntimeError in Python and a [PanicError] in Go.
//
// An exception that the function got from Python, and returns, by itself or wrapped, is raised again as the identical object, with
// its class, its attributes and its traceback: try: go.load() except MyError works around a Go function that called what
// raises MyError. What the Go errors around it say more is a note of it (PEP 678). That is so for requests to the same context
// that were made with the function's context.Context, until the function returns. Any other [Error], one of another context or one
// that was kept, is raised as the nearest built-in class, which is go.Error too: one that is no Exception, such as SystemExit, is
// that class alone.
//
// # Functions as values
//
// A Go func may also be an argument, or lie in one, or be the result of a callback. Python gets a callable, with the rules
// of [Register]:
//
//	words, err := py.Call[[]string](ctx, c, "builtins", "sorted", words, py.Kw{"key": strings.ToLower})
//
// [Func] gives it options: [Inline], which makes it a quick sort key, and a [Name]. It lives for as long as Python has the
// callable.
//
// The other way round, a Python callable becomes a Go func, as a result, in one, or as a parameter of a Go function:
//
//	join, err := py.Eval[func(ctx context.Context, parts ...string) (string, error)](ctx, c, "os.path.join")
//	path, err := join(ctx, "a", "b")
//
// The func type has an optional first context.Context, any parameters that travel, a last [Kw] for keyword arguments, and the
// results (error) or (T, error): an exception has to go somewhere, so that a type without an error is refused. A call is a
// request to the context of the callable. Without a context.Context of its own it runs until it is done, and in the chain
// of the Go function that got it as an argument while that runs. Python's object is released when Go has forgotten the func.
//
// # Iterators and files
//
// An iter.Seq, an iter.Seq2 and a channel that can be received from are iterators in Python, of items that travel when they
// are asked for, one at a time. The items of an iter.Seq2 are pairs; where its second type is error, they are the first, and an
// error is raised. When Python has dropped the iterator, the Go one is stopped: yield returns false. It runs on a goroutine
// of its own. What a request has taken from a channel, and did not get because it was interrupted, is there for the next.
//
// What Python iterates over becomes an iter.Seq2[T, error], as a result, a field or a parameter. It works as a [Stream] does:
// lazily, in batches, an exception as the error of a last step, and leaving the loop closes a generator. One that nobody
// ranges over is released when Go has forgotten it, as an [Object] is, and Python closes the generator then. It has no
// context.Context: as a parameter it belongs to the call, for as long as that runs; a result is better taken by Stream where
// the loop is to end with a ctx. Ranging over it again goes on with a generator, and begins a list anew. A list within a
// larger value, or as an argument, is there whole already. An iter.Seq[T] has no place for an exception, and is refused, as
// is an iter.Seq2 of keys and values: take a map, or an iter.Seq2[py.Tuple, error] over items().
//
// A value with the method Read or Write of io.Reader and io.Writer is a binary file object in Python, which reads through a
// buffer and writes at once; io.TextIOWrapper makes it one of text. Seek, Flush and Close do what they say where the value
// has them. Closing the file closes what is in Go, and dropping it does not. Errors are OSErrors that carry the Go error.
//
//	rows, err := py.Eval[[][]string](ctx, c, "list(csv.reader(io.TextIOWrapper(body)))", py.Vars{"body": response.Body})
//
// A Python file object becomes an io.Reader, an io.Writer, an io.ReadCloser or any other interface of the methods Read, Write,
// Seek and Close, as a result or a parameter. Text is UTF-8 in Go. What is written is in Python's buffers until they are
// flushed or the file is closed.
//
// # Streams
//
// [Stream] calls a function and ranges over the items of what it returns, [StreamEval] does so with an expression, and
// [StreamObject] with an object:
//
//	for row, err := range py.Stream[map[string]any](ctx, c, "csv", "DictReader", lines) {
//		if err != nil {
//			return err
//		}
//		...
//	}
//
// A generator runs as the loop goes on, so that it may be endless. Items come in batches, of which Python makes one at a
// time; they are small when items are slow, so that none waits for the next. An exception ends the loop, after the items
// before it. Leaving the loop, also by a panic, closes the generator: its finally blocks have run when the loop is left.
// Between batches the context is free for others, the body of the loop among them.
//
// # Nesting
//
// The context.Context that the function gets derives from that of the request in which it was called, and carries the
// chain: a request to the same context that is made with it, or with one derived from it, by any goroutine, runs at
// once, on top of the Python frame that waits. So use it for what the function asks of Python. A chain may go through
// several contexts and come back to the first.
//
// While a frame waits, its thread serves other requests too, those of other callers or made with an unrelated
// context.Context, on top of it. They run as if on their own, except for what belongs to the thread, such as thread-local
// variables. A finished callback goes on as soon as the frames above it are through, before any more of these other
// requests begin. Where they would wait for something that itself waits for them (a frame on top is not finished while
// others below are, or 64 requests are on top of one another), they are let through one at a time, each after a few
// milliseconds.
//
// Depth is limited by sys.getrecursionlimit() and [Options].StackSize: beyond either there is a RecursionError.
//
// # Cancellation
//
// When the context.Context of a request ends, its caller returns at once, with an error that wraps ctx.Err() and the
// cause. What becomes of the request depends on how far it got:
//
//   - waiting in the queue, it never runs;
//   - running, go.Interrupted is raised in it at the next bytecode;
//   - running an event loop of asyncio, what that runs until complete is cancelled, as Ctrl-C does with asyncio.run, also
//     while the loop waits; when it has ended so, go.Interrupted comes out of the loop;
//   - waiting for a Go function, the context.Context of that function ends, and go.Interrupted is raised when Python goes
//     on.
//
// go.Interrupted derives from KeyboardInterrupt, so that except Exception does not stop it and asyncio unwinds. To code
// that catches it all the same it is raised again, after 100 ms, then 200, 400, up to every 5 s; and at once behind a
// __del__ or another finalizer, from which Python lets no exception out. It aims at this one request: if that is over,
// nothing else is hit.
//
// A request that a Go function makes with just the context.Context that it was given may return only after the Go functions
// that Python calls in it, since they may share its goroutine, and runtime.Goexit in one of those ends it too; one with a
// deadline of its own returns when that is over.
//
// Coroutines see asyncio.CancelledError, and clean up as they do for any cancellation; one that catches it and goes on is
// cancelled again. A loop that stays from one request to the next is as good as before. Where a loop just runs, by
// run_forever, go.Interrupted comes out of it at once. In a coroutine that for some milliseconds does not come to an await, or
// waits for a Go function, go.Interrupted is raised all the same; there it is an asyncio.CancelledError, too, so that it ends
// its task, and the loop goes on until it has cancelled the rest. asyncio.run waits for the threads of its executor, the first
// time that it is interrupted.
//
// What cannot be interrupted is code inside C that does not come back to Python, such as time.sleep, threading.Lock.acquire,
// queue.Queue.get or a long regular expression: the exception waits for its return, and so do other requests of that context. So
// does an event loop that waits and is neither asyncio's own nor uvloop's, such as trio's, or that is uvloop's and run by neither
// uvloop.run nor asyncio.run; and any, on a free-threaded CPython 3.13. A request without a deadline has none.
//
// Python code that is not written with such an exception in mind may not survive it as it was. A library that takes a lock and
// is struck before its try keeps it, and waits for itself the next time: subprocess.Popen.poll does so. The exception waits while
// asyncio's own code is on top, which would not survive it, and for the end of an import, since half a package may be one that
// cannot be imported again; but no longer than three seconds, should the import not end. A free-threaded CPython 3.13 does not let it
// wait.
//
// [Context.Interrupt] does the same to whatever runs, which then fails with [ErrInterrupted] unless its code catches that.
// [SafeToRetry] tells whether the request of an error never reached Python.
//
// # Closing
//
// [Context.Close] refuses new requests, fails those in the queue and those that run with [ErrClosed], interrupts the
// latter, and waits for the thread, no longer than [Options].Grace. A thread that is stuck in C is [ErrStuck]; it is
// reclaimed when it comes back. Contexts with an interpreter of their own also wait for the threads that Python
// started, and run the functions registered with atexit. Those of worker contexts do not run in a Go program: their interpreter
// has no end but that of the process. In every mode, what is left in the namespaces of the context and its envs is let go of then, and its
// finalizers may still call Go. [Context.Shutdown] lets all requests finish first, and [Context.Done] tells when a context is
// gone. [Live] counts what is alive in the process.
//
// # Errors
//
// A Python exception is an *[Error] with its class, message, traceback, causes, notes and members, as Go values.
// errors.Is matches the class and its bases, and %+v prints what Python would:
//
//	_, err := c.Eval(ctx, "{}['x']")
//	errors.Is(err, py.Exception("LookupError")) // true: a KeyError is one
//
// Code that came from Go, by Exec, Eval or a preload, is in the file "<string>", and its lines are shown like those of files.
// Within Python each text has a name of its own, such as "<string-763e5446>", the same in every run: by it Python's
// own traceback, inspect.getsource and others find its lines, as long as there is code of that text. (On CPython 3.12 they
// do once linecache has been imported.)
//
// sys.exit() is a SystemExit like any other exception; it ends nothing.
//
// # Attach
//
// [Context.Attach] runs a Go function on the context's thread, with the interpreter attached, for many small steps in a
// row. A [Ref] is a Python object there; calls, attributes, items and conversions cost about what they cost in C. It has the
// methods of an Object, without ctx, and [Ref.Iter] to range over its items.
// [Attached.Detach] lets the interpreter go around Go code that blocks. [Attached.ThreadState] and [Ref.Pointer] are for
// other cgo code.
//
// # Latency
//
// A request is handed to the context's thread, and its result back. While requests follow one another closely neither side
// sleeps, and that takes less than a microsecond; after a pause each side has to be woken by the system. [Options].Spin keeps the
// thread awake through pauses. Where response times count, leave Python a processor: with GOMAXPROCS at the number of
// processors, Go's own threads take those that Python is to run on, for long enough to show in the median of a call after a pause and
// in the 99.9th percentile under load (runtime.GOMAXPROCS(runtime.NumCPU() - 1) at the start of the program, for one busy context).
//
// Requests run in the order of their arrival, and where more than two goroutines use a context, or two on a single processor, they
// take turns: none has its next result before those that have waited for longer have theirs. What each of them waits is what all
// that are before it take.
//
// # Where the time goes
//
// [WithTimes] tells of the requests made with a context.Context how long they waited for their turn and for the
// interpreter's lock, ran, and waited for Go functions. [Options].Profile adds that up for a context ([Context.Times]), and
// labels what goroutines do for Go's profiler: py.context, py.request and, within Go functions that Python calls,
// py.function. In a trace of runtime/trace every request is a region ("py call of math.sqrt"), and so are its wait for its turn ("py
// queue of ...") and its run on the context's thread ("py run of ..."), and every such function ("py function ..."); the times of a
// request are logged at its end. That is so with Profile or without.
//
// Go's profiler does not see into Python. On Linux perf does, once CPython has been told to name its functions to it
// (https://docs.python.org/3/howto/perf_profiling.html), which costs them some speed:
//
//	err := c.Exec(ctx, "import sys; sys.activate_stack_trampoline('perf')")
//
//	perf record -F 999 -g ./program
//	perf report --children --sort symbol    # Python functions are py::name:file
//
// # Threads of Python's own
//
// Code in a context may start threads with the threading module, and whatever is built on it. They may call Go functions
// like the context's own thread; a request of such a callback's chain runs on the Python thread that made it. A
// thread belongs to the context whose code started it, and outlives the request: the context.Context of what it calls in Go ends
// with the context, not with a request that waits for the thread. In a worker context threads live on when it closes, and can
// then call Go no more. Interpreters of their own have no daemon threads, and so no logging.handlers.QueueListener.
//
// A thread that C code starts, such as those of duckdb and polars, belongs to no context. A Go function that was an argument runs
// there in the context that it was given to; a registered one does so in a program with a single worker context, and is a
// RuntimeError elsewhere.
//
// # Processes
//
// After os.fork() the child has no Go: calling a Go function there is a RuntimeError, and the child exits, as a Python program
// does, where its code would come back to Go. Interpreters other than the main one refuse to fork at all. subprocess works
// everywhere; use multiprocessing with the spawn method. Its Process and Pipe work everywhere too; its Queue and Pool,
// concurrent.futures.ProcessPoolExecutor, and asyncio's subprocesses where os.pidfd_open is missing, as in the bundled Python,
// need daemon threads and thus a Worker context.
//
// # Standard streams
//
// print writes to the process's standard output, a line at a time, or to [Config].Stdout and Stderr. sys.stdin is the
// process's. As in Python, SIGPIPE is ignored from the start of Python on, so that writing to what nobody reads is an error.
//
// # What is shared
//
// Workers share one interpreter, so modules and everything in them, sys.path and os.environ included. Contexts with an
// interpreter of their own share none of that. All contexts share what belongs to the process: the working
// directory, the environment, open files, memory, and its fate. An extension module that crashes takes the process along,
// and so does one that runs out of the machine's memory.
package py
