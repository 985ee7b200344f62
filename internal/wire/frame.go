package wire

// A Verb is the first byte of a request: what Python is asked to do.
type Verb byte

// The verbs of SPEC.md.
const (
	VerbCall   Verb = 1
	VerbEval   Verb = 2
	VerbExec   Verb = 3
	VerbMethod Verb = 4
	VerbAttr   Verb = 5
	VerbValue  Verb = 6
	VerbEnv    Verb = 7
	VerbAttach Verb = 8
	VerbNext   Verb = 9
	VerbBuffer Verb = 10

	VerbConvert   Verb = 16
	VerbUnconvert Verb = 17
)

// A Want is the second byte of a request: how its result is to travel.
type Want byte

// The wants of SPEC.md.
const (
	WantExact Want = 0
	WantLoose Want = 1
	WantRef   Want = 2
	WantNone  Want = 3
	// WantFields is followed, behind the env, by the Fields: a u8 for Keep, and a raw for the Names.
	WantFields Want = 4
	WantIter   Want = 5
)

// A Status is the first byte of a result.
type Status byte

// The statuses of a result.
const (
	StatusOK            Status = 0
	StatusRaised        Status = 1
	StatusUnconvertible Status = 2
	StatusItems         Status = 3
)

// An End is what follows the items of a result.
type End byte

// The ends of items. Behind two of them is what came instead of the next item, as in a result of that status.
const (
	EndMore          End = 0
	EndAll           End = 1
	EndRaised        End = 2
	EndUnconvertible End = 3
)

// An Answer is the first byte of what a Go function gives back to Python.
type Answer byte

// The statuses of an answer.
const (
	AnswerOK    Answer = 0
	AnswerRaise Answer = 1
)
