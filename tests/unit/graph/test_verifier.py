"""One broken graph for each rule, with the whole message."""

from collections.abc import Callable
from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quant.common.requantization_modes import LARGEST_RATIO
from quant.graph import (
    Convolution,
    Encoding,
    FusedTerms,
    Graph,
    GraphError,
    Input,
    IntegerType,
    Node,
    Padding,
    TensorType,
    TermRounding,
    accumulator_bits,
    verify,
)
from tests.integer_interpreter import accumulators, execute
from tests.random_graphs import random_graphs, random_images
from tests.unit.graph.small_graphs import (
    S8,
    U8,
    add,
    add_graph,
    convolution,
    convolution_graph,
    fused_graph,
    image,
    integers,
    requantization,
    requantize,
    requantize_graph,
    shuffle_graph,
)

INT64_MINIMUM = -(1 << 63)


def wrong(channels: int = 4, text: str = "s8", encoding: Encoding | None = None) -> TensorType:
    return TensorType(channels, IntegerType.parse(text), encoding or Encoding(1.0))


def with_nodes(*nodes: Node, output: str | None = None) -> Graph:
    return Graph("small", nodes, output or nodes[-1].name)


def copy(name: str = "copy", *sources: str) -> Node:
    return Node(name, requantize(), sources or ("image",), TensorType(2, S8))


WIRING: dict[str, Callable[[], Graph]] = {
    "node 'image' (requantize): expected a name of its own, found 'image' again": lambda: (
        with_nodes(image(), replace(copy(), name="image"))
    ),
    "node '' (requantize): expected a name of its own, found none": lambda: with_nodes(
        image(), replace(copy(), name="")
    ),
    "node 'copy' (requantize): expected 1 inputs, found 2": lambda: with_nodes(
        image(), copy("copy", "image", "image")
    ),
    "node 'copy' (requantize): expected its inputs to come before it, found 'later' not yet "
    "computed": lambda: with_nodes(image(), copy("copy", "later"), copy("later")),
    "node 'idle' (requantize): expected a reader, or to be the output, found neither": (
        lambda: with_nodes(image(), copy("idle"), copy())
    ),
    "graph 'small': expected the output to be a node, found 'nothing'": lambda: with_nodes(
        image(), copy("copy"), add_node("sum", "copy", "copy"), output="nothing"
    ),
    "graph 'small': expected exactly one input node, found 0": lambda: with_nodes(copy()),
}


def add_node(name: str, first: str, second: str) -> Node:
    return Node(name, add(), (first, second), TensorType(2, S8))


RULES: dict[str, Callable[[], Graph]] = {
    # Types.
    "'conv' (convolution): expected at least one channel, found 0": lambda: convolution_graph(
        wrong(0)
    ),
    "'conv' (convolution): expected signed or unsigned output codes, found o8": (
        lambda: convolution_graph(wrong(text="o8"))
    ),
    "'conv' (convolution): expected 1 or 4 zero points, found 2": lambda: convolution_graph(
        wrong(encoding=Encoding(1.0, (0, 0)))
    ),
    "'conv' (convolution): expected a positive finite scale, found 0.0": lambda: convolution_graph(
        wrong(encoding=Encoding(0.0))
    ),
    "'conv' (convolution): expected a positive finite scale, found nan": lambda: convolution_graph(
        wrong(encoding=Encoding(nan))
    ),
    "'conv' (convolution): expected a positive finite scale, found inf": lambda: convolution_graph(
        wrong(encoding=Encoding(inf))
    ),
    # Convolutions.
    "'conv' (convolution): expected a weight of four dimensions, found (4, 18)": (
        lambda: convolution_graph(weight=np.zeros((4, 18), np.int64))
    ),
    "'conv' (convolution): expected 5 input channels, found 2": lambda: convolution_graph(
        weight=np.zeros((4, 3, 3, 5), np.int64)
    ),
    "'conv' (convolution): expected 4 output channels, found 3": lambda: convolution_graph(
        wrong(3)
    ),
    "'conv' (convolution): expected 4 biases, found (3,)": lambda: convolution_graph(
        bias=integers(1, 2, 3)
    ),
    "'conv' (convolution): expected 1 or 2 pad codes, found (3,)": lambda: convolution_graph(
        pad_code=integers(1, 2, 3)
    ),
    "'conv' (convolution): expected bias of dtype int64, found int32": lambda: convolution_graph(
        bias=np.zeros(4, np.int32)
    ),
    "'conv' (convolution): expected padding from 0 to 2, found 3": lambda: convolution_graph(
        padding=Padding.even(1, 3)
    ),
    "'conv' (convolution): expected padding from 0 to 2, found -1": lambda: convolution_graph(
        padding=Padding(-1, 0, 0, 0)
    ),
    "'conv' (convolution): expected weights of s4 (-8 to 7), found 0 to 8": lambda: (
        convolution_graph(weight=np.arange(72, dtype=np.int64).reshape(4, 3, 3, 2) % 9)
    ),
    "'conv' (convolution): expected weights of o2, found another integer among them": lambda: (
        convolution_graph(
            weight=np.full((4, 3, 3, 2), 2, np.int64), weight_type=IntegerType.parse("o2")
        )
    ),
    "'conv' (convolution): expected pad codes of u8 (0 to 255), found 256 to 256": (
        lambda: convolution_graph(pad_code=integers(256))
    ),
    f"'conv' (convolution): expected biases of 40 signed bits, found 0 to {1 << 39}": (
        lambda: convolution_graph(bias=integers(0, 0, 0, 1 << 39))
    ),
    f"'conv' (convolution): expected biases of 40 signed bits, found {INT64_MINIMUM} to 0": (
        lambda: convolution_graph(bias=integers(0, 0, 0, INT64_MINIMUM))
    ),
    # Requantizations.
    "'conv' (convolution): expected 1 or 4 multipliers, found (2,)": lambda: convolution_graph(
        requantization=requantization(multiplier=integers(1, 2))
    ),
    "'conv' (convolution): expected 1 or 4 shifts, found (2,)": lambda: convolution_graph(
        requantization=requantization(shift=integers(1, 2))
    ),
    "'conv' (convolution): expected shifts of dtype int64, found int8": lambda: convolution_graph(
        requantization=requantization(shift=np.ones(1, np.int8))
    ),
    "'conv' (convolution): expected multipliers from 0 to 2147483647 (half_up), found -1 to -1": (
        lambda: convolution_graph(requantization=requantization(multiplier=integers(-1)))
    ),
    f"'conv' (convolution): expected multipliers from 0 to 2147483647 (half_up), found {1 << 31} "
    f"to {1 << 31}": (
        lambda: convolution_graph(requantization=requantization(multiplier=integers(1 << 31)))
    ),
    "'conv' (convolution): expected shifts from 0 to 62 (half_up), found -1 to -1": lambda: (
        convolution_graph(requantization=requantization(shift=integers(-1)))
    ),
    "'conv' (convolution): expected shifts from 0 to 62 (half_up), found 63 to 63": lambda: (
        convolution_graph(requantization=requantization(shift=integers(63)))
    ),
    "'conv' (convolution): expected a product of at most 63 bits, found a 40-bit sum times a "
    "31-bit multiplier": lambda: convolution_graph(
        bias=integers(1 << 38, 0, 0, 0),
        requantization=requantization(multiplier=integers((1 << 31) - 1)),
    ),
    "'conv' (convolution): expected the name of a requantization mode, found 'nvdle'; did you "
    "mean 'nvdla'?": (lambda: convolution_graph(requantization=requantization(rounding="nvdle"))),
    "'conv' (convolution): expected shifts from 1 to 62 (tflite_double), found 0 to 0": (
        lambda: convolution_graph(
            requantization=requantization(rounding="tflite_double", shift=integers(0))
        )
    ),
    "'conv' (convolution): expected multipliers from 1 to 1 (shift), found 2 to 2": (
        lambda: convolution_graph(
            requantization=requantization(rounding="shift", multiplier=integers(2))
        )
    ),
    "'conv' (convolution): expected sums of at most 32 bits (tflite_double), found 40 bits": (
        lambda: convolution_graph(
            bias=integers(1 << 38, 0, 0, 0), requantization=requantization(rounding="tflite_double")
        )
    ),
    "'conv' (convolution): expected a positive float32 destination scale (onednn), found the bit "
    "pattern 0": lambda: convolution_graph(requantization=requantization(rounding="onednn")),
    "'conv' (convolution): expected a zero point times 2^60 and a product of at most 63 bits "
    "together, found the zero point 5, added first": (
        lambda: convolution_graph(
            requantization=requantization(shift=integers(60), zero_point=5, zero_point_first=True)
        )
    ),
    "'conv' (convolution): expected no destination scale (half_up), found the bit pattern 1": (
        lambda: convolution_graph(requantization=requantization(destination_scale=1))
    ),
    "'conv' (convolution): expected a clamp within -128 to 127, found -129 to 127": (
        lambda: convolution_graph(requantization=requantization(low=-129))
    ),
    "'conv' (convolution): expected a clamp within -128 to 127, found 5 to 4": (
        lambda: convolution_graph(requantization=requantization(low=5, high=4))
    ),
    f"'conv' (convolution): expected a zero point of 32 signed bits, found {1 << 31}": (
        lambda: convolution_graph(requantization=requantization(zero_point=1 << 31))
    ),
    # Additions.
    "'sum' (add): expected shifts of operands from 31 to 62, found 30": lambda: add_graph(
        term_rounding=TermRounding((0, 0), (31, 30), 20)
    ),
    "'sum' (add): expected a left shift of at least 0, found -1": lambda: add_graph(
        term_rounding=TermRounding((0, 0), (31, 31), -1)
    ),
    "'sum' (add): expected widened operands of 32 bits, found up to 2147483648": (
        lambda: add_graph(term_rounding=TermRounding((1, 0), (31, 31), 23))
    ),
    "'sum' (add): expected float32 ratios of 0 to 2^32 and an addend of at most that, found the "
    f"bit patterns 1, {LARGEST_RATIO + 1} and 0": lambda: fused_graph(
        multipliers=(1, LARGEST_RATIO + 1)
    ),
    "'sum' (add): expected float32 ratios of 0 to 2^32 and an addend of at most that, found the "
    "bit patterns 1, 2 and -1": lambda: fused_graph(term_rounding=FusedTerms(-1)),
    "'sum' (add): expected no bias beside a float32 addend, found 4": lambda: fused_graph(bias=4),
    "'sum' (add): expected the mode onnxruntime with the bit pattern 1065353216 and zero point 0 "
    "behind a float32 sum, found half_up, [1] and 0": lambda: fused_graph(
        requantization=requantization()
    ),
    "'sum' (add): expected 3 channels, found 2": lambda: add_graph(wrong(3)),
    "'sum' (add): expected multipliers of 0 to 31 bits, found -1": lambda: add_graph(
        multipliers=(1, -1)
    ),
    f"'sum' (add): expected multipliers of 0 to 31 bits, found {1 << 31}": lambda: add_graph(
        multipliers=(1, 1 << 31)
    ),
    "'sum' (add): expected a product of at most 63 bits, found a 72-bit sum times a 1-bit "
    "multiplier": lambda: add_graph(bias=1 << 70),
    "'sum' (add): expected operands of one height and width, found 4096×4097 and 4094×4097 for "
    "an image of 4096×4097": lambda: with_nodes(
        image(),
        Node(
            "conv",
            convolution(
                weight=np.zeros((2, 3, 3, 2), np.int64),
                bias=integers(0, 0),
                padding=Padding.even(0, 1),
            ),
            ("image",),
            TensorType(2, S8),
        ),
        add_node("sum", "image", "conv"),
    ),
    # Changes of encoding and of shape.
    "'copy' (requantize): expected 3 channels, found 2": lambda: requantize_graph(wrong(3)),
    f"'copy' (requantize): expected biases of 40 signed bits, found {-(1 << 40)} to {-(1 << 40)}": (
        lambda: requantize_graph(bias=integers(-(1 << 40)))
    ),
    "'copy' (requantize): expected 1 or 2 biases, found (3,)": lambda: requantize_graph(
        bias=integers(0, 0, 0)
    ),
    "'shuffle' (pixel_shuffle): expected factors of at least 1, found 0": lambda: shuffle_graph(0),
    "'shuffle' (pixel_shuffle): expected 18 input channels, found 8": lambda: shuffle_graph(3),
    "'shuffle' (pixel_shuffle): expected u8 output codes, found s8": lambda: shuffle_graph(
        output=wrong(2)
    ),
}


@pytest.mark.parametrize("message", RULES)
def test_each_rule_has_its_message(message: str) -> None:
    with pytest.raises(GraphError) as raised:
        verify(RULES[message]())
    assert str(raised.value) == f"node {message}"


@pytest.mark.parametrize("message", WIRING)
def test_each_rule_of_wiring_has_its_message(message: str) -> None:
    with pytest.raises(GraphError) as raised:
        verify(WIRING[message]())
    assert str(raised.value) == message


@pytest.mark.parametrize(
    "make", [convolution_graph, add_graph, fused_graph, requantize_graph, shuffle_graph]
)
def test_the_unbroken_graphs_pass(make: Callable[[], Graph]) -> None:
    graph = make()
    assert verify(graph) is graph


def test_the_widest_bias_and_shift_pass() -> None:
    verify(convolution_graph(bias=integers((1 << 39) - 1, -(1 << 39), 0, 0)))
    verify(convolution_graph(requantization=requantization(shift=integers(62))))


def test_an_input_alone_is_a_graph() -> None:
    verify(Graph("nothing", (image(),), "image"))


def test_the_accumulator_bound_of_a_known_convolution() -> None:
    # Σ|w| = 3·255 + |bias| = 765 + 3 = 768 = 0b1100000000: ten bits and a sign.
    weight = integers(1, -2).reshape(1, 1, 1, 2)
    operator = convolution(weight=weight, bias=integers(-3), padding=Padding())
    node = Node("conv", operator, ("image",), TensorType(1, S8))
    assert accumulator_bits(node, TensorType(2, U8)) == 11


def test_only_a_convolution_has_an_accumulator() -> None:
    with pytest.raises(GraphError, match=r"node 'image' \(input\): expected a convolution"):
        accumulator_bits(Node("image", Input(), (), TensorType(2, U8)), TensorType(2, U8))


@given(st.data())
def test_no_sum_exceeds_the_accumulator_bound(data: st.DataObject) -> None:
    graph = data.draw(random_graphs())
    codes = execute(graph, data.draw(random_images(graph)))
    for node in graph.convolutions():
        assert isinstance(node.operator, Convolution)
        operand = graph.node(node.inputs[0])
        limit = 1 << (accumulator_bits(node, operand.output) - 1)
        sums = accumulators(node.operator, codes[operand.name])
        assert -limit <= sums.min()
        assert sums.max() < limit


def test_strides_that_take_long_to_compare_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quant.graph.verifier._MOST_SIZES", 1)
    with pytest.raises(GraphError, match=r"found \d+ nodes and \d+ pixels; take strides of powers"):
        verify(convolution_graph())
