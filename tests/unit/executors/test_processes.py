"""Worker processes: what they inherit, what becomes of them and of their calls when they die."""

import multiprocessing
import os
import signal
import time
from concurrent.futures import wait
from pathlib import Path

import pytest

from hwsim.executors import WorkerProcesses, slots_of
from hwsim.executors.processes import MOST_RESTARTS
from quant.common.errors import UserError


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(mark: Path) -> str:
    """Dies, but not where somebody died before."""
    if mark.exists():
        return "done"
    mark.write_text("")
    die()
    raise AssertionError("it is dead")


def refuse() -> None:
    raise UserError("a sentence")


def surroundings() -> tuple[str, bool]:
    """A variable, and whether Ctrl-C is kept away."""
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    return os.environ["OMP_NUM_THREADS"], signal.SIGINT in blocked


def test_calls_end_as_they_would_here() -> None:
    with WorkerProcesses(1) as processes:
        assert processes.submit(pow, 2, 10).result() == 1024
        assert processes.submit(int, "11", base=2).result() == 3
        with pytest.raises(UserError, match="a sentence"):
            processes.submit(refuse).result()


def test_a_worker_has_one_thread_and_ignores_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    with WorkerProcesses(1) as processes:
        assert processes.submit(surroundings).result() == ("1", True)
        assert surroundings() == ("7", False)
        assert "OPENBLAS_NUM_THREADS" not in os.environ


def test_what_a_dead_worker_was_computing_is_computed_again(tmp_path: Path) -> None:
    said: list[str] = []
    with WorkerProcesses(2, said.append) as processes:
        calls = [processes.submit(die_once, tmp_path / "mark")]
        calls += [processes.submit(abs, -number) for number in range(5)]
        assert [call.result() for call in calls] == ["done", 0, 1, 2, 3, 4]
    assert said == ["a worker process died; its calls are computed again"]


def test_a_call_that_kills_its_workers_is_given_up() -> None:
    said: list[str] = []
    with WorkerProcesses(1, said.append) as processes:
        call = processes.submit(die)
        with pytest.raises(UserError, match=r"died 4 times.*use fewer of them \(--workers\)"):
            call.result()
    assert len(said) == MOST_RESTARTS


def test_an_error_ends_workers_in_the_middle_of_a_call() -> None:
    processes = WorkerProcesses(1)
    call = processes.submit(time.sleep, 600)
    while not multiprocessing.active_children():
        time.sleep(0.01)
    processes.__exit__(KeyError, KeyError(), None)  # waits for no call, else this test times out
    assert multiprocessing.active_children() == []
    assert call.done()
    with pytest.raises(RuntimeError, match="after shutdown"):
        processes.submit(abs, -1)


def test_a_cancelled_call_is_not_computed(tmp_path: Path) -> None:
    with WorkerProcesses(1) as processes:
        calls = [processes.submit((tmp_path / str(number)).touch) for number in range(9)]
        assert calls[-1].cancel()
        wait(calls[:-1])
    assert calls[-1].cancelled()
    assert not (tmp_path / "8").exists()


def test_nothing_is_started_before_it_is_needed() -> None:
    with WorkerProcesses(3) as processes:
        assert slots_of(processes) == 3
        assert multiprocessing.active_children() == []
