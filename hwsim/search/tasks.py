"""What is sent to a worker: a few policies at a time, and once what they all depend on.

A task names its `Context` by a hash. A worker that has not met it says so, and gets the task again
together with the context, which it keeps. So any executor will do: none has to say which worker
gets what, and those that come later learn it too.
"""

import hashlib
import pickle
import threading
import time
from dataclasses import dataclass

from hwsim.arithmetic._threads import one_thread
from hwsim.search.evaluation import Context, Evaluator, Job, Records
from quant.common.errors import UserError

_CONTEXTS_KEPT = 2
"""By each thread: a cluster may compute for more than one search."""


@dataclass(frozen=True, slots=True)
class Task:
    """Policies to evaluate.

    Attributes:
        identity: of the context.
        jobs: what to find out.
        context: pickled; None: the worker may know it.
    """

    identity: str
    jobs: tuple[Job, ...]
    context: bytes | None


@dataclass(frozen=True, slots=True)
class Done:
    """A task's results.

    Attributes:
        records: for each job.
        seconds: what they took.
    """

    records: tuple[Records, ...]
    seconds: float


class ContextParcel:
    """A context as it is sent."""

    def __init__(self, context: Context) -> None:
        """Pickle it.

        Raises:
            UserError: it cannot be pickled.
        """
        try:
            self._content = pickle.dumps(context)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise UserError(
                f"bit search: expected what quantizes to be an object that other processes can be "
                f"sent, found one that cannot ({error}); give a callable object of a class instead "
                "of a function within a function, or search without an executor"
            ) from error
        self._identity = hashlib.sha256(self._content).hexdigest()

    def task(self, jobs: tuple[Job, ...], *, with_context: bool) -> Task:
        """A task for a worker that knows the context or, with it, for any."""
        return Task(self._identity, jobs, self._content if with_context else None)


class _Kept(threading.local):
    """What each thread keeps of the contexts it was sent, the latest last."""

    def __init__(self) -> None:
        self.evaluators: dict[str, Evaluator] = {}


_kept = _Kept()


def evaluate(task: Task) -> Done | None:
    """Evaluate a task's policies, one after the other, on this thread alone.

    Returns:
        The results; None: the context has to be sent along.

    Raises:
        UserError: a policy's graph cannot be built.
    """
    evaluator = _kept.evaluators.get(task.identity)
    if evaluator is None:
        if task.context is None:
            return None
        evaluator = Evaluator(pickle.loads(task.context))
        _kept.evaluators[task.identity] = evaluator
        while len(_kept.evaluators) > _CONTEXTS_KEPT:
            del _kept.evaluators[next(iter(_kept.evaluators))]
    started = time.perf_counter()
    with one_thread():
        records = tuple(evaluator.records(job) for job in task.jobs)
    return Done(records, time.perf_counter() - started)
