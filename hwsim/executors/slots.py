"""How many calls run at a time."""

import os
from concurrent.futures import Executor


def usable_processors() -> int:
    """The processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def slots_of(executor: Executor) -> int:
    """What an executor says in ``slots``; for one that does not, the processors of this machine."""
    slots: int | None = getattr(executor, "slots", None)
    return usable_processors() if slots is None else slots
