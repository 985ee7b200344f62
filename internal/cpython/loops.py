# asyncio's event loops. An exception out of nowhere does not reach a loop that sleeps, and is not what coroutines expect. A loop is
# asked instead: what it runs until complete is cancelled, as asyncio.Runner does for Ctrl-C, and the end of that is the interrupt.
# Continues bootstrap.py. C keeps bell, interrupted_class, leave_loop and enter_loop.


def running_loop():
    asyncio = sys.modules.get("_asyncio")
    return asyncio._get_running_loop() if asyncio else None


def run_of(loop):
    """The future that a loop, which runs on this thread, runs until complete; None where it just runs."""
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "run_until_complete" and frame.f_locals.get("self") is loop:
            future = frame.f_locals.get("future")
            return future if hasattr(type(future), "_asyncio_future_blocking") else None
        if frame.f_code.co_name == "run" and frame.f_globals.get("__name__") == "asyncio.runners":
            if getattr(frame.f_locals.get("self"), "_loop", None) is loop:  # one that is not made of Python code
                return frame.f_locals.get("task")
        frame = frame.f_back
    return None


def interrupt_run(future):
    if is_hit() and run_of(running_loop()) is future:
        raise Interrupted  # out of the loop, which has stopped


def run_cancelled(future):
    if future.cancelled() or isinstance(future.exception(), cancelled_error()):  # gather() has it as an exception
        interrupt_run(future)


def cancelled_error():
    return sys.modules["asyncio.exceptions"].CancelledError


class Bell:
    """What C puts into the queue of a loop in place of a callback. It belongs to no request: whether the one that the loop runs in
    is to be interrupted is asked when it comes to its turn."""

    _cancelled, _callback = False, None

    def _run(self):
        if not answer():
            return
        future = run_of(running_loop())
        if future is None:
            raise Interrupted  # out of the loop
        future.add_done_callback(run_cancelled if future.cancel() else interrupt_run)


bell = Bell()
coroutine_class = None


def interrupted_class():
    """The class of an interrupt that is raised here and now. In a task, asyncio takes it for a cancellation, and goes on: an
    exception that ends the loop at once would come up again in whoever awaits the task in a later run."""
    global coroutine_class
    loop = running_loop()
    task = sys.modules["_asyncio"].current_task(loop) if loop else None
    if task is None:
        return Interrupted
    if task is not run_of(loop):
        owe()
        loop.call_soon(bell._run)
    if coroutine_class is None:
        names = {"__module__": "go", "__doc__": Interrupted.__doc__}
        coroutine_class = type("Interrupted", (Interrupted, cancelled_error()), names)
    return coroutine_class


# A request of another caller that runs on top of a coroutine, which is suspended in a Go function, finds no running loop.


def leave_loop():
    """Lets the thread have no running loop; what it returns is for enter_loop."""
    loop = running_loop()
    if loop is None:
        return None
    asyncio = sys.modules["_asyncio"]
    task = asyncio._swap_current_task(loop, None)
    asyncio._set_running_loop(None)
    return loop, task


def enter_loop(left):
    if left is not None:
        loop, task = left
        asyncio = sys.modules["_asyncio"]
        asyncio._set_running_loop(loop)
        asyncio._swap_current_task(loop, task)
