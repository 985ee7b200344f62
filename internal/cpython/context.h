// The structures that a request travels through: a context owns one OS thread and one namespace; a lane is a Python
// thread that serves requests; a callback is a suspended Python frame that waits for a Go function.
#ifndef PY_CONTEXT_H
#define PY_CONTEXT_H

#include <pthread.h>

#include "api.h"
#include "blob.h"
#include "buf.h"
#include "cache.h"
#include "codec.h"
#include "park.h"
#include "scalar.h"
#include "stats.h"

enum { MODE_WORKER, MODE_SUBINTERP, MODE_OWNGIL };

typedef struct context context;
typedef struct lane lane;
typedef struct request request;
typedef struct callback callback;

#define KNOWN_MODULES 64

// What each interpreter has once: the functions of bootstrap.py and the classes that C raises. The main interpreter's
// is shared by all worker contexts; another interpreter belongs to one context.
typedef struct interp {
  PyInterpreterState *state;
  int64_t id;
  context *owner; // NULL for the main interpreter
  int own_lock;
  PyObject *compile, *identifier;
  PyObject *describe, *make_error, *raise_again;
  PyObject *finish, *collect, *end_child;
  PyObject *leave_loop, *enter_loop, *bell; // of loops.py
  PyObject *interrupted, *interrupted_class;
  PyObject *plans, *classify, *makers; // of values.py
  PyObject *converters; // of converters.py
  PyObject *modules, *builtins;
  PyObject *memory; // the class of what lends Go's memory
  PyObject *functions; // by name, the callables that stand for Go functions
  PyObject *known[KNOWN_MODULES]; // by address, modules whose import is over
  size_t looked_at; // twice the modules that there were when it was last looked whether stacks are moved, and 1 if they are; atomic
} interp;

// Bits of request.state. The one that sets DONE or ABANDONED second knows what the other wants.
enum {
  ST_STARTED = 1,   // by the lane: from here on it runs
  ST_DONE = 2,      // by the lane: the result is in out
  ST_PARKED = 4,    // by the caller: an event is to wake me
  ST_ABANDONED = 8, // by the caller: nobody waits; the event is to recycle it
  ST_SUSPENDED = 16, // by the lane: it waits for a callback, so spinning for it is no use
  ST_SPINNING = 32   // by the caller: until PARKED is set, it takes the first callback too (request.offered)
};

// What Go has to be told: the address of a callback to run, or, with a bit set, that of a request that is done or of a lane
// that begins to leave events for Go to take.
enum { EVENT_DONE = 2, EVENT_ABANDONED = 4, EVENT_MANY = 8, EVENT_BITS = 14 };

// Bits of request.timed: to fill in times, and to tell Go when it begins to run and ends.
enum { TIMED = 1, TRACED = 2 };

// request.asked, for each interrupt anew.
enum {
  NOT_ASKED,
  ASKED,    // the loop has been rung at
  ANSWERED, // the interrupt is raised, or the loop cancels what it runs
  OWED      // the interrupt is raised, and the loop is still to cancel the rest of what it runs
};

// An event that is left. It is a part of what it is about.
typedef struct event {
  struct event *next;
  uintptr_t what;
} event;

// lane.posted when it holds no event: nobody spins for one, or somebody does.
enum { NOBODY = 0, SOMEBODY = 1 };

// How long a request took, in ns. From one time to the next on the lane's thread: it waits for its turn, for the lock of the
// interpreter, it runs, and waits for Go functions.
typedef struct times {
  int64_t queued, lock, running, callbacks;
} times;

// What the caller and the lane's thread both write for every request has few lines of the processors' cache, which go from one to
// the other and back; the rest stays where it is.
#define CACHE_LINE __attribute__((aligned(64)))

struct request {
  CACHE_LINE uint32_t state; // atomic
  int chain;        // it belongs to the callback that it runs on top of
  int timed;        // TIMED and TRACED, or 0
  request *next;    // in a queue
  // Set and read under lane->lock while it runs.
  lane *lane;
  request *below;  // what it runs on top of
  int holds_lane;  // it is one of a Python thread, and kept until the request is used again
  int suspended;   // it waits for a callback
  int interrupted; // raise when it is next on top
  int struck;      // an asynchronous exception was aimed at it
  int hit;         // an interrupt was raised in it
  int asked;       // whether the event loop that runs in it was asked to end

  CACHE_LINE buf in;
  buf out;

  CACHE_LINE blobs blobs; // that in refers to
  kept kept;              // that out refers to

  CACHE_LINE uint64_t handle; // Go's number for it
  uint64_t serial;   // Go's number for its use; under lane->lock
  callback *offered; // to the caller that spins
  int copied;        // what in refers to is; under context.lock
  int64_t since;     // when it was submitted
  times times;
  event end;         // while Go has not taken it
  const request *of; // of a chain: that the callback was made in which it belongs to, or NULL; it may be over
  uint64_t of_serial;

  // What in and out begin with. Where that is enough, both sides know where to look before they know what there is.
  CACHE_LINE uint8_t in_local[BUF_GIVEN];
  uint8_t out_local[BUF_GIVEN];
};

struct callback {
  __attribute__((aligned(16))) lane *lane;
  request *request; // the one that it was made in, or NULL
  uint64_t function; // Go's number for it
  uint64_t held;     // Go's number for what is to be done once the answer is read or dropped, or 0
  buf args, answer;
  int few;         // the arguments are that many scalars; -1: they are in args
  int brief;       // set by Go: the answer is scalars[0], and not in answer
  scalar scalars[MOST_SCALARS];
  event begin;   // while Go has not taken it
  uint32_t done; // atomic
  uint8_t args_local[256], answer_local[256];
};

// The arguments that a Go function takes.
typedef struct arity {
  int least, most; // by position; most is -1 where there is no limit
  int keywords;    // whether it takes any by name
} arity;

// A Go function as the Go side describes it.
typedef struct resolved {
  uint64_t number; // 0: there is none
  int is_inline; // 0, INLINE_ALWAYS or INLINE_READY
  arity takes;
} resolved;

// What the name of a callable stands for on a lane, unless something was registered since.
#define KNOWN_FUNCTIONS 32

typedef struct known {
  uint64_t serial, version; // of the callable; of the registry
  resolved found;
} known;

struct lane {
  int refcount; // atomic: the owning thread, and Go for each callback under way
  context *context;
  int is_main; // the context's own thread, as against a thread that Python started
  unsigned long ident;
  uintptr_t stack_floor; // the lowest address that a new request may be run at
  int calls_go; // one of the last requests waited for a Go function; written by the lane's thread, and seldom

  // Written by any thread, and looked at by the lane's all the time that it spins.
  CACHE_LINE request *inbox; // a stack, newest first; CLOSED once nothing is taken any more
  request *chain_inbox;      // another
  parker parker;
  uint32_t resumable;   // callbacks that are finished and wait for their turn to go on
  event *events;        // left for Go, newest first
  uint32_t taker;       // 1 while a goroutine takes them

  // Written by callers, and goroutines that run callbacks.
  CACHE_LINE uint32_t spinner; // 1 while a caller spins
  uintptr_t posted;      // where the goroutine that ran the last callback spins for the next event
  gauge caller, answers; // the usual wait of a caller for its result, of a goroutine for the next callback

  CACHE_LINE uint32_t served; // requests finished so far; written by the lane's thread, and looked at by those that spin

  CACHE_LINE int suspended; // callbacks that wait for their answers; the same, looked at by callers when they are many

  // Written by the lane's thread alone, and but for state used by it alone.
  CACHE_LINE request *ready, *ready_last; // taken from inbox, oldest first
  request *chain, *chain_last;
  int depth;        // requests on top of one another
  int unmoved;      // suspended callbacks on top of which other callers' requests must not run
  int overdue;      // let one ordinary request through
  int64_t patience; // ns
  int64_t kept_since; // an ordinary request waits, and is not let through; 0: none does
  gauge gap;        // the usual wait for work
  PyThreadState *state;
  int attached;
  PyObject *variables; // the thread's context variables when the request at the bottom began
  struct hidden *hides; // of requests that hide others below them, the top one first
  PyObject *namespace; // that the current request works in; NULL before it is known
  known functions[KNOWN_FUNCTIONS];

  pthread_mutex_t lock; // request.lane to request.asked, and current
  request *current;
};

struct context {
  int refcount; // atomic: the thread, each lane, and Go
  uint64_t handle; // Go's number for it
  uint64_t serial; // no other context ever has it
  context *next_worker;
  int mode;
  interp *interp;
  lane *main;
  char problem[512]; // why it could not start, or empty
  refs *refs;
  PyObject *namespace; // owned; NULL once the context lets go of what it has; written under lock
  cache names, codes, fields, attributes; // of the main lane
  keys keys;                              // of the main lane
  int64_t spin_ns; // how long the thread looks for a request before it sleeps; 0: while that pays
  limits limits; // set before the first request

  pthread_mutex_t lock; // what follows
  pthread_cond_t calm;
  PyObject *converters; // owned; NULL before the first; atomic for readers without the lock
  int closing;      // atomic for readers without the lock
  int ended;        // the interpreter is going: no new interrupters
  int reading;      // bytes that Go reads where they are; atomic
  int interrupters; // threads about to aim at this interpreter
  uint64_t *drops;  // handles that Go let go of
  size_t drops_len, drops_cap;
};

#define CLOSED ((request *)1)

// What an event points to leaves room for its bits, also on a stack.
_Static_assert(_Alignof(callback) > EVENT_BITS && _Alignof(request) > EVENT_BITS && _Alignof(lane) > EVENT_BITS, "");

static inline keys *keys_of(lane *l) { return l->is_main && l->context->namespace ? &l->context->keys : NULL; }

// lane.c
HIDDEN lane *lane_new(context *c, int is_main);
HIDDEN void lane_free(lane *l);
HIDDEN void lane_hold(lane *l);
HIDDEN void lane_release(lane *l);
HIDDEN int lane_post(lane *l, uintptr_t what);
HIDDEN void lane_tell(lane *l, event *e, uintptr_t what);
HIDDEN int lane_push(lane *l, request *r, int chain);
HIDDEN void lane_run(lane *l, request *r, int at_bottom);
HIDDEN void lane_serve(lane *l, callback *until);
HIDDEN void lane_forward(lane *l);
HIDDEN void lane_close(lane *l);
HIDDEN void attach(lane *l);
HIDDEN void detach(lane *l);
HIDDEN extern __thread lane *tls_lane __attribute__((tls_model("initial-exec")));
static inline lane *lane_current(void) { return tls_lane; }
HIDDEN void lane_set_current(lane *l);

// interpreter.c
HIDDEN interp *main_interp(void);
HIDDEN const char *main_interp_start(const char *bootstrap);
HIDDEN void interp_end_child(interp *in, PyObject *value);
HIDDEN interp *interp_new(int mode, PyThreadState **state, char *problem, size_t size);
HIDDEN void interp_end(interp *in, PyThreadState *state);

// context.c
HIDDEN void context_hold(context *c);
HIDDEN void context_release(context *c);
HIDDEN void context_drop_refs(context *c);
HIDDEN PyObject *context_namespace(context *c);
HIDDEN context *context_worker(uint64_t serial);

// converter.c
HIDDEN void converters_clear(context *c);

// verb.c
HIDDEN PyObject *perform(context *c, lane *l, reader *in, want *w);

// result.c
HIDDEN int read_want(context *c, lane *l, reader *in, int how, want *w);
HIDDEN void write_result(context *c, request *r, buf *out, PyObject *value, want w, struct lent **lent);

// module.c
HIDDEN PyObject *module_natives(interp *in);
HIDDEN void raise_interrupted(interp *in);

// interrupt.c
HIDDEN int begin_request(lane *l, request *r);
HIDDEN void end_request(lane *l, request *r);
HIDDEN request *begin_interlude(lane *l);
HIDDEN void end_interlude(lane *l, request *below);
HIDDEN request *suspend_request(lane *l);
HIDDEN int resume_request(lane *l, request *r);
HIDDEN int strike_again(lane *l);
HIDDEN int answer(lane *l);
HIDDEN void owe(lane *l);
HIDDEN int is_hit(lane *l);

// frames.c
HIDDEN void hold_still(lane *l);
HIDDEN void let_go_on(lane *l);
HIDDEN int has_to_wait(lane *l, int last);
HIDDEN int ring(lane *l);

// lend.c
HIDDEN PyObject *lend_type(void);
HIDDEN int lent_end(struct lent **all);

// buffer.c
HIDDEN PyObject *buffer_of(PyObject *o);

// isolate.c
typedef struct hidden {
  PyObject *handled, *variables, *loop;
  const request *by, *over; // the request, and that on top of what it hides
  PyObject *outside;        // the context variables of that
  struct hidden *next;
} hidden;

HIDDEN int hide(lane *l, const request *r, const request *over, hidden *h);
HIDDEN void show(lane *l, hidden *h);

// callback.c
enum { INLINE_ALWAYS = 1, INLINE_READY };
HIDDEN int callback_run(lane *l, callback *cb, int inline_);

#endif
