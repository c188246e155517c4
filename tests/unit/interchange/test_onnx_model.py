"""ONNX files that are damaged or made to harm end in a sentence; the others are read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quant.common.errors import UserError

onnx = pytest.importorskip("onnx", reason="needs onnx, of the extra [onnx]")

from onnx import TensorProto, helper  # noqa: E402

from quant.interchange.onnx_model import load_model, parse_model  # noqa: E402
from quant.interchange.wire_format import WireError, check_fields  # noqa: E402
from tests.unit.interchange.onnx_files import graph_proto, model_proto, write  # noqa: E402


def small_graph() -> Any:
    return graph_proto([("Relu", ["image"], ["out"], {})], {})


def refused(model: Any, folder: Path) -> str:
    path = write(model, folder)
    with pytest.raises(UserError) as raised:
        load_model(path)
    message = str(raised.value)
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


def test_ends_constants_and_operators_are_read(tmp_path: Path) -> None:
    graph = graph_proto(
        [
            ("Constant", [], ["half"], {"value_float": 0.5}),
            ("Constant", [], ["sizes"], {"value_ints": [3, 4]}),
            ("Mul", ["image", "half"], ["out"], {}),
        ],
        {"table": np.arange(6, dtype=np.int8).reshape(2, 3)},
    )
    graph.input.append(helper.make_tensor_value_info("table", TensorProto.INT8, (2, 3)))
    model = load_model(write(model_proto(graph), tmp_path))
    assert (model.input.name, model.input.type) == ("image", "float32")
    assert model.input.shape == (1, 3, None, None)
    assert (model.output.name, model.opset) == ("out", 17)
    assert model.constants["half"].tolist() == 0.5
    assert model.constants["sizes"].tolist() == [3, 4]
    assert model.constants["table"].tolist() == [[0, 1, 2], [3, 4, 5]]
    (node,) = model.nodes
    assert (node.operator, node.inputs, node.outputs) == ("Mul", ("image", "half"), ("out",))


def test_four_bit_constants_are_unpacked(tmp_path: Path) -> None:
    graph = small_graph()
    graph.initializer.append(helper.make_tensor("nibbles", TensorProto.INT4, (3,), [-8, 7, -1]))
    model = load_model(write(model_proto(graph, 21), tmp_path))
    assert model.constants["nibbles"].dtype.name == "int4"
    assert model.constants["nibbles"].astype(int).tolist() == [-8, 7, -1]


def _with_tensor(**fields: Any) -> Any:
    graph = small_graph()
    graph.initializer.append(TensorProto(name="table", **fields))
    return model_proto(graph)


def _external(location: str, **entries: str) -> Any:
    tensor = TensorProto(name="table", data_type=TensorProto.UINT8, dims=(4,))
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=value)
    graph = small_graph()
    graph.initializer.append(tensor)
    return model_proto(graph)


def _loop() -> Any:
    return model_proto(
        graph_proto(
            [("Add", ["image", "late"], ["early"], {}), ("Relu", ["early"], ["late"], {})],
            {},
            output="late",
        )
    )


def _branch() -> Any:
    branch = helper.make_graph([], "branch", [], [])
    node = ("If", ["image"], ["out"], {"then_branch": branch, "else_branch": branch})
    return model_proto(graph_proto([node], {}))


def _function() -> Any:
    model = model_proto(small_graph())
    model.functions.append(
        helper.make_function("own", "twice", ["x"], ["y"], [], [helper.make_opsetid("", 17)])
    )
    return model


def _two_outputs() -> Any:
    graph = small_graph()
    graph.output.append(helper.make_tensor_value_info("image", TensorProto.FLOAT, None))
    return model_proto(graph)


REFUSED: dict[str, Callable[[], Any]] = {
    "constant 'table': expected at most 1073741824 bytes, found 4611686018427387904; export it "
    "again": lambda: _with_tensor(data_type=TensorProto.UINT8, dims=(1 << 62,)),
    "constant 'table': expected 12 bytes, found 3; export it again": lambda: _with_tensor(
        data_type=TensorProto.FLOAT, dims=(3,), raw_data=b"abc"
    ),
    "constant 'table': expected 3 values, found 0; export it again": lambda: _with_tensor(
        data_type=TensorProto.FLOAT, dims=(3,)
    ),
    "constant 'table': expected at most 8 axes, none negative, found (-1,); export it again": (
        lambda: _with_tensor(data_type=TensorProto.UINT8, dims=(-1,))
    ),
    "constant 'table': expected integers or real numbers, found STRING; export it again": (
        lambda: _with_tensor(data_type=TensorProto.STRING, dims=(1,), string_data=[b"x"])
    ),
    "constant 'table': expected values in a file beside this one, found '../secret'; export it "
    "again": lambda: _external("../secret"),
    "constant 'table': expected values in a file beside this one, found '/etc/passwd'; export it "
    "again": lambda: _external("/etc/passwd"),
    "constant 'table': expected values in a file beside this one, found 'link'; export it again": (
        lambda: _external("link")
    ),
    "constant 'table': expected values in a file beside this one, found ''; export it again": (
        lambda: _external("")
    ),
    "constant 'table': expected 4 bytes of values, found other numbers; export it again": (
        lambda: _external("values", offset="-1")
    ),
    "constant 'table': expected 4 bytes in values, found 2; export it again": (
        lambda: _external("values", offset="6")
    ),
    "expected 'late', which 'early' reads, to be made before it, found it not made yet; export it "
    "again": _loop,
    "expected 'out' to be without control flow, found the attribute 'else_branch'; give a network "
    "without loops and conditions": _branch,
    "expected no functions of its own, found twice; inline them (onnx.inliner)": _function,
    "expected one input and one output, found 1 and 2; give a network from an image to an image": (
        _two_outputs
    ),
    "expected 'out' to be made once, found twice; export it again": lambda: model_proto(
        graph_proto([("Relu", ["image"], ["out"], {})] * 2, {})
    ),
    "expected operators of ONNX's opset 11 or later, found opset 10; convert it "
    "(onnx.version_converter) or export it again": lambda: model_proto(small_graph(), 10),
    "expected an ONNX file (.onnx), found one without a graph; export the network again": (
        lambda: onnx.ModelProto(ir_version=8)
    ),
    "expected an operator that makes 'nowhere', found none; export it again": lambda: model_proto(
        graph_proto([("Relu", ["image"], ["out"], {})], {}, output="nowhere")
    ),
    "expected the attribute 'alpha' of 'out' to be FLOAT, found STRING; correct it": (
        lambda: model_proto(graph_proto([("LeakyRelu", ["image"], ["out"], {"alpha": "a"})], {}))
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_refused(message: str, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(b"1234")
    (folder / "values").write_bytes(b"12345678")
    (folder / "link").symlink_to(tmp_path / "secret")
    assert refused(REFUSED[message](), folder) == message


def test_values_in_a_file_beside_the_model_are_read(tmp_path: Path) -> None:
    (tmp_path / "values").write_bytes(bytes(range(8)))
    model = load_model(write(_external("values", offset="2", length="4"), tmp_path))
    assert model.constants["table"].tolist() == [2, 3, 4, 5]


@pytest.mark.parametrize("length", [0, 1, 7, 40, 90])
def test_a_truncated_file_is_one_sentence(length: int, tmp_path: Path) -> None:
    content = model_proto(graph_proto([("Relu", ["image"], ["out"], {})], {"a": np.ones(9)}))
    with pytest.raises(UserError, match=r"expected an ONNX file \(\.onnx\)"):
        parse_model(content.SerializeToString()[:length], tmp_path / "cut.onnx")


def _field(number: int, content: bytes) -> bytes:
    length, encoded = len(content), b""
    while True:
        length, low = length >> 7, length & 0x7F
        encoded += bytes([low | (0x80 if length else 0)])
        if not length:
            return bytes([number << 3 | 2]) + encoded + content


def test_a_flood_of_empty_operators_is_refused_before_it_is_parsed(tmp_path: Path) -> None:
    content = _field(7, _field(1, b"") * (1 << 20))
    with pytest.raises(UserError, match=r"damaged one \(more than 1048576 entries\)"):
        parse_model(content, tmp_path / "flood.onnx")


def test_deep_nesting_is_refused_before_it_is_parsed() -> None:
    content = b""
    for _ in range(40):  # a graph, in an attribute, of a node
        content = _field(1, _field(5, _field(6, content)))
    with pytest.raises(WireError, match="more than 32 messages within one another"):
        check_fields(_field(7, content), onnx.ModelProto.DESCRIPTOR)


@pytest.mark.parametrize("content", [b"\x0f", b"\x08" + b"\x80" * 11, b"\x3a\x05ab", b"\x09ab"])
def test_bytes_that_are_no_message(content: bytes) -> None:
    with pytest.raises(WireError):
        check_fields(content, onnx.ModelProto.DESCRIPTOR)


def test_a_file_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quant.interchange.onnx_model.LARGEST_BYTES", 8)
    path = tmp_path / "large.onnx"
    path.write_bytes(bytes(9))
    with pytest.raises(UserError) as raised:
        load_model(path)
    assert str(raised.value) == (
        f"{path}: expected at most 8 bytes, found more; check that this is the right ONNX file"
    )
