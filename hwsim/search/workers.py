"""Who evaluates policies: this process, or whatever an executor has."""

import math
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from typing import Protocol

from hwsim.executors import slots_of
from hwsim.search.evaluation import Context, Evaluator, Job, Records
from hwsim.search.tasks import ContextParcel, Done, evaluate
from quant.common.errors import UserError

TASK_SECONDS = 0.2
"""What a task should take: handing one over takes some milliseconds, on a cluster some more."""
_MOST_JOBS = 64
_TASKS_PER_SLOT = 2
"""One that is computed and one that waits for its end."""

Results = Generator[tuple[int, Records], None, None]
"""Position and records of each job, in whatever order they are done."""

_Batch = tuple[int, tuple[Job, ...]]
"""Jobs that follow one another, behind the position of the first."""


class Workers(Protocol):
    """Evaluates policies."""

    def results(self, jobs: Sequence[Job]) -> Results:
        """Evaluate policies; what is found does not depend on who does it.

        Raises:
            UserError: a policy's graph cannot be built; of several the first in order counts, and
                what was found of those before it has been returned.
        """
        ...


class ThisProcess:
    """Evaluates policies here, one after the other."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    def results(self, jobs: Sequence[Job]) -> Results:
        """See `Workers`."""
        for position, job in enumerate(jobs):
            yield position, self._evaluator.records(job)


class ExecutorWorkers:
    """Hands policies to an executor, in tasks that are worth handing over."""

    def __init__(self, executor: Executor, context: Context) -> None:
        """Prepare the context to be sent.

        Raises:
            UserError: it cannot be pickled.
        """
        self._executor = executor
        self._parcel = ContextParcel(context)

    def results(self, jobs: Sequence[Job]) -> Results:
        """See `Workers`."""
        slots = slots_of(self._executor)
        waiting = deque(enumerate(jobs))
        batches: dict[Future[Done | None], _Batch] = {}
        failures: dict[int, UserError] = {}
        jobs_per_second = 0.0

        def start(batch: _Batch, *, with_context: bool = False) -> None:
            task = self._parcel.task(batch[1], with_context=with_context)
            batches[self._executor.submit(evaluate, task)] = batch

        try:
            while waiting or batches:
                while waiting and len(batches) < _TASKS_PER_SLOT * slots:
                    size = _batch_size(jobs_per_second, len(waiting) / slots)
                    taken = [waiting.popleft() for _ in range(min(size, len(waiting)))]
                    start((taken[0][0], tuple(job for _, job in taken)))
                for future in wait(batches, return_when=FIRST_COMPLETED).done:
                    batch = batches.pop(future)
                    try:
                        done = future.result()
                    except UserError as error:
                        failures[batch[0]] = error
                        waiting.clear()
                        continue
                    except BrokenExecutor as error:
                        raise UserError(
                            "bit search: expected the executor to last, its workers died; "
                            "give another one"
                        ) from error
                    if done is None:
                        start(batch, with_context=True)
                        continue
                    jobs_per_second = len(done.records) / max(done.seconds, 1e-6)
                    yield from enumerate(done.records, batch[0])
        finally:
            for future in batches:
                future.cancel()
        if failures:
            raise failures[min(failures)]


def _batch_size(jobs_per_second: float, share: float) -> int:
    """How many jobs fill a task, within a worker's share of what is left."""
    wanted = math.ceil(TASK_SECONDS * jobs_per_second)
    return max(1, min(wanted, _MOST_JOBS, math.ceil(share)))
