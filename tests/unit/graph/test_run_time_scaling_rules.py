"""What graphs ask of operators that normalize channels at run time; files of such graphs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from quant.common.run_time_scaling import nearest_point_thresholds
from quant.graph import (
    Accumulator,
    Encode,
    Graph,
    GraphError,
    Input,
    IntegerType,
    Node,
    Normalization,
    Operator,
    Padding,
    Requantization,
    ScaledConvolution,
    Size,
    Statistics,
    TensorType,
    load_graph,
    save_graph,
    scaled_sum_bits,
    verify,
    with_accumulators,
)
from quant.graph.operators import Integers

U8, U2, S24, S40 = (IntegerType.parse(text) for text in ("u8", "u2", "s24", "s40"))
CHANNELS = 3
POINTS = np.array([[-1024, 0, 512, 1024]] * CHANNELS)
CONVOLUTION = ScaledConvolution(
    np.arange(2 * 9 * CHANNELS).reshape(2, 3, 3, CHANNELS) - 20,
    IntegerType.parse("s7"),
    np.array([5, -5]),
    Padding.even(1, 1),
    np.zeros(1, np.int64),
    Requantization(np.array([1]), np.array([30]), 0, 0, 255),
    points=POINTS,
)
NODES: dict[str, Node] = {
    "image": Node("image", Input(), (), TensorType(CHANNELS, U8)),
    "summary": Node("summary", Statistics("summary"), ("image",), TensorType(10, S40)),
    "factors": Node("factors", Normalization(), ("summary",), TensorType(9, S24)),
    "codes": Node(
        "codes", Encode(nearest_point_thresholds(POINTS)), ("image", "factors"), TensorType(3, U2)
    ),
    "it": Node("it", CONVOLUTION, ("codes", "factors"), TensorType(2, U8)),
}


def graph(**changed: Node) -> Graph:
    """The whole chain, with some nodes exchanged."""
    return Graph.build("small", ({**NODES, **changed}).values(), "it")


def with_output(name: str, channels: int, integer: IntegerType) -> Graph:
    """The chain with another type of one feature map."""
    return graph(**{name: replace(NODES[name], output=TensorType(channels, integer))})


def with_operator(name: str, operator: Operator) -> Graph:
    """The chain with another operator in one place."""
    return graph(**{name: replace(NODES[name], operator=operator)})


def with_convolution(**changes: object) -> Graph:
    """The chain with other fields of its convolution."""
    return with_operator("it", replace(CONVOLUTION, **changes))  # type: ignore[arg-type]


def with_thresholds(thresholds: Integers) -> Graph:
    """The chain with other thresholds."""
    return with_operator("codes", Encode(thresholds))


def test_sizes_and_scale() -> None:
    sizes = verify(graph()).sizes(Size(6, 5))
    assert [sizes[name] for name in ("factors", "codes", "it")] == [
        Size(1, 1),
        Size(6, 5),
        Size(6, 5),
    ]
    assert graph().scale() == 1
    assert graph().macs(Size(6, 5)) == 30 * CONVOLUTION.weight.size


def test_the_file_gives_the_graph_back(tmp_path: Path) -> None:
    paths = tmp_path / "a.hwgraph", tmp_path / "b.hwgraph"
    save_graph(graph(), paths[0])
    loaded = load_graph(paths[0])
    save_graph(loaded, paths[1])
    assert paths[0].read_bytes() == paths[1].read_bytes()
    for name, node in NODES.items():
        assert repr(loaded.node(name).operator) == repr(node.operator)


def test_the_width_of_sums() -> None:
    """By hand: the second channel's weights are 7 … 33, their sum 540; points and means count."""
    largest = 540 * 65535 * 2048 + 5
    assert scaled_sum_bits(CONVOLUTION) == largest.bit_length() + 1
    alone = replace(CONVOLUTION, is_centred=False)
    assert scaled_sum_bits(alone) == (540 * 65535 * 1024 + 5).bit_length() + 1


def test_no_accumulator_is_declared_for_it() -> None:
    narrow = with_accumulators(graph(), Accumulator(8, "wrap"))
    assert narrow.node("it").operator is CONVOLUTION


BROKEN: dict[str, Callable[[], Graph]] = {
    "10 output channels, found 9": lambda: with_output("summary", 9, S40),
    "s40 sums, found s24": lambda: with_output("summary", 10, S24),
    "s24 factors, three a channel, found 8×s24": lambda: with_output("factors", 8, S24),
    "s24 factors, three a channel, found 9×s40": lambda: with_output("factors", 9, S40),
    "a summary of 13×s40, found 10×s40": lambda: with_output("factors", 12, S24),
    "factors of 9×s24, found 10×s40": lambda: graph(
        codes=replace(NODES["codes"], inputs=("image", "summary")),
        it=replace(NODES["it"], inputs=("codes", "factors")),
    ),
    "4 channels, found 3": lambda: with_output("codes", 4, U2),
    "unsigned codes of at most 8 bits, found s2 codes": lambda: with_output(
        "codes", 3, IntegerType.parse("s2")
    ),
    "unsigned codes of at most 8 bits, found u9 codes": lambda: with_output(
        "codes", 3, IntegerType(9)
    ),
    "thresholds of the shape (3, 7), found (3, 3)": lambda: with_output("codes", 3, IntegerType(3)),
    "thresholds of dtype int64, found int32": lambda: with_thresholds(
        nearest_point_thresholds(POINTS).astype(np.int32)
    ),
    "ascending thresholds of s12, found others": lambda: with_thresholds(
        nearest_point_thresholds(POINTS)[:, ::-1].copy()
    ),
    "points of the shape (3, 4), found (3, 2)": lambda: with_convolution(points=POINTS[:, :2]),
    "points of -1024 to 1024, found larger ones": lambda: with_convolution(points=POINTS + 1),
    "points of dtype int64, found int16": lambda: with_convolution(points=POINTS.astype(np.int16)),
    "a placement among partial_sums, activations, weights, found here": lambda: with_convolution(
        placement="here"
    ),
    "pad codes of 0, as channels have factors of their own, found another": lambda: (
        with_convolution(pad_code=np.ones(1, np.int64))
    ),
    "no tap offsets, as channels have factors of their own, found another": lambda: (
        with_convolution(tap_offset=np.zeros((2, 3, 3), np.int64))
    ),
    "no declared accumulator, as channels have factors of their own, found another": lambda: (
        with_convolution(accumulator=Accumulator(30, "wrap"))
    ),
    "a product of at most 63 bits, found a 38-bit sum times a 26-bit multiplier": lambda: (
        with_convolution(
            requantization=replace(CONVOLUTION.requantization, multiplier=np.array([2**26 - 1]))
        )
    ),
    "strides of at least 1, found 0": lambda: with_convolution(stride=(0, 1)),
}


@pytest.mark.parametrize("message", BROKEN)
def test_each_rule_has_its_message(message: str) -> None:
    with pytest.raises(GraphError) as raised:
        verify(BROKEN[message]())
    assert str(raised.value).endswith(f"expected {message}")
