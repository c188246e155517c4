"""The operators beside convolution, addition and shuffle: sizes, rules, and the graph file."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quant.graph import (
    Accumulator,
    AveragePool,
    BilinearResize,
    Concatenate,
    Convolution,
    Graph,
    GraphError,
    Input,
    IntegerType,
    LookupTable,
    Multiply,
    NearestResize,
    Node,
    Operator,
    Padding,
    ParametricRelu,
    PixelShuffle,
    Requantization,
    Size,
    Statistics,
    TensorType,
    TransposedConvolution,
    load_graph,
    save_graph,
    verify,
)

U8, S40, O2 = (IntegerType.parse(text) for text in ("u8", "s40", "o2"))
SCALING = Requantization(np.array([1]), np.array([4]), 0, 0, 255)
WEIGHT = np.ones((6, 3, 3, 4), np.int64)
BIAS = np.zeros(6, np.int64)
NO_PAD_CODE = np.zeros(1, np.int64)

CONVOLUTION = Convolution(
    WEIGHT[..., :2], IntegerType(1), BIAS, Padding(1, 0, 1, 0), NO_PAD_CODE, SCALING, (2, 2),
    (1, 2), 2, Accumulator(12, "wrap"),
)  # fmt: skip
OFFSETS = np.arange(6 * 3 * 3).reshape(6, 3, 3) - 20
TRANSPOSED = TransposedConvolution(
    WEIGHT, IntegerType(1), BIAS, (2, 2), Padding(1, 2, 1, 2), NO_PAD_CODE, SCALING
)
PRELU = ParametricRelu(-128, np.array([1, -2, 3, 4]), SCALING, SCALING)
SIGNS = LookupTable(np.where(np.arange(256) < 128, -3, 1)[None])
PLAIN = TensorType(4, U8)


def graph(operator: Operator, output: TensorType = PLAIN, *others: Node) -> Graph:
    """The operator on a 4-channel 8-bit image, and on other nodes if there are any."""
    inputs = ("image", *(node.name for node in others))
    nodes = [Node("image", Input(), (), PLAIN), *others, Node("it", operator, inputs, output)]
    return Graph.build("small", nodes, "it")


def single_pixel(channels: int = 4) -> Node:
    """The greatest value of each channel of the image, or of its one channel."""
    output = TensorType(channels, U8)
    return Node("greatest", Statistics("maximum"), ("image",), output)


GRAPHS: dict[str, tuple[Graph, Size]] = {
    "convolution": (graph(CONVOLUTION, TensorType(6, U8)), Size(6, 4)),
    "tap offsets": (
        graph(replace(CONVOLUTION, accumulator=None, tap_offset=OFFSETS), TensorType(6, U8)),
        Size(6, 4),
    ),
    "transposed_convolution": (graph(TRANSPOSED, TensorType(6, U8)), Size(24, 20)),
    "multiply": (graph(Multiply((0, -3), SCALING), PLAIN, single_pixel()), Size(12, 10)),
    "prelu": (graph(PRELU), Size(12, 10)),
    "lookup_table": (graph(SIGNS, TensorType(4, O2)), Size(12, 10)),
    "concatenate": (
        graph(
            Concatenate(),
            TensorType(8, U8),
            Node("same", ParametricRelu(0, np.array([0]), SCALING, SCALING), ("image",), PLAIN),
        ),
        Size(12, 10),
    ),
    "crd": (graph(PixelShuffle(2, "crd"), TensorType(1, U8)), Size(24, 20)),
    "nearest_resize": (graph(NearestResize(3)), Size(36, 30)),
    "bilinear_resize": (
        graph(BilinearResize(2, True, 0, replace(SCALING, shift=np.array([20])))),
        Size(24, 20),
    ),
    "average_pool": (graph(AveragePool((2, 3), (2, 3), 0, SCALING)), Size(6, 3)),
    "statistics": (graph(Statistics("sum"), TensorType(4, S40)), Size(1, 1)),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_sizes(name: str) -> None:
    verified, size = GRAPHS[name]
    assert verify(verified).sizes(Size(12, 10))["it"] == size


@pytest.mark.parametrize("name", GRAPHS)
def test_the_file_gives_the_graph_back(name: str, tmp_path: Path) -> None:
    path = tmp_path / "a.hwgraph"
    save_graph(GRAPHS[name][0], path)
    loaded = load_graph(path)
    save_graph(loaded, tmp_path / "b.hwgraph")
    assert path.read_bytes() == (tmp_path / "b.hwgraph").read_bytes()
    assert repr(loaded.node("it").operator) == repr(GRAPHS[name][0].node("it").operator)


@pytest.mark.parametrize(
    ("name", "scale"),
    [
        ("convolution", Fraction(1, 2)),
        ("transposed_convolution", Fraction(2)),
        ("nearest_resize", Fraction(3)),
        ("prelu", Fraction(1)),
        ("statistics", Fraction(0)),
    ],
)
def test_scales(name: str, scale: Fraction) -> None:
    assert GRAPHS[name][0].scale() == scale


def test_a_scale_that_differs_down_and_across_is_refused() -> None:
    with pytest.raises(GraphError, match="expected one scale for height and width, found 1/2 and"):
        GRAPHS["average_pool"][0].scale()


def test_macs_of_strided_grouped_and_transposed_convolutions() -> None:
    image = Size(12, 10)
    assert GRAPHS["convolution"][0].macs(image) == 6 * 4 * 6 * 9 * 2
    assert GRAPHS["transposed_convolution"][0].macs(image) == 12 * 10 * 6 * 9 * 4


def convolution(**changes: Any) -> Graph:
    return graph(replace(CONVOLUTION, **changes), TensorType(6, U8))


BROKEN: dict[str, Callable[[], Graph]] = {
    "strides of at least 1, found 0": lambda: convolution(stride=(2, 0)),
    "dilations of at least 1, found 0": lambda: convolution(dilation=(0, 1)),
    "groups that divide 6 output channels, found 4": lambda: convolution(
        groups=4, weight=WEIGHT[..., :1]
    ),
    "6 input channels, found 4": lambda: convolution(groups=3),
    "padding from 0 to 4, found 5": lambda: convolution(padding=Padding(left=5)),
    "an accumulator of 2 to 48 bits, found 1": lambda: convolution(accumulator=Accumulator(1)),
    "an overflow among error, wrap, saturate_final, saturate_step, found trap": (
        lambda: convolution(accumulator=Accumulator(9, "trap"))
    ),
    "tap offsets of the shape (6, 3, 3), found (6, 9)": lambda: convolution(
        accumulator=None, tap_offset=OFFSETS.reshape(6, 9)
    ),
    "biases of 40 signed bits, found 0 to 549755813888": lambda: convolution(
        accumulator=None, tap_offset=(OFFSETS > 0) * 2**39
    ),
    "no declared accumulator beside tap offsets, found both": lambda: convolution(
        tap_offset=OFFSETS
    ),
    "a border among code, replicate, found 'mirror'": lambda: convolution(border="mirror"),
    "a border of pad codes beside tap offsets, found replicate": lambda: convolution(
        accumulator=None, tap_offset=OFFSETS, border="replicate"
    ),
    "strides of at least 1, found -1": lambda: graph(
        replace(TRANSPOSED, stride=(-1, 1)), TensorType(6, U8)
    ),
    "a factor of 1 or 4 channels, found 6": lambda: graph(
        Multiply((0, 0), SCALING),
        PLAIN,
        Node("six", replace(CONVOLUTION, stride=(1, 1)), ("image",), TensorType(6, U8)),
    ),
    "biased operands of 31 bits, found up to 2147483903": lambda: graph(
        Multiply((2**31 - 1 + 1, 0), SCALING), PLAIN, single_pixel()
    ),
    "1 or 4 slopes, found (2,)": lambda: graph(replace(PRELU, slope=np.array([1, 2]))),
    "slopes of 16 bits, found up to 65536": lambda: graph(replace(PRELU, slope=np.array([2**16]))),
    "1 or 4 tables of 256 entries, found (1, 16)": lambda: graph(LookupTable(SIGNS.table[:, :16])),
    "entries of o2, found another integer among them": lambda: graph(
        LookupTable(SIGNS.table * 0), TensorType(4, O2)
    ),
    "signed or unsigned output codes, found o2": lambda: graph(
        replace(PRELU, positive=replace(SCALING, high=1), negative=replace(SCALING, high=1)),
        TensorType(4, O2),
    ),
    "two or more inputs, found 1": lambda: graph(Concatenate()),
    "an order among dcr, crd, found 'rcd'": lambda: graph(
        PixelShuffle(2, "rcd"), TensorType(1, U8)
    ),
    "factors of at least 1, found 0": lambda: graph(NearestResize(0)),
    "3 channels, found 4": lambda: graph(NearestResize(2), TensorType(3, U8)),
    "kernel sides of at least 1, found 0": lambda: graph(AveragePool((0, 1), (1, 1), 0, SCALING)),
    "a statistic among sum, minimum, maximum, summary, found 'mode'": lambda: graph(
        Statistics("mode")
    ),
    "s40 sums, found u8": lambda: graph(Statistics("sum")),
    "output codes of at most 16 bits, found s17": lambda: graph(
        NearestResize(1), TensorType(4, IntegerType.parse("s17"))
    ),
}


@pytest.mark.parametrize("message", BROKEN)
def test_each_rule_has_its_message(message: str) -> None:
    broken = BROKEN[message]()
    with pytest.raises(GraphError) as raised:
        verify(broken)
    assert str(raised.value).endswith(f"expected {message}")


def test_only_a_requantization_reads_sums() -> None:
    total = Node("total", Statistics("sum"), ("image",), TensorType(4, S40))
    with pytest.raises(GraphError, match=r"'it' \(multiply\): expected codes of at most 16 bits"):
        verify(graph(Multiply((0, 0), SCALING), PLAIN, total))


def test_operands_must_fit_on_every_image() -> None:
    """Halved and enlarged again, an image of odd sides has lost a row and a column."""
    half = Node("half", AveragePool((1, 1), (2, 2), 0, SCALING), ("image",), PLAIN)
    again = Node("again", NearestResize(2), ("half",), PLAIN)
    it = Node("it", Multiply((0, 0), SCALING), ("image", "again"), PLAIN)
    image = Node("image", Input(), (), PLAIN)
    with pytest.raises(GraphError, match="4096×4097 and 4096×4098 for an image of 4096×4097"):
        verify(Graph.build("halves", [image, half, again, it], "it"))
