"""A Dask cluster of this machine: a real scheduler, and workers that are processes."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from hwsim.executors import Address


@dataclass(frozen=True)
class LocalDask:
    """A running cluster.

    Attributes:
        address: of its scheduler.
        cluster: Dask's own object.
    """

    address: Address
    cluster: Any

    def worker_processes(self) -> list[int]:
        """Their process numbers."""
        return [worker.process.pid for worker in self.cluster.workers.values()]


@contextmanager
def local_dask(workers: int) -> Iterator[LocalDask]:
    """Start a cluster, and stop it in the end; skips the test where Dask is not installed."""
    distributed = pytest.importorskip("distributed", reason="needs the extra [cluster]")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Dask's own making
        with distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            silence_logs=50,
        ) as cluster:
            host, port = cluster.scheduler_address.removeprefix("tcp://").split(":")
            yield LocalDask(Address(host, int(port)), cluster)
