import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quant.common.errors import UserError
from quant.graph import (
    FusedTerms,
    Graph,
    GraphError,
    Padding,
    TermRounding,
    load_graph,
    save_graph,
    verify,
)
from quant.graph.operators import OPERATORS
from quant.graph.records import RecordError, graph_from_record, graph_to_record
from quant.graph.serialization import FORMAT, VERSION, _checksum
from tests.random_graphs import random_graphs
from tests.unit.graph.small_graphs import (
    add_graph,
    convolution_graph,
    fused_graph,
    integers,
    requantization,
)

FUZZ_POSITIONS = 200


def plain(value: Any) -> Any:
    """Dataclasses and arrays as nested tuples and lists, to compare graphs by value."""
    if dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        return type(value), [plain(getattr(value, field.name)) for field in fields]
    if isinstance(value, np.ndarray):
        return value.dtype, value.tolist()
    return [plain(entry) for entry in value] if isinstance(value, tuple) else value


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(graph=random_graphs())
def test_a_graph_is_read_back_equal(graph: Graph, tmp_path: Path) -> None:
    path = tmp_path / "random.hwgraph"
    save_graph(graph, path)
    assert plain(load_graph(path)) == plain(graph)


def test_modes_and_rounded_operands_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "small.hwgraph"
    onednn = requantization(
        multiplier=integers(0x3F800000),
        shift=integers(0),
        rounding="onednn",
        destination_scale=1,
        zero_point_first=True,
    )
    rounded = add_graph(
        requantization=requantization(rounding="tflite_double"),
        term_rounding=TermRounding((3, -4), (31, 33), 20),
    )
    fused = fused_graph(term_rounding=FusedTerms(-(1 << 30)))
    for graph in (convolution_graph(requantization=onednn), rounded, fused):
        save_graph(graph, path)
        assert plain(load_graph(path)) == plain(graph)


def test_name_and_metadata_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "small.hwgraph"
    metadata = {"method": "minmax", "note": "×2 – naïve"}
    save_graph(dataclasses.replace(convolution_graph(), metadata=metadata), path)
    loaded = load_graph(path)
    assert (loaded.name, dict(loaded.metadata)) == ("small", metadata)


def test_the_same_graph_gives_the_same_bytes(tmp_path: Path) -> None:
    save_graph(convolution_graph(), tmp_path / "one.hwgraph")
    save_graph(convolution_graph(), tmp_path / "two.hwgraph")
    assert (tmp_path / "one.hwgraph").read_bytes() == (tmp_path / "two.hwgraph").read_bytes()


def test_arrays_are_stored_in_the_narrowest_type(tmp_path: Path) -> None:
    path = tmp_path / "small.hwgraph"
    save_graph(convolution_graph(bias=integers(0, 200, 255, 1), pad_code=integers(7)), path)
    arrays = safetensors.numpy.load_file(path)
    assert arrays["conv.weight"].dtype == np.int8
    assert arrays["conv.bias"].dtype == np.uint8
    save_graph(convolution_graph(bias=integers(0, -1, 1 << 38, 1)), path)
    assert safetensors.numpy.load_file(path)["conv.bias"].dtype == np.int64


def test_a_broken_graph_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(GraphError, match="expected padding from 0 to 2"):
        save_graph(convolution_graph(padding=Padding.even(9, 9)), tmp_path / "broken.hwgraph")
    assert not list(tmp_path.iterdir())


# What is not a graph file.


def refusal(path: Path) -> str:
    """The sentence a file is refused with; it begins with the file's name."""
    with pytest.raises(UserError) as raised:
        load_graph(path)
    start, _, sentence = str(raised.value).partition(": ")
    assert start == str(path)
    assert "\n" not in sentence
    return sentence


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.hwgraph") == "no such graph file; check the path"


@pytest.mark.parametrize("content", [b"", b"short", b"\x89PNG\r\n\x1a\n" * 40, b"\xff" * 100])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.hwgraph"
    path.write_bytes(content)
    assert refusal(path).startswith("expected a graph file (.hwgraph), found something else or a")


def test_a_safetensors_file_of_weights_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    safetensors.numpy.save_file({"head.weight": np.ones(3, np.float32)}, path)
    assert refusal(path).startswith("expected a graph file (.hwgraph), found a safetensors file of")


def container(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arrays and the envelope of a graph file."""
    with safetensors.safe_open(path, framework="np") as opened:
        names = list(opened.keys())
        arrays = {name: opened.get_tensor(name) for name in names}
        return arrays, json.loads(opened.metadata()[FORMAT])


Change = Callable[[dict[str, Any], dict[str, Any]], None]


def rewritten(path: Path, change: Change, *, checksum: bool = True, **entries: Any) -> Path:
    """A valid file with something changed in its nodes or arrays, its checksum made right again."""
    save_graph(convolution_graph(), path)
    arrays, envelope = container(path)
    record = json.loads(envelope["graph"])
    change(record, arrays)
    envelope["graph"] = json.dumps(record)
    if checksum:
        envelope["sha256"] = _checksum(envelope["graph"], arrays)
    envelope.update(entries)
    safetensors.numpy.save_file(arrays, path, {FORMAT: json.dumps(envelope)})
    return path


def nothing(record: dict[str, Any], arrays: dict[str, Any]) -> None:
    """Change nothing."""


def test_a_rewritten_file_is_a_graph_file(tmp_path: Path) -> None:
    assert plain(load_graph(rewritten(tmp_path / "a.hwgraph", nothing))) == plain(
        convolution_graph()
    )


def test_another_version_is_refused(tmp_path: Path) -> None:
    assert refusal(rewritten(tmp_path / "a.hwgraph", nothing, version=7)) == (
        "the graph format is version 7, this hwsim reads version 6; "
        "quantize the network again with this hwsim"
    )


@pytest.mark.parametrize("entries", [{"extra": "entry"}, {"sha256": 5}, {"graph": None}])
def test_other_entries_are_refused(tmp_path: Path, entries: dict[str, Any]) -> None:
    assert refusal(rewritten(tmp_path / "a.hwgraph", nothing, **entries)) == (
        "expected a version, a checksum and a graph, found other entries; "
        "quantize the network again"
    )


@pytest.mark.parametrize("envelope", ["", "[]", "{", "3", "null"])
def test_an_envelope_of_another_kind_is_refused(tmp_path: Path, envelope: str) -> None:
    path = tmp_path / "a.hwgraph"
    safetensors.numpy.save_file({"x": np.ones(1, np.int8)}, path, {FORMAT: envelope})
    assert "quantize the network again" in refusal(path)


def set_weight(record: dict[str, Any], arrays: dict[str, Any]) -> None:
    arrays["conv.weight"][0, 0, 0, 0] += 1


def test_a_changed_array_does_not_match_the_checksum(tmp_path: Path) -> None:
    path = rewritten(tmp_path / "a.hwgraph", set_weight, checksum=False)
    assert refusal(path).startswith("the content does not match its checksum")


def node(record: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = record["nodes"][1]
    return found


HOSTILE: dict[str, tuple[str, Change]] = {
    "unknown operator": (
        f"conv: expected an operator among {', '.join(OPERATORS)}, found 'fft'",
        lambda record, arrays: node(record).update(kind="fft"),
    ),
    "missing array": (
        "conv.bias: expected the array of that name, found 'conv.bias'",
        lambda record, arrays: arrays.pop("conv.bias"),
    ),
    "another node's array": (
        "conv.bias: expected the array of that name, found 'conv.weight'",
        lambda record, arrays: node(record)["operator"].update(bias="conv.weight"),
    ),
    "superfluous array": (
        "array 'extra': expected a node that uses it, found none",
        lambda record, arrays: arrays.update(extra=np.ones(1, np.int8)),
    ),
    "array of floats": (
        "array 'conv.bias': expected integers, found float32",
        lambda record, arrays: arrays.update({"conv.bias": np.ones(4, np.float32)}),
    ),
    "array of 64-bit unsigned integers": (
        "array 'conv.bias': expected integers, found uint64",
        lambda record, arrays: arrays.update({"conv.bias": np.ones(4, np.uint64)}),
    ),
    "empty array": (
        "conv.bias: expected an array with values, found an empty one",
        lambda record, arrays: arrays.update({"conv.bias": np.ones(0, np.int8)}),
    ),
    "scale not finite": (
        "expected finite numbers, found Infinity",
        lambda record, arrays: node(record)["output"].update(scale=float("inf")),
    ),
    "scale not a number": (
        "expected finite numbers, found NaN",
        lambda record, arrays: node(record)["output"].update(scale=float("nan")),
    ),
    "scale as text": (
        "conv: output: expected a number with a point, found '1'",
        lambda record, arrays: node(record)["output"].update(scale="1"),
    ),
    "huge whole number": (
        f"conv: output: expected a 64-bit whole number, found 1{'0' * 59}…",
        lambda record, arrays: node(record)["output"].update(channels=10**400),
    ),
    "true as a number": (
        "conv: output: expected a 64-bit whole number, found True",
        lambda record, arrays: node(record)["output"].update(channels=True),
    ),
    "unheard-of width": (
        "bit-width: expected 1 to 16 bits, given 99; choose a width in that range",
        lambda record, arrays: node(record)["output"].update(integer="s99"),
    ),
    "three paddings": (
        "conv.padding: expected four whole numbers, found [1, 1, 1]",
        lambda record, arrays: node(record)["operator"].update(padding=[1, 1, 1]),
    ),
    "missing entry": (
        "conv: expected the entries weight, weight_type, bias, padding, pad_code, requantization, "
        "stride, dilation, groups, accumulator, tap_offset, border, "
        "found ['accumulator', 'bias', 'border', 'dilation', "
        "'groups', 'pad…",
        lambda record, arrays: node(record)["operator"].pop("weight_type"),
    ),
    "list instead of entries": (
        "conv.requantization: expected named entries, found []",
        lambda record, arrays: node(record)["operator"].update(requantization=[]),
    ),
    "unknown input": (
        "node 'conv': unknown input 'imag'; did you mean 'image'?",
        lambda record, arrays: node(record).update(inputs=["imag"]),
    ),
    "name not a text": (
        "node: name: expected text, found 7",
        lambda record, arrays: node(record).update(name=7),
    ),
    "nodes not a list": (
        "nodes: expected a list, found {}",
        lambda record, arrays: record.update(nodes={}),
    ),
    "metadata not a text": (
        "graph: metadata: expected text, found 1",
        lambda record, arrays: record.update(metadata={"a": 1}),
    ),
    "rule of the verifier": (
        "node 'conv' (convolution): expected padding from 0 to 2, found 9",
        lambda record, arrays: node(record)["operator"].update(padding=[9, 1, 1, 1]),
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_with_a_right_checksum_is_refused(tmp_path: Path, case: str) -> None:
    message, change = HOSTILE[case]
    assert refusal(rewritten(tmp_path / "a.hwgraph", change)) == message


@pytest.mark.parametrize(
    ("text", "error"),
    [("{", "JSONDecodeError"), ("[" * 100_000, "RecursionError"), ("9" * 5000, "ValueError")],
)
def test_nodes_that_are_no_json_are_refused(tmp_path: Path, text: str, error: str) -> None:
    path = tmp_path / "a.hwgraph"
    arrays = {"x": np.ones(1, np.int8)}
    envelope = {"version": VERSION, "sha256": _checksum(text, arrays), "graph": text}
    safetensors.numpy.save_file(arrays, path, {FORMAT: json.dumps(envelope)})
    assert refusal(path) == f"expected JSON inside, found {error}"


def test_a_header_that_declares_terabytes_is_refused(tmp_path: Path) -> None:
    header = {"x": {"dtype": "I64", "shape": [1 << 40], "data_offsets": [0, 1 << 43]}}
    text = json.dumps(header).encode()
    path = tmp_path / "a.hwgraph"
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"\0" * 16)
    assert refusal(path).startswith("expected a graph file")


def outcome_of(make: Callable[[], Graph]) -> Graph | str:
    """The graph, or the sentence of the refusal."""
    try:
        return make()
    except (RecordError, UserError) as error:
        return str(error)


@pytest.mark.parametrize("damage", ["flip", "replace", "truncate"])
def test_damage_anywhere_ends_in_one_sentence(tmp_path: Path, damage: str) -> None:
    """A damaged file is refused, or is a file that still says the same (white space)."""
    path = tmp_path / "a.hwgraph"
    save_graph(convolution_graph(), path)
    content = path.read_bytes()
    generator = np.random.default_rng(0)
    for position in generator.integers(len(content), size=FUZZ_POSITIONS):
        damaged = bytearray(content)
        match damage:
            case "flip":
                damaged[position] ^= 1 << int(generator.integers(8))
            case "replace":
                damaged[position] = int(generator.integers(256))
            case _:
                del damaged[position:]
        path.write_bytes(damaged)
        outcome = outcome_of(lambda: load_graph(path))
        if isinstance(outcome, Graph):
            assert plain(outcome) == plain(convolution_graph())
        else:
            assert outcome.startswith(f"{path}: ")


@settings(max_examples=50)
@given(st.data())
def test_random_json_values_in_place_of_any_entry_are_refused(data: st.DataObject) -> None:
    """No value of a wrong kind, wherever it stands, ends in anything but a sentence."""
    arrays: dict[str, Any] = {}
    record = json.loads(json.dumps(graph_to_record(convolution_graph(), arrays)))
    target: Any = record
    while isinstance(target, dict | list) and target:
        keys = sorted(target) if isinstance(target, dict) else range(len(target))
        parent, key = target, data.draw(st.sampled_from(list(keys)))
        target = target[key]
        if data.draw(st.booleans()):
            break
    parent[key] = data.draw(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
            lambda inner: (
                st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2)
            ),
            max_leaves=4,
        )
    )
    assert outcome_of(lambda: verify(graph_from_record(record, arrays)))
