// What Go calls: requests in, answers out. Everything here may be called from any goroutine's thread.
#ifndef PY_REQUEST_H
#define PY_REQUEST_H

#include "context.h"

// What became of a submission. DETACHED: the calling thread is a Python thread in the middle of an inline function or
// of Attach; it let go of its interpreter for the wait, and thread_reattach is due.
// CALLBACK: request.offered is for the caller to run, on another goroutine.
enum { SUBMITTED = 0, SUBMIT_DONE = 1, SUBMIT_CLOSED = 2, SUBMIT_DETACHED = 4, SUBMIT_CALLBACK = 8 };

HIDDEN request *request_new(uint64_t handle);
HIDDEN void request_free(request *r);
HIDDEN void request_room(buf *b, size_t n);
HIDDEN int request_submit(uintptr_t to, uintptr_t what, int chain, int64_t callers);
HIDDEN int lane_may_spin_for_events(lane *l);
HIDDEN int lane_spin_for_events(lane *l);
HIDDEN void lane_stop_spinning(lane *l, int found);
HIDDEN void request_read(request *r);
HIDDEN int request_mark(request *r);
HIDDEN void request_interrupt(request *r);
HIDDEN uint64_t context_interrupt(context *c, uint64_t *serial);
HIDDEN void context_yield(context *c);

HIDDEN context *context_start(uint64_t handle, int mode, size_t stack_size, int64_t spin_ns);
HIDDEN void context_close(context *c);
HIDDEN void context_drop(context *c, uint64_t handle);

HIDDEN uintptr_t callback_finish(callback *cb);
HIDDEN int thread_detach(void);
HIDDEN void thread_reattach(void);
HIDDEN uint64_t thread_give_up(void);
HIDDEN void registry_changed(void);

#endif
