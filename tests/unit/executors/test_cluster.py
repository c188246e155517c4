"""Dask clusters that are there, not there, or of no use."""

import socket
import sys

import pytest

import hwsim
from hwsim.executors import Address, dask_cluster, slots_of
from quant.common.errors import UserError
from tests.dask_clusters import local_dask


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("dask://host:8786", "host", 8786), ("dask://[::1]:1", "[::1]", 1)],
)
def test_an_address_is_a_host_and_a_port(text: str, host: str, port: int) -> None:
    assert Address.parse(text) == Address(host, port)
    assert str(Address(host, port)) == text


@pytest.mark.parametrize(
    "text",
    ["", "dask://", "host:8786", "tcp://host:8786", "dask://host", "dask://host:", "dask://:8786",
     "dask://host:0", "dask://host:65536", "dask://host:٣", "dask://host:8786/a", "dask://a/b:1"],
)  # fmt: skip
def test_what_is_no_address_is_told_in_a_sentence(text: str) -> None:
    with pytest.raises(UserError, match=r"such as dask://host:8786, given '"):
        Address.parse(text)


def test_an_address_nobody_answers_at() -> None:
    pytest.importorskip("distributed", reason="needs the extra [cluster]")
    with socket.socket() as bound:  # and not listening
        bound.bind(("127.0.0.1", 0))
        address = Address(*bound.getsockname())
        with pytest.raises(UserError, match=f"^{address}: expected a Dask scheduler to answer"):
            dask_cluster(address).__enter__()


def test_somebody_else_who_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="needs the extra [cluster]")
    monkeypatch.setattr("hwsim.executors.cluster._SECONDS_TO_ANSWER", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = Address(*silent.getsockname())
        with pytest.raises(UserError, match="none did; start one there"):
            dask_cluster(address).__enter__()


def test_without_dask_the_sentence_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(
        UserError, match=r"needs 'distributed', which is not installed; pip install"
    ):
        dask_cluster(Address("host", 8786)).__enter__()


def test_a_cluster_without_workers() -> None:
    with (
        local_dask(workers=0) as dask,
        pytest.raises(UserError, match=r"expected workers, found none in 0 s; start some"),
        dask_cluster(dask.address, seconds_for_a_worker=0.1),
    ):
        pass


def test_calls_are_computed_until_the_cluster_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    with local_dask(workers=1) as dask:
        with dask_cluster(dask.address) as cluster:
            assert slots_of(cluster) == 1
            assert cluster.submit(pow, 2, 10).result() == 1024
            with pytest.raises(ZeroDivisionError):
                cluster.submit(divmod, 1, 0).result()
            (killed,) = dask.worker_processes()
            with pytest.raises(UserError, match="ended one worker after another"):
                cluster.submit(_end).result()
            assert dask.worker_processes() != [killed]
        monkeypatch.setattr(hwsim, "__version__", "another")
        with (
            pytest.raises(UserError, match=r"expected hwsim another on every worker, found 0"),
            dask_cluster(dask.address),
        ):
            pass
        monkeypatch.undo()
        with dask_cluster(dask.address) as cluster:
            waiting = cluster.submit(_wait)
            dask.cluster.close()
            with pytest.raises(UserError, match="expected the scheduler to stay, lost it"):
                waiting.result()


def _end() -> None:
    import os

    os._exit(1)


def _wait() -> None:
    import time

    time.sleep(60)
