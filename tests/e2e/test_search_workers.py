"""``hwsim search`` with other processes, with a cluster, and interrupted."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hwsim.ledger import FILE_NAME
from tests.dask_clusters import local_dask
from tests.e2e.conftest import Command
from tests.processes import alive_in_session, ended


@pytest.fixture
def search(calibration_folder: Path) -> tuple[object, ...]:
    """A small search."""
    return (
        "search", "mobile_sr_x2", "--pictures", calibration_folder,
        "--calibration", calibration_folder, "--input-size", "8x8", "--widths", "4",
        "--front-points", "2",
    )  # fmt: skip


def test_processes_and_clusters_find_the_same(
    hwsim: Command, search: tuple[object, ...], tmp_path: Path
) -> None:
    alone = hwsim(*search, "--workers", 1, "--json")
    together = hwsim(*search, "--workers", 2, "--json")
    assert alone.status == together.status == 0, together.err
    assert together.out == alone.out
    with local_dask(workers=1) as dask:
        there = hwsim(*search, "--executor", dask.address, "--out", tmp_path / "out")
    assert there.status == 0, there.err
    assert (tmp_path / "out" / "search.json").read_text() == alone.out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--workers", "0"), "expected a number of processes from 1 to 1024, got '0'"),
        (("--workers", "two"), "expected a number of processes from 1 to 1024, got 'two'"),
        (("--executor", "ray://a:1"), "such as dask://host:8786, given 'ray://a:1'"),
        (("--executor", "dask://127.0.0.1:1", "--workers", "2"), "expected no --workers, given 2"),
    ],
)
def test_workers_nobody_can_have_are_bad_input(
    hwsim: Command, options: tuple[str, ...], sentence: str
) -> None:
    done = hwsim("search", *options)
    assert done.status == 2
    assert sentence in done.err
    assert done.err.count("\n") == 1


def test_ctrl_c_ends_the_workers_too(search: tuple[object, ...], tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "hwsim", *map(str, search), "--workers", "2",
         "--widths", "2,3,4,5,6,7,8", "--out", str(tmp_path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    ledger = tmp_path / FILE_NAME
    while not (ledger.exists() and ledger.stat().st_size):
        assert process.poll() is None
    assert len(alive_in_session(process.pid)) > 2

    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: workers get it too
    out, err = process.communicate()

    assert process.returncode == 130
    assert err.splitlines()[-1].startswith("hwsim search: interrupted; what was measured is kept")
    assert "Traceback" not in err
    assert out == ""
    assert ended(process.pid)
    assert ledger.read_text().endswith("}\n")
