"""Graphs rewritten by passes give the same integers."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwsim.machine import REFERENCE, run_layerwise
from quant.graph import (
    AveragePool,
    Convolution,
    Graph,
    GraphError,
    Input,
    IntegerType,
    Node,
    Operator,
    Padding,
    PixelShuffle,
    Requantization,
    Size,
    TensorType,
    TransposedConvolution,
    verify,
)
from quant.graph.passes import expand_average_pools, expand_transposed_convolutions

INPUT = IntegerType.parse("s5")
OUTPUT = IntegerType.parse("s8")
CHANNELS, INPUTS = 3, 2


def graph(operator: Operator) -> Graph:
    channels = INPUTS if isinstance(operator, AveragePool) else CHANNELS
    nodes = (
        Node("image", Input(), (), TensorType(INPUTS, INPUT)),
        Node("out", operator, ("image",), TensorType(channels, OUTPUT)),
    )
    return verify(Graph.build("small", nodes, "out"))


def image(random: np.random.Generator, size: Size) -> Any:
    shape = size.height, size.width, INPUTS
    return random.integers(INPUT.low, INPUT.high, shape, np.int32, endpoint=True)


def scaling(random: np.random.Generator, channels: int) -> Requantization:
    length = int(random.choice((1, channels)))
    return Requantization(
        random.integers(1, 50, length), random.integers(4, 9, length), 3, -128, 127
    )


def transposed(
    random: np.random.Generator,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: Padding,
    weight_type: str = "s4",
) -> TransposedConvolution:
    integer = IntegerType.parse(weight_type)
    weight = random.integers(0, 2**integer.bits, (CHANNELS, *kernel, INPUTS))
    step = 1 if integer.is_consecutive else 2
    return TransposedConvolution(
        integer.low + step * weight,
        integer,
        random.integers(-99, 99, CHANNELS),
        stride,
        padding,
        random.integers(INPUT.low, INPUT.high, INPUTS, endpoint=True),
        scaling(random, CHANNELS),
    )


@settings(max_examples=150, deadline=None)
@given(data=st.data(), stride=st.integers(1, 4), seed=st.integers(0, 2**32 - 1))
def test_phases_give_the_integers_of_the_transposed_convolution(
    data: st.DataObject, stride: int, seed: int
) -> None:
    """Wherever outputs are a multiple of pixels, and then always."""
    kernel, padding = [], []
    for _ in range(2):
        taps = data.draw(st.integers(1, 7))
        before = data.draw(st.integers(0, taps - 1))
        behind = [side for side in range(taps) if (before + side + 2 - taps) % stride == 0]
        if not behind:
            return
        kernel.append(taps)
        padding += [before, data.draw(st.sampled_from(behind))]
    random = np.random.default_rng(seed)
    operator = transposed(random, (kernel[0], kernel[1]), (stride, stride), Padding(*padding))
    original = graph(operator)
    expanded = verify(expand_transposed_convolutions(original))
    assert not any(isinstance(node.operator, TransposedConvolution) for node in expanded.nodes)
    assert len(expanded.nodes) == (2 if stride == 1 else 3)
    size = data.draw(st.builds(Size, st.integers(1, 6), st.integers(1, 6)))
    try:
        sizes = original.sizes(size)
    except GraphError:  # too small an image
        return
    assert expanded.sizes(size)["out"] == sizes["out"]
    codes = image(random, size)
    assert (
        run_layerwise(expanded, codes, REFERENCE) == run_layerwise(original, codes, REFERENCE)
    ).all()


def test_phases_that_meet_the_same_pixels_need_no_weights_of_zero() -> None:
    """9×9, stride 3: nine phases of 3×3 taps, and odd weights have no zero."""
    random = np.random.default_rng(1)
    expanded = expand_transposed_convolutions(
        graph(transposed(random, (9, 9), (3, 3), Padding.even(5, 5), "o2"))
    )
    convolution = expanded.node("out.phases").operator
    assert isinstance(convolution, Convolution)
    assert convolution.weight.shape == (27, 3, 3, INPUTS)
    assert expanded.node("out").operator.kind == PixelShuffle.kind
    verify(expanded)


@pytest.mark.parametrize(
    ("stride", "padding", "weight_type"),
    [
        ((2, 3), Padding(1, 1, 1, 1), "s4"),
        ((2, 2), Padding(1, 1, 1, 0), "s4"),
        ((2, 2), Padding(1, 2, 1, 2), "o2"),
    ],
)
def test_what_stays(stride: tuple[int, int], padding: Padding, weight_type: str) -> None:
    random = np.random.default_rng(2)
    original = graph(transposed(random, (3, 3), stride, padding, weight_type))
    (node,) = expand_transposed_convolutions(original).nodes[1:]
    assert node.operator is original.node("out").operator


@settings(max_examples=30, deadline=None)
@given(
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    bias=st.integers(-99, 99),
    seed=st.integers(0, 2**32 - 1),
)
def test_depthwise_convolutions_give_the_integers_of_average_pools(
    kernel: tuple[int, int], stride: tuple[int, int], bias: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    original = graph(AveragePool(kernel, stride, bias, scaling(random, INPUTS)))
    expanded = verify(expand_average_pools(original))
    assert isinstance(expanded.node("out").operator, Convolution)
    codes = image(random, Size(5, 7))
    assert (
        run_layerwise(expanded, codes, REFERENCE) == run_layerwise(original, codes, REFERENCE)
    ).all()
