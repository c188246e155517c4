"""Feature maps of others: read from every kind of file, compared in order, located."""

import io
from pathlib import Path

import numpy as np
import pytest

from hwsim.machine import KERNELS, run_layerwise
from hwsim.verify.tensor_files import read_tensors, tensor_writer, wanted_tensors
from hwsim.verify.tensors import verify_tensors, write_tensors
from quant.common.errors import UserError
from quant.graph import Size
from tests.edsr_graphs import edsr_graph

GRAPH = edsr_graph(blocks=1, bits=(5, 6))
SIZE = Size(5, 7)
IMAGE = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.int32)
WANTED = wanted_tensors(GRAPH, SIZE)


def written(path: Path) -> Path:
    with tensor_writer(path) as write:
        write_tensors(GRAPH, IMAGE, write)
    return path


@pytest.mark.parametrize("name", ["maps.npz", "maps"])
def test_our_own_tensors_are_equal(name: str, tmp_path: Path) -> None:
    given = read_tensors(written(tmp_path / name), WANTED, GRAPH.output)
    checks = verify_tensors(GRAPH, IMAGE, given)
    assert [check.subject for check in checks] == [node.name for node in GRAPH.nodes]
    assert all(check.mismatches == 0 for check in checks)
    assert sum(check.values for check in checks) == sum(
        wanted.size.pixels * wanted.tensor.channels for wanted in WANTED.values()
    )


def test_a_file_without_names_is_the_output(tmp_path: Path) -> None:
    path = tmp_path / "picture.npy"
    np.save(path, run_layerwise(GRAPH, IMAGE, KERNELS).astype(np.uint8))
    (check,) = verify_tensors(GRAPH, IMAGE, read_tensors(path, WANTED, GRAPH.output))
    assert (check.subject, check.values, check.mismatches) == ("tail", 420, 0)


def test_the_first_mismatch_is_located_with_its_operands(tmp_path: Path) -> None:
    given = read_tensors(written(tmp_path / "maps.npz"), WANTED, GRAPH.output)
    given["block0.conv2"][2, 3, 1] += 1
    given["tail"][0, 0, 0] ^= 1
    checks = {check.subject: check for check in verify_tensors(GRAPH, IMAGE, given)}
    failed = [name for name, check in checks.items() if check.mismatches]
    assert failed == ["block0.conv2", "tail"]
    wrong = checks["block0.conv2"]
    ours = int(given["block0.conv2"][2, 3, 1]) - 1
    assert wrong.first_mismatch == (
        f"block0.conv2: row 2, column 3, channel 1: found {ours + 1}, expected {ours}"
    )
    assert wrong.operands[0].startswith("bias ")
    assert len(wrong.operands) == 1 + 9 + 1 + 1


def test_the_input_is_compared_too() -> None:
    (check,) = verify_tensors(GRAPH, IMAGE, {"image": IMAGE + 1})
    assert (check.mismatches, check.operands) == (105, ())


def saved(path: Path, values: object) -> Path:
    np.save(path, np.asarray(values))
    return path


def archive(path: Path, **values: object) -> Path:
    np.savez(path, **{name: np.asarray(value) for name, value in values.items()})
    return path


def text(path: Path, content: str) -> Path:
    path.write_text(content)
    return path


def old_text_array(path: Path) -> Path:
    """NumPy warns of the type that this one declares."""
    content = io.BytesIO()
    header = {"descr": "<a4", "fortran_order": False, "shape": (10, 14, 3)}
    np.lib.format.write_array_header_1_0(content, header)
    path.write_bytes(content.getvalue() + bytes(10 * 14 * 3 * 4))
    return path


REFUSED = {
    "a.npy: expected 10×14×3 integers (rows, columns, channels), found 14×10×3; give the tensor of "
    "this image in that order": lambda: saved(Path("a.npy"), np.zeros((14, 10, 3), int)),
    "a.npy: expected integers, found float64; give codes, not real numbers": lambda: saved(
        Path("a.npy"), np.zeros((10, 14, 3))
    ),
    "a.npy: expected a NumPy array, found something else or a damaged one; write it again": (
        lambda: text(Path("a.npy"), "hello")
    ),
    "a.npy: expected integers, found |S4; give codes, not real numbers": lambda: old_text_array(
        Path("a.npy")
    ),
    "a.npz: no tensor 'tial' in this graph; did you mean 'tail'?": lambda: archive(
        Path("a.npz"), tial=np.zeros((10, 14, 3), int)
    ),
    "a.npz: expected a NumPy archive, found something else or a damaged one; write it again": (
        lambda: text(Path("a.npz"), "hello")
    ),
    "a.png: expected a tensor file (.npy, .npz, .hex, .mem) or a folder of them, found '.png'; "
    "convert it": lambda: text(Path("a.png"), ""),
    "a.hex, line 2: expected a hexadecimal word such as 3f, found 'q1'; correct it (x and z are "
    "unknown bits of the circuit)": lambda: text(Path("a.hex"), "00\nq1\n"),
    "a.npy: no such tensor file; check the path": lambda: Path("a.npy"),
    "folder: expected tensor files in this folder, found none": lambda: _folder(),
}


def _folder() -> Path:
    Path("folder").mkdir()
    return Path("folder")


@pytest.mark.parametrize("message", REFUSED)
def test_files_that_are_no_such_tensors(
    message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as raised:
        read_tensors(REFUSED[message](), WANTED, GRAPH.output)
    assert str(raised.value) == message
