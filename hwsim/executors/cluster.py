"""The workers of a Dask cluster that is running already."""

import logging
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import hwsim
from hwsim.executors.handed_on import cancelled_together, settle
from quant.common.errors import UserError

if TYPE_CHECKING:
    from distributed import Client

P = ParamSpec("P")
R = TypeVar("R")

SCHEME = "dask://"

_SECONDS_TO_ANSWER = 10.0
_SECONDS_FOR_A_WORKER = 30.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where a Dask scheduler listens.

    Attributes:
        host: name or number.
        port: of TCP.
    """

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """``dask://HOST:PORT``.

        Raises:
            UserError: anything else.
        """
        host, _, port = text.removeprefix(SCHEME).rpartition(":")
        fits = text.startswith(SCHEME) and port.isascii() and port.isdecimal() and len(port) <= 5
        if not (fits and host and "/" not in host and 0 < int(port) < 1 << 16):
            raise UserError(
                f"expected the address of a Dask scheduler such as {SCHEME}host:8786, given "
                f"'{text}'"
            )
        return cls(host, int(port))

    def __str__(self) -> str:
        return f"{SCHEME}{self.host}:{self.port}"


@contextmanager
def dask_cluster(
    address: Address, seconds_for_a_worker: float = _SECONDS_FOR_A_WORKER
) -> Iterator["DaskCluster"]:
    """The workers of a cluster, until the end of the block; it is left running.

    Args:
        address: of its scheduler.
        seconds_for_a_worker: how long a cluster without workers is waited for.

    Raises:
        UserError: Dask is not installed, no scheduler answers, it has no workers, or these have
            no hwsim or another version of it.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise UserError(
            f"{address}: a Dask cluster needs '{error.name}', which is not installed; "
            "pip install 'hwsim[cluster]'"
        ) from error
    _require_scheduler(address)
    with ExitStack() as stack:
        stack.enter_context(_without_its_log())
        try:
            client = Client(
                f"tcp://{address.host}:{address.port}",
                timeout=_SECONDS_TO_ANSWER,
                set_as_default=False,
            )
        except Exception as error:  # whatever a stranger's answer leads to
            raise _nobody(address) from error
        stack.callback(client.close)
        _require_workers(client, address, seconds_for_a_worker)
        cluster = DaskCluster(client, address)
        stack.callback(cluster.shutdown, wait=False)
        yield cluster


class DaskCluster(Executor):
    """Hands calls to a cluster, whose scheduler gives those of a dead worker to another.

    Attributes:
        slots: threads of all workers when the search began.
    """

    def __init__(self, client: "Client", address: Address) -> None:
        self._executor = client.get_executor(pure=False)
        self._address = address
        self.slots = max(sum(client.nthreads().values()), 1)

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> "Future[R]":
        """Compute a call on some worker.

        The future raises a UserError if the cluster is gone, or workers die again and again.
        """
        outer: Future[R] = Future()
        inner = self._executor.submit(fn, *args, **kwargs)
        cancelled_together(outer, inner)
        inner.add_done_callback(partial(self._finish, outer))
        return outer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End what was submitted: compute it, or cancel it."""
        self._executor.shutdown(wait=wait and not cancel_futures)

    def _finish(self, outer: "Future[Any]", inner: "Future[Any]") -> None:
        from distributed.scheduler import KilledWorker

        try:
            settle(outer, inner.result())
        except CancelledError:
            settle(
                outer,
                error=UserError(
                    f"{self._address}: expected the scheduler to stay, lost it; start it again"
                ),
            )
        except KilledWorker:
            settle(
                outer,
                error=UserError(
                    f"{self._address}: the same evaluation ended one worker after another, as it "
                    "does when memory runs out; give them more memory"
                ),
            )
        except BaseException as error:
            settle(outer, error=error)


@contextmanager
def _without_its_log() -> Iterator[None]:
    """Keep Dask's client from writing tracebacks of what is told in a sentence here."""
    log = logging.getLogger("distributed.client")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)


def _require_scheduler(address: Address) -> None:
    """See that somebody answers who speaks first, as schedulers do; Dask may wait for ever."""
    try:
        with socket.create_connection(
            (address.host.strip("[]"), address.port), _SECONDS_TO_ANSWER
        ) as link:
            spoke = link.recv(1)
    except OSError as error:
        raise _nobody(address) from error
    if not spoke:
        raise _nobody(address)


def _nobody(address: Address) -> UserError:
    return UserError(
        f"{address}: expected a Dask scheduler to answer, none did; start one there (dask "
        "scheduler) or correct the address"
    )


def _require_workers(client: "Client", address: Address, seconds: float) -> None:
    """See that there are workers, with this version of the program."""
    try:
        client.wait_for_workers(1, timeout=seconds)
    except TimeoutError as error:
        raise UserError(
            f"{address}: expected workers, found none in {seconds:.0f} s; start some (dask worker)"
        ) from error
    try:
        versions = set(client.run(_version).values())
    except Exception as error:  # whatever a worker answers that cannot import this module
        versions = {f"none that can be imported ({_first_line(error)})"}
    if versions != {hwsim.__version__}:
        found = ", ".join(sorted(versions))
        raise UserError(
            f"{address}: expected hwsim {hwsim.__version__} on every worker, found {found}; "
            "install the same version there and start the workers again"
        )


def _version() -> str:
    return hwsim.__version__


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
