"""Checks that a graph means what it says: wiring, types, ranges, sizes and accumulator widths."""

from collections.abc import Callable
from math import isfinite

import numpy as np

from quant.common.codes import CodeKind
from quant.common.errors import suggestion
from quant.common.requantization_modes import (
    LARGEST_FLOAT32,
    LARGEST_SHIFT,
    MODES,
    RequantizationMode,
)
from quant.graph.graph import Graph, GraphError, Node
from quant.graph.operators import (
    Add,
    Convolution,
    Input,
    Integers,
    Operator,
    PixelShuffle,
    Requantization,
    Requantize,
    TermRounding,
)
from quant.graph.types import IntegerType, TensorType

PRODUCT_BITS = 63
"""Signed bits of a sum times bits of its multiplier, so that the product and its rounding term
together fit a signed 64-bit integer."""
MAXIMUM_SHIFT = LARGEST_SHIFT
TERM_SHIFT = 31
"""Of an operand that an addition rounds, at least: its multiplier is a fraction of 1."""
MULTIPLIER_BITS = 31
"""Width of a multiplier: a 32-bit signed register, as in TFLite, Arm CMSIS-NN and TOSA RESCALE."""
ZERO_POINT_BITS = 32
BIAS_BITS = 40
"""Stored width of a bias: the 40-bit bias of a 10-byte parameter record, as in Arm Ethos-U."""


def verify(graph: Graph) -> Graph:
    """Check every node of a graph and give the graph back.

    Raises:
        GraphError: the first rule broken: the node, what was wanted, what was found.
    """
    _verify_wiring(graph)
    outputs = {node.name: node.output for node in graph.nodes}
    for node in graph.nodes:
        _verify_type(node)
        _CHECKS[type(node.operator)](node, [outputs[source] for source in node.inputs])
    _verify_grids(graph)
    return graph


def accumulator_bits(node: Node, operand: TensorType) -> int:
    """Signed bits that hold every partial sum of a convolution, whatever the order of its taps.

    Raises:
        GraphError: the node is no convolution.
    """
    convolution = node.operator
    if not isinstance(convolution, Convolution):
        raise _broken(node, "a convolution", convolution.kind)
    return sum_bits(convolution.weight, convolution.bias, operand.integer)


def sum_bits(weight: Integers, bias: Integers, codes: IntegerType) -> int:
    """Signed bits that hold every partial sum of these weights with any codes of a type.

    The bound is max over output channels of Σ|weight|·max|code| + |bias|.

    Args:
        weight: int64 [out_channels, kernel_height, kernel_width, in_channels].
        bias: int64 [out_channels].
        codes: type of the feature map that is read.
    """
    largest = np.abs(weight).sum(axis=(1, 2, 3)) * codes.magnitude + np.abs(bias)
    return int(largest.max()).bit_length() + 1


def _broken(node: Node, wanted: str, found: str) -> GraphError:
    return GraphError(
        f"node '{node.name}' ({node.operator.kind}): expected {wanted}, found {found}"
    )


def _verify_wiring(graph: Graph) -> None:
    """Names are used once, producers come first, and everything leads to the output."""
    _ = graph.input
    seen: set[str] = set()
    for node in graph.nodes:
        if not node.name or node.name in seen:
            raise _broken(
                node, "a name of its own", f"'{node.name}' again" if node.name else "none"
            )
        if len(node.inputs) != node.operator.operands:
            raise _broken(node, f"{node.operator.operands} inputs", str(len(node.inputs)))
        for source in node.inputs:
            if source not in seen:
                raise _broken(node, "its inputs to come before it", f"'{source}' not yet computed")
        seen.add(node.name)
    if graph.output not in seen:
        raise GraphError(
            f"graph '{graph.name}': expected the output to be a node, found '{graph.output}'"
        )
    read = {source for node in graph.nodes for source in node.inputs} | {graph.output}
    for node in graph.nodes:
        if node.name not in read:
            raise _broken(node, "a reader, or to be the output", "neither")


def _verify_type(node: Node) -> None:
    output = node.output
    if output.channels < 1:
        raise _broken(node, "at least one channel", str(output.channels))
    if output.integer.kind is CodeKind.ODD:
        raise _broken(node, "signed or unsigned output codes", str(output.integer))
    if len(output.encoding.zero_point) not in (1, output.channels):
        raise _broken(
            node, f"1 or {output.channels} zero points", str(len(output.encoding.zero_point))
        )
    if not (isfinite(output.encoding.scale) and output.encoding.scale > 0):
        raise _broken(node, "a positive finite scale", str(output.encoding.scale))


def _verify_input(node: Node, operands: list[TensorType]) -> None:
    """An input has nothing but its type."""


def _verify_convolution(node: Node, operands: list[TensorType]) -> None:
    convolution = node.operator
    assert isinstance(convolution, Convolution)
    (ifm,) = operands
    _verify_convolution_shapes(node, convolution, ifm)
    _verify_range(node, "weights", convolution.weight, convolution.weight_type)
    _verify_range(node, "pad codes", convolution.pad_code, ifm.integer)
    smallest, largest = int(convolution.bias.min()), int(convolution.bias.max())
    if max(-smallest - 1, largest).bit_length() >= BIAS_BITS:
        raise _broken(node, f"biases of {BIAS_BITS} signed bits", f"{smallest} to {largest}")
    if convolution.weight_type.kind is CodeKind.ODD and not (convolution.weight & 1).all():
        raise _broken(node, f"odd weights ({convolution.weight_type})", "an even one")
    _verify_requantization(node, convolution.requantization, accumulator_bits(node, ifm))


def _verify_convolution_shapes(node: Node, convolution: Convolution, ifm: TensorType) -> None:
    if convolution.weight.ndim != 4 or convolution.weight.size == 0:
        raise _broken(node, "a weight of four dimensions", str(convolution.weight.shape))
    if convolution.in_channels != ifm.channels:
        raise _broken(node, f"{convolution.in_channels} input channels", str(ifm.channels))
    if convolution.out_channels != node.output.channels:
        raise _broken(
            node, f"{convolution.out_channels} output channels", str(node.output.channels)
        )
    if convolution.bias.shape != (convolution.out_channels,):
        raise _broken(node, f"{convolution.out_channels} biases", str(convolution.bias.shape))
    if convolution.pad_code.shape not in ((1,), (ifm.channels,)):
        raise _broken(node, f"1 or {ifm.channels} pad codes", str(convolution.pad_code.shape))
    for what in ("weight", "bias", "pad_code"):
        _verify_dtype(node, what, getattr(convolution, what))
    for padding, kernel in zip(convolution.padding, convolution.kernel, strict=True):
        if not 0 <= padding < kernel:
            raise _broken(node, f"padding from 0 to {kernel - 1}", str(padding))


def _verify_add(node: Node, operands: list[TensorType]) -> None:
    add = node.operator
    assert isinstance(add, Add)
    for operand in operands:
        if operand.channels != node.output.channels:
            raise _broken(node, f"{node.output.channels} channels", str(operand.channels))
    for multiplier in add.multipliers:
        if multiplier < 0 or multiplier.bit_length() > MULTIPLIER_BITS:
            raise _broken(node, f"multipliers of 0 to {MULTIPLIER_BITS} bits", str(multiplier))
    if add.term_rounding is None:
        largest = abs(add.bias) + sum(
            multiplier * operand.integer.magnitude
            for multiplier, operand in zip(add.multipliers, operands, strict=True)
        )
    else:
        largest = abs(add.bias) + _largest_rounded_terms(node, add.term_rounding, operands)
    _verify_requantization(node, add.requantization, largest.bit_length() + 1)


def _largest_rounded_terms(node: Node, terms: TermRounding, operands: list[TensorType]) -> int:
    """Bound of the sum of both rounded operands: a multiplier over 2^31 shrinks each."""
    for shift in terms.shifts:
        if not TERM_SHIFT <= shift <= MAXIMUM_SHIFT:
            raise _broken(
                node, f"shifts of operands from {TERM_SHIFT} to {MAXIMUM_SHIFT}", str(shift)
            )
    if terms.left_shift < 0:
        raise _broken(node, "a left shift of at least 0", str(terms.left_shift))
    largest = [
        (operand.integer.magnitude + abs(zero)) << min(terms.left_shift, 32)
        for operand, zero in zip(operands, terms.zero_points, strict=True)
    ]
    if max(largest) >= 2**31:
        raise _broken(node, "widened operands of 32 bits", f"up to {max(largest)}")
    return sum(largest)


def _verify_requantize(node: Node, operands: list[TensorType]) -> None:
    requantize = node.operator
    assert isinstance(requantize, Requantize)
    (operand,) = operands
    if operand.channels != node.output.channels:
        raise _broken(node, f"{node.output.channels} channels", str(operand.channels))
    largest = operand.integer.magnitude + abs(requantize.bias)
    _verify_requantization(node, requantize.requantization, largest.bit_length() + 1)


def _verify_pixel_shuffle(node: Node, operands: list[TensorType]) -> None:
    shuffle = node.operator
    assert isinstance(shuffle, PixelShuffle)
    (operand,) = operands
    if shuffle.factor < 1:
        raise _broken(node, "a factor of at least 1", str(shuffle.factor))
    if operand.channels != node.output.channels * shuffle.factor**2:
        raise _broken(
            node,
            f"{node.output.channels * shuffle.factor**2} input channels",
            str(operand.channels),
        )
    if operand.integer != node.output.integer:
        raise _broken(node, f"{operand.integer} output codes", str(node.output.integer))


def _verify_requantization(node: Node, requantization: Requantization, bits: int) -> None:
    multiplier, shift = requantization.multiplier, requantization.shift
    mode = _mode(node, requantization)
    for what, values in (("multipliers", multiplier), ("shifts", shift)):
        if values.shape not in ((1,), (node.output.channels,)):
            raise _broken(node, f"1 or {node.output.channels} {what}", str(values.shape))
        _verify_dtype(node, what, values)
    smallest, largest = int(multiplier.min()), int(multiplier.max())
    least, greatest = max(0, mode.multipliers[0]), mode.multipliers[1]
    if smallest < least or largest > greatest:
        raise _broken(
            node,
            f"multipliers from {least} to {greatest} ({mode.name})",
            f"{smallest} to {largest}",
        )
    if shift.min() < mode.shifts[0] or shift.max() > mode.shifts[1]:
        raise _broken(
            node,
            f"shifts from {mode.shifts[0]} to {mode.shifts[1]} ({mode.name})",
            f"{shift.min()} to {shift.max()}",
        )
    if bits + mode.product_bits(largest) > PRODUCT_BITS:
        raise _broken(
            node,
            f"a product of at most {PRODUCT_BITS} bits",
            f"a {bits}-bit sum times a {largest.bit_length()}-bit multiplier",
        )
    if bits > mode.sum_bits:
        raise _broken(node, f"sums of at most {mode.sum_bits} bits ({mode.name})", f"{bits} bits")
    _verify_clamp(node, requantization)


def _mode(node: Node, requantization: Requantization) -> RequantizationMode:
    """The named mode, given a destination scale exactly if it takes one."""
    name, scale = requantization.rounding, requantization.destination_scale
    if name not in MODES:
        raise _broken(
            node, "the name of a requantization mode", f"'{name}'; {suggestion(name, MODES)}"
        )
    if MODES[name].has_destination_scale != (0 < scale <= LARGEST_FLOAT32):
        wanted = "a positive float32" if MODES[name].has_destination_scale else "no"
        raise _broken(node, f"{wanted} destination scale ({name})", f"the bit pattern {scale}")
    return MODES[name]


def _verify_clamp(node: Node, requantization: Requantization) -> None:
    if requantization.zero_point.bit_length() >= ZERO_POINT_BITS:
        raise _broken(
            node, f"a zero point of {ZERO_POINT_BITS} signed bits", str(requantization.zero_point)
        )
    integer = node.output.integer
    if not integer.low <= requantization.low <= requantization.high <= integer.high:
        raise _broken(
            node,
            f"a clamp within {integer.low} to {integer.high}",
            f"{requantization.low} to {requantization.high}",
        )


def _verify_dtype(node: Node, what: str, values: Integers) -> None:
    if values.dtype != np.int64:
        raise _broken(node, f"{what} of dtype int64", str(values.dtype))


def _verify_range(node: Node, what: str, values: Integers, integer: IntegerType) -> None:
    low, high = int(values.min()), int(values.max())
    if low < integer.low or high > integer.high:
        raise _broken(
            node, f"{what} of {integer} ({integer.low} to {integer.high})", f"{low} to {high}"
        )


def _verify_grids(graph: Graph) -> None:
    """Both operands of an addition have one height and width, whatever the image.

    Every side is ``factor · image side + offset``: padding adds to the offset, a pixel shuffle
    multiplies both.
    """
    grids: dict[str, tuple[int, int, int]] = {}
    for node in graph.nodes:
        operands = [grids[source] for source in node.inputs] or [(1, 0, 0)]
        if len(set(operands)) > 1:
            found = " and ".join(_spelled(*operand) for operand in operands)
            raise _broken(node, "operands of one height and width", found)
        factor, rows, columns = operands[0]
        match node.operator:
            case PixelShuffle(factor=shuffle):
                grids[node.name] = (factor * shuffle, rows * shuffle, columns * shuffle)
            case Convolution(padding=padding, kernel=kernel):
                grids[node.name] = (
                    factor,
                    rows + 2 * padding[0] - kernel[0] + 1,
                    columns + 2 * padding[1] - kernel[1] + 1,
                )
            case _:
                grids[node.name] = operands[0]


def _spelled(factor: int, rows: int, columns: int) -> str:
    return f"{factor}·image{rows:+d} rows {columns:+d} columns"


_CHECKS: dict[type[Operator], Callable[[Node, list[TensorType]], None]] = {
    Input: _verify_input,
    Convolution: _verify_convolution,
    Add: _verify_add,
    Requantize: _verify_requantize,
    PixelShuffle: _verify_pixel_shuffle,
}
