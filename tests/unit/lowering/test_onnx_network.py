"""Float ONNX models as float networks: the same function, the same names, every problem told."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from quant.common.errors import UserError
from quant.lowering.execution import Execution
from quant.lowering.float_network import FloatNetwork
from quant.lowering.fold import fold
from tests.sr_networks import NETWORKS, random_network
from tests.unit.lowering.small_networks import picture

pytest.importorskip("onnx", reason="needs onnx, of the extra [onnx]")

from quant.interchange.onnx_model import load_model
from quant.lowering.onnx_network import network_of
from tests.onnx_exports import export
from tests.unit.interchange.onnx_files import Node, graph_proto, model_proto, write

TOLERANCE = 2e-6
"""Of results around 1, in float32."""


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("opset", [11, pytest.param(17, marks=pytest.mark.slow)])
def test_a_family_keeps_its_function(name: str, opset: int, tmp_path: Path) -> None:
    module, image = random_network(name), picture()
    network = network_of(load_model(export(module, tmp_path / "n.onnx", opset=opset)), name, 1.0)
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    with torch.no_grad():
        wanted = module(pixels)
    for each in (network, fold(network)):
        torch.testing.assert_close(Execution(each).picture(image), wanted, rtol=0, atol=TOLERANCE)
    assert network.scale() == wanted.shape[2] // image.shape[0]


def read(folder: Path, nodes: list[Node], constants: dict[str, Any], **ends: Any) -> FloatNetwork:
    graph = graph_proto(nodes, constants, **ends)
    return network_of(load_model(write(model_proto(graph), folder)), "small", 255.0)


def result(folder: Path, nodes: list[Node], constants: dict[str, Any]) -> Any:
    """What comes of the pixels 0, 1, 2, …, 11 in one row of three colours."""
    network = read(folder, nodes, constants)
    image = np.arange(12, dtype=np.uint8).reshape(1, 4, 3)
    return Execution(network, torch.float64).picture(image)[0].permute(1, 2, 0).numpy()


PIXELS = np.arange(12.0).reshape(1, 4, 3)
PER_CHANNEL = np.array([1.0, 2.0, 4.0], np.float32).reshape(3, 1, 1)
ONE = np.float32(1)
IDENTITY = np.eye(3, dtype=np.float32).reshape(3, 3, 1, 1)
OPERATORS: dict[str, tuple[list[Node], dict[str, Any], Any]] = {
    "constants in front": (
        [("Sub", ["c", "image"], ["out"], {})],
        {"c": PER_CHANNEL},
        [1, 2, 4] - PIXELS,
    ),
    "division": (
        [("Div", ["image", "c"], ["out"], {})],
        {"c": PER_CHANNEL},
        PIXELS / [1, 2, 4],
    ),
    "limits": (
        [("Min", ["image", "c"], ["m"], {}), ("Max", ["d", "m"], ["out"], {})],
        {"c": np.float32(5), "d": np.float32(2)},
        PIXELS.clip(2, 5),
    ),
    "a clip without a limit": (
        [("Clip", ["image", "", "c"], ["out"], {})],
        {"c": np.float32(5)},
        PIXELS.clip(max=5),
    ),
    "statistics": (
        [("BatchNormalization", ["image", "g", "b", "m", "v"], ["out"], {"epsilon": 0.0})],
        {"g": [1, 2, 3], "b": [4, 5, 6], "m": [1, 1, 1], "v": [4, 4, 4]},
        (PIXELS - 1) / 2 * [1, 2, 3] + [4, 5, 6],
    ),
    "runs of channels": (
        [
            ("Slice", ["image", "one", "far", "one"], ["late"], {}),
            ("Split", ["image"], ["a", "b"], {"axis": 1}),
            ("Concat", ["late", "b", "a"], ["out"], {"axis": 1}),
        ],
        {"one": [1], "far": [2**31 - 1]},
        PIXELS[..., [1, 2, 2, 0, 1]],
    ),
    "constants made of constants": (
        [
            ("Unsqueeze", ["c", "axes"], ["wide"], {}),
            ("Neg", ["wide"], ["turned"], {}),
            ("Concat", ["turned", "wide"], ["both"], {"axis": 0}),
            ("Gather", ["both", "some"], ["three"], {"axis": 0}),
            ("Mul", ["image", "three"], ["out"], {}),
        ],
        {"c": np.array([1, 2, 4], np.float32), "axes": [1, 2], "some": [0, 4, 2]},
        PIXELS * [-1, 2, -4],
    ),
    "blocks of channels": (
        [
            ("Conv", ["image", "w"], ["wide"], {}),
            ("DepthToSpace", ["wide"], ["out"], {"blocksize": 2, "mode": "DCR"}),
        ],
        {"w": np.concatenate([IDENTITY, 2 * IDENTITY, 3 * IDENTITY, 4 * IDENTITY])},
        np.stack(
            [np.stack([PIXELS, 2 * PIXELS], 2), np.stack([3 * PIXELS, 4 * PIXELS], 2)], 1
        ).reshape(2, 8, 3),
    ),
}


@pytest.mark.parametrize("what", OPERATORS)
def test_operators(what: str, tmp_path: Path) -> None:
    nodes, constants, wanted = OPERATORS[what]
    arrays = {name: np.asarray(v, np.float32 if name in "gbmv" else None)
              for name, v in constants.items()}  # fmt: skip
    np.testing.assert_allclose(result(tmp_path, nodes, arrays), wanted, rtol=1e-12)


def test_every_operator_that_is_none_is_named(tmp_path: Path) -> None:
    nodes: list[Node] = [
        ("Conv", ["image", "w"], ["c"], {}),
        ("GlobalAveragePool", ["c"], ["mean"], {}),
        ("Erf", ["mean"], ["erf"], {}),
        ("Mul", ["c", "erf"], ["scaled"], {}),
        ("Sub", ["c", "image"], ["less"], {}),
        ("Resize", ["c", "", "", "sizes"], ["resized"], {"mode": "cubic"}),
        ("TopK", ["resized", "one"], ["most", "where"], {}),
        ("Add", ["scaled", "most"], ["sum"], {}),
        ("Transpose", ["sum", "sum"], ["turned"], {"perm": [0, 2, 3, 1]}),
        ("Add", ["turned", "where"], ["out"], {}),
    ]
    with pytest.raises(UserError) as raised:
        read(tmp_path, nodes, {"w": IDENTITY, "sizes": np.array([1, 3, 9, 9]), "one": [1]})
    assert str(raised.value) == (
        f"{tmp_path / 'small.onnx'}: expected operators that can be lowered to integers, found "
        "GlobalAveragePool (a mean whose count is the image's size, which a graph does not know) "
        "at 'mean'; Erf at 'erf'; Sub of two feature maps at 'less'; a resize to a given size "
        "instead of by a factor at 'resized'; TopK at 'most'; Transpose without one input at "
        "'turned'; replace them"
    )


REFUSED: dict[str, tuple[Node, dict[str, Any]]] = {
    "a clamp by other than one number": (
        ("Clip", ["image", "none"], ["out"], {}),
        {"none": np.zeros(0, np.float32)},
    ),
    "a clamp between 2 and 1": (
        ("Clip", ["image", "high", "low"], ["out"], {}),
        {"low": np.float32(1), "high": np.float32(2)},
    ),
    "a normalization by [3, 2, 3, 3] numbers": (
        ("BatchNormalization", ["image", "three", "three", "three", "two"], ["out"], {}),
        {"three": np.ones(3, np.float32), "two": np.ones(2, np.float32)},
    ),
}


@pytest.mark.parametrize("problem", REFUSED)
def test_operands_that_make_no_sense(problem: str, tmp_path: Path) -> None:
    node, constants = REFUSED[problem]
    with pytest.raises(UserError) as raised:
        read(tmp_path, [node], constants)
    assert f"found {problem} at 'out'; replace them" in str(raised.value)


MISFITS: dict[str, tuple[list[Node], dict[str, Any]]] = {
    "4 input channels for 3": (
        [("Conv", ["image", "w"], ["out"], {})],
        {"w": np.ones((2, 4, 3, 3), np.float32)},
    ),
    "2 biases for 3 channels": (
        [("Conv", ["image", "w", "b"], ["out"], {"strides": [2, 2]})],
        {"w": IDENTITY, "b": np.ones(2, np.float32)},
    ),
    "2 constants for 3 channels": (
        [("Mul", ["image", "c"], ["out"], {})],
        {"c": np.ones((2, 1, 1), np.float32)},
    ),
    "3 channels in blocks of 2": (
        [("DepthToSpace", ["image"], ["out"], {"blocksize": 2})],
        {},
    ),
    "feature maps of 96×97 and 94×95 for an image of 96×97": (
        [("Conv", ["image", "w"], ["c"], {}), ("Add", ["image", "c"], ["out"], {})],
        {"w": np.ones((3, 3, 3, 3), np.float32)},
    ),
    "a feature map of 96000×97000 for an image of 96×97": (
        [("Resize", ["image", "", "f"], ["out"], {"mode": "nearest"})],
        {"f": np.array([1, 1, 1000, 1000], np.float32)},
    ),
}


@pytest.mark.parametrize("problem", MISFITS)
def test_what_does_not_fit_together_is_told(problem: str, tmp_path: Path) -> None:
    nodes, constants = MISFITS[problem]
    with pytest.raises(UserError) as raised:
        read(tmp_path, nodes, constants)
    name = nodes[-1][2][0]
    assert str(raised.value) == (
        f"{tmp_path / 'small.onnx'}: '{name}': expected constants and operands that fit, found "
        f"{problem}; correct the network"
    )


def test_infinite_weights_are_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="layer 'out': expected finite weights"):
        read(tmp_path, [("Div", ["image", "c"], ["out"], {})], {"c": 0 * PER_CHANNEL})


def test_what_constants_would_blow_up_to_is_not_computed(tmp_path: Path) -> None:
    rows, columns = np.ones((1 << 14, 1), np.float32), np.ones((1, 1 << 14), np.float32)
    nodes: list[Node] = [
        ("Mul", ["rows", "columns"], ["huge"], {}),
        ("Mul", ["image", "huge"], ["out"], {}),
    ]
    with pytest.raises(UserError, match="at 'huge'"):
        read(tmp_path, nodes, {"rows": rows, "columns": columns})
