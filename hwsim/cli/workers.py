"""Who computes the measurements of a search: this process, others on this machine, or a cluster."""

from argparse import Namespace
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from hwsim.cli.messages import Messages
from hwsim.executors import WorkerProcesses, dask_cluster, usable_processors
from quant.common.errors import UserError


@contextmanager
def search_executor(arguments: Namespace, messages: Messages) -> Iterator[Executor | None]:
    """What ``--workers`` and ``--executor`` ask for, until the end of the block.

    Yields:
        An executor; None: this process alone.

    Raises:
        UserError: both are given, or the cluster cannot be used.
    """
    address, count = arguments.executor, arguments.workers
    if address is not None:
        if count is not None:
            raise UserError(
                f"--executor {address}: expected no --workers, given {count}; a cluster has the "
                "workers it has"
            )
        with dask_cluster(address) as cluster:
            yield cluster
        return
    count = count or usable_processors()
    if count == 1:
        yield None
        return
    with WorkerProcesses(count, messages.say) as processes:
        yield processes
