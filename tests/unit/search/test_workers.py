"""A search is the same whoever measures, and whatever dies meanwhile."""

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from hwsim.executors import WorkerProcesses, dask_cluster
from hwsim.ledger import FILE_NAME, Ledger
from hwsim.search.evaluation import Context, Job
from hwsim.search.measurement import Meter
from hwsim.search.tasks import ContextParcel, Done, evaluate
from hwsim.search.workers import _TASKS_PER_SLOT
from quant.common.errors import UserError
from quant.graph import Graph
from quant.policy import BitPolicy, LayerBits
from tests.dask_clusters import local_dask
from tests.edsr_graphs import edsr_layers
from tests.processes import alive_in_session, ended
from tests.unit.search.tiny_search import PICTURES, REQUEST, TARGET, build_graph, tiny_search

LAYERS = tuple(edsr_layers(1))
CONTEXT = Context(build_graph, PICTURES, TARGET, LAYERS)
W8A8 = BitPolicy(LayerBits(8, 8))
EVERY_RECORD = 2 * (1 + len(LAYERS) * 8)
"""Of the survey: the base, and eight other choices of each layer."""


@cache
def expected() -> dict[str, Any]:
    """What a search finds that this process does alone."""
    return tiny_search().to_json()


def keys(folder: Path) -> list[str]:
    """The keys of whole lines in a ledger."""
    path = folder / FILE_NAME
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return [json.loads(line)["key"] for line in lines if line]


def once(action: Callable[[], object], at: int) -> Callable[[int, int], None]:
    """Progress that does something after so many measurements."""

    def progress(done: int, total: int) -> None:
        assert done <= total
        if done == at:
            action()

    return progress


def test_threads_find_the_same() -> None:
    steps: list[tuple[int, int]] = []
    with ThreadPoolExecutor(3) as threads:
        found = tiny_search(progress=lambda *step: steps.append(step), executor=threads)
    assert found.to_json() == expected()
    assert [done for done, _ in steps] == list(range(1, len(steps) + 1))
    assert steps[-1][0] == steps[-1][1]


def test_processes_find_the_same_although_one_is_killed(tmp_path: Path) -> None:
    said: list[str] = []

    def kill() -> None:
        os.kill(random.Random(1).choice(multiprocessing.active_children()).pid or 0, signal.SIGKILL)

    with WorkerProcesses(2, said.append) as processes:
        found = tiny_search(tmp_path, once(kill, at=20), processes)
    assert found.to_json() == expected()
    assert said == ["a worker process died; its calls are computed again"]
    assert max(Counter(keys(tmp_path)).values()) == 1


def test_a_cluster_finds_the_same_although_a_worker_is_killed(tmp_path: Path) -> None:
    with local_dask(workers=2) as dask:

        def kill() -> None:
            os.kill(dask.worker_processes()[0], signal.SIGKILL)

        with dask_cluster(dask.address) as cluster:
            found = tiny_search(tmp_path, once(kill, at=20), cluster)
    assert found.to_json() == expected()
    assert max(Counter(keys(tmp_path)).values()) == 1


@pytest.mark.parametrize("seed", [0, 1])
def test_a_search_that_is_killed_goes_on_where_it_was(seed: int, tmp_path: Path) -> None:
    wanted = random.Random(seed).randrange(1, EVERY_RECORD)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.unit.search.tiny_search", tmp_path, "2"],
        start_new_session=True,
    )
    while len(keys(tmp_path)) < wanted:
        assert process.poll() is None
        time.sleep(0.005)
    assert len(alive_in_session(process.pid)) > 2

    process.kill()
    process.wait()

    assert ended(process.pid)  # its workers too
    found = tiny_search(tmp_path)
    assert found.to_json() == expected()
    assert max(Counter(keys(tmp_path)).values()) == 1  # nothing that was known was measured again


@pytest.mark.parametrize("cut", [1, 40])
def test_of_a_torn_line_nothing_is_believed(cut: int, tmp_path: Path) -> None:
    tiny_search(tmp_path)
    path = tmp_path / FILE_NAME
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2].rpartition(b"\n")[0] + b"\n" + whole[:cut])
    assert tiny_search(tmp_path).to_json() == expected()
    assert max(Counter(json.loads(line)["key"] for line in _parsable(path)).values()) == 1


def _parsable(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line.endswith("}")]


def some_refused(policy: BitPolicy) -> Graph:
    """Builds no graph where a middle layer has three bits."""
    for layer, bits in policy.resolve(LAYERS).items():
        if layer.startswith("block") and bits.weight_bits == 3:
            raise UserError(f"no {layer}")
    return build_graph(policy)


def test_of_several_failures_the_first_in_order_is_told() -> None:
    policies = [W8A8.with_layer(layer, LayerBits(3, 8)) for layer in LAYERS]
    for _ in range(3):
        with ThreadPoolExecutor(4) as threads:
            meter = Meter(some_refused, W8A8, PICTURES, TARGET, Ledger(), threads)
            with pytest.raises(UserError, match=r"^no block0\.conv1$"):
                meter.measure_all(policies)


def test_what_cannot_be_sent_is_told_in_a_sentence() -> None:
    with (
        ThreadPoolExecutor(1) as threads,
        pytest.raises(UserError, match=r"an object that other processes can be sent, found one"),
    ):
        Meter(lambda policy: build_graph(policy), W8A8, PICTURES, TARGET, Ledger(), threads)


class Inline(Executor):
    """Computes a call when it is submitted, and remembers it."""

    def __init__(self, slots: int = 1) -> None:
        self.slots = slots
        self.tasks: list[Any] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        self.tasks.append(args[0])
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def test_the_context_is_sent_on_request_and_policies_in_batches() -> None:
    executor = Inline()
    found = tiny_search(executor=executor)
    assert found.to_json() == expected()
    with_context = [task for task in executor.tasks if task.context is not None]
    # Those that were under way when the worker first asked for it.
    assert 1 <= len(with_context) <= _TASKS_PER_SLOT
    assert executor.tasks[0].context is None
    assert max(len(task.jobs) for task in executor.tasks) > 1


def test_a_worker_that_lacks_the_context_asks_for_it() -> None:
    parcel = ContextParcel(CONTEXT)
    jobs = (Job(W8A8, ("error",)), Job(W8A8.with_layer("tail", LayerBits(3, 3)), ("error",)))
    with ThreadPoolExecutor(1) as worker:

        def ask(with_context: bool) -> Done | None:
            return worker.submit(evaluate, parcel.task(jobs, with_context=with_context)).result()

        assert ask(False) is None
        first = ask(True)
        second = ask(False)
    assert first is not None
    assert second is not None
    assert first.records == second.records
    assert [list(records) for records in first.records] == [["error"], ["error"]]


def test_an_executor_that_breaks_is_told_in_a_sentence() -> None:
    class Broken(Inline):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
            future: Future[Any] = Future()
            future.set_exception(BrokenExecutor())
            return future

    with pytest.raises(UserError, match="expected the executor to last, its workers died"):
        tiny_search(executor=Broken())


def test_the_request_has_what_the_numbers_here_say() -> None:
    assert len(REQUEST.choices) == 9
