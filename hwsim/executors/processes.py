"""Worker processes on this machine, replaced when they die and never left behind.

Each computes with one thread of every library: several share the machine. They are started afresh
(``spawn``) and inherit no threads, locks or open files.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from hwsim.executors.handed_on import Call, cancelled_together, settle
from quant.common.errors import UserError

P = ParamSpec("P")
R = TypeVar("R")

MOST_RESTARTS = 3
"""One death may be an accident; a call that needs too much memory kills every worker it gets."""

_ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class WorkerProcesses(Executor):
    """A process pool that survives the death of its workers.

    Calls that were lost with them are computed again. Workers end when this process does, however
    that comes about: each watches a pipe that this process alone holds open. Within ``with``, an
    exception ends them at once, else what was submitted is computed first.

    Attributes:
        slots: processes at the most; they are started as they are needed.
    """

    def __init__(self, slots: int, say: Callable[[str], None] = lambda line: None) -> None:
        """Start nothing yet.

        Args:
            slots: processes at the most.
            say: told of workers that died, from another thread.
        """
        self.slots = slots
        self._say = say
        self._context = get_context("spawn")
        self._watched, self._held_open = self._context.Pipe(duplex=False)
        self._lock = threading.Lock()
        self._pool: ProcessPoolExecutor | None = None
        self._deaths = 0
        self._closed = False

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> "Future[R]":
        """Compute a call in some worker.

        The future raises a UserError if workers die again and again.
        """
        if self._closed:
            raise RuntimeError("cannot compute more calls after shutdown")
        outer: Future[R] = Future()
        self._start(outer, partial(fn, *args, **kwargs))
        return outer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers, after what they were given; without ``wait``, now."""
        with self._lock:
            self._closed = True
            pool, self._pool = self._pool, None
        if not wait:
            self._held_open.close()
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=cancel_futures or not wait)
        self._held_open.close()
        self._watched.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.shutdown(wait=error is None)

    def _start(self, outer: "Future[Any]", call: Call) -> None:
        inner: Future[Any] = Future()
        with self._lock:
            pool = self._pool
            try:
                if self._closed:
                    raise BrokenProcessPool
                if pool is None:
                    pool = self._pool = ProcessPoolExecutor(
                        self.slots, self._context, _end_with, (self._watched,)
                    )
                with _as_workers_shall_be():
                    inner = pool.submit(call)
            except Exception as error:  # a pool that broke since, or no memory for a worker
                inner.set_exception(error)
        cancelled_together(outer, inner)
        inner.add_done_callback(partial(self._finish, outer, call, pool))

    def _finish(
        self,
        outer: "Future[Any]",
        call: Call,
        pool: ProcessPoolExecutor | None,
        inner: "Future[Any]",
    ) -> None:
        """Pass on how a call ended, or start it again when its worker died."""
        if inner.cancelled():
            outer.cancel()
            settle(outer)
            return
        error = inner.exception()
        if not isinstance(error, BrokenProcessPool):
            settle(outer, None if error else inner.result(), error)
            return
        self._forget(pool)
        if self._closed:
            settle(outer, error=error)
        elif self._deaths > MOST_RESTARTS:
            settle(outer, error=_too_many_deaths())
        else:
            self._start(outer, call)

    def _forget(self, pool: ProcessPoolExecutor | None) -> None:
        """Leave a broken pool, once for all the calls it lost."""
        with self._lock:
            if self._closed or self._pool is not pool:
                return
            self._pool = None
            self._deaths += 1
            if self._deaths <= MOST_RESTARTS:
                self._say("a worker process died; its calls are computed again")


def _too_many_deaths() -> UserError:
    return UserError(
        f"worker processes died {MOST_RESTARTS + 1} times, as they do when memory runs out; use "
        "fewer of them (--workers)"
    )


@contextmanager
def _as_workers_shall_be() -> Iterator[None]:
    """What is started within the block has one thread for each library and ignores Ctrl-C.

    Ctrl-C reaches every process of a terminal; what becomes of the workers is decided here.
    """
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    signals = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        signal.pthread_sigmask(signal.SIG_SETMASK, signals)


def _end_with(watched: Connection) -> None:
    """End this process when the other end of a pipe is closed, by hand or by a death."""

    def watch() -> None:
        with suppress(EOFError, OSError):
            watched.recv_bytes()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
