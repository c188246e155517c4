"""``hwsim verify --tensors``: exit status, report and sentences."""

import json
from pathlib import Path

import numpy as np
import pytest

from hwsim.cli import main
from quant.graph import save_graph
from tests.edsr_graphs import edsr_graph


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "net.hwgraph"
    save_graph(edsr_graph(blocks=1), path)
    np.save(tmp_path / "image.npy", np.random.default_rng(0).integers(0, 256, (5, 6, 3)))
    return path


def verify(network: Path, *options: str) -> int:
    return main(
        ["verify", str(network), "--input", str(network.parent / "image.npy"), "--quiet", *options]
    )


def test_ours_written_and_read_back_are_equal(
    network: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    maps = str(network.parent / "maps")
    assert verify(network, "--write-tensors", maps) == 0
    assert capsys.readouterr().out == ""
    assert verify(network, "--tensors", maps, "--json") == 0
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert [check["mismatches"] for check in checks] == [0] * len(checks)
    assert "block0.conv1" in [check["subject"] for check in checks]


def test_a_mismatch_is_shown_with_its_operands_and_exits_1(
    network: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    maps = network.parent / "maps.npz"
    assert verify(network, "--write-tensors", str(maps)) == 0
    given = dict(np.load(maps))
    given["head"][1, 2, 3] += 1
    np.savez(maps, **given)
    assert verify(network, "--tensors", str(maps)) == 1
    shown = capsys.readouterr().out
    assert "head: row 1, column 2, channel 3: found " in shown
    assert "\n    tap 1,1 (row 1, column 2): " in shown
    assert "\n    sum " in shown


def test_an_input_alone_is_refused(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(network) == 2
    assert "expected --tensors or --write-tensors beside it" in capsys.readouterr().err


def test_codes_out_of_range_are_refused(network: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(network.parent / "image.npy", np.full((5, 6, 3), 256))
    assert verify(network, "--tensors", "x.npy") == 2
    assert "expected u8 codes (0 to 255), found 256 to 256; correct it" in capsys.readouterr().err
