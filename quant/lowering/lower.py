"""From a float network and the encodings of its tensors to the integer graph."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from quant.common.requantization_modes import DEFAULT_MODE, RequantizationMode, mode_named
from quant.graph import Concatenate, Graph, Input, NearestResize, Node, PixelShuffle, verify
from quant.graph.operators import Operator
from quant.lowering.additions import integer_add
from quant.lowering.encodings import MapEncoding
from quant.lowering.float_network import FloatNetwork
from quant.lowering.float_operators import (
    FloatAdd,
    FloatAffine,
    FloatAveragePool,
    FloatBilinear,
    FloatClamp,
    FloatConcatenate,
    FloatInput,
    FloatLayer,
    FloatMultiply,
    FloatNearest,
    FloatOperator,
    FloatPixelShuffle,
    FloatPRelu,
)
from quant.lowering.integer_operators import (
    integer_affine,
    integer_average_pool,
    integer_bilinear,
    integer_coarser_image,
    integer_layer,
    integer_multiply,
    integer_prelu,
    integer_requantize,
)
from quant.lowering.plan import Copy, Encodings, Step, plan
from quant.lowering.requantizer import Requantizer
from quant.lowering.run_time_points import (
    RunTimeOperator,
    integer_run_time,
    integer_scaled_layer,
)
from quant.lowering.tables import Pointwise, lookup_table


def lower(
    network: FloatNetwork,
    encodings: Encodings,
    name: str,
    metadata: Mapping[str, str],
    rounding: str = DEFAULT_MODE,
) -> Graph:
    """The verified integer graph of a folded network.

    Args:
        network: a folded network.
        encodings: how its tensors are encoded.
        name: what the graph calls itself.
        metadata: text to keep with the graph, which also notes the rounding.
        rounding: the mode every sum is requantized in; its engine's addition comes with it.

    Raises:
        UserError: no mode has this name, or it cannot express a layer's widths or scales.
        GraphError: the encodings ask for more than the graph can hold.
    """
    mode = mode_named(rounding)
    nodes = [_node(step, encodings, mode) for step in plan(network, encodings)]
    noted = {**metadata, "rounding": rounding}
    return verify(Graph.build(name, nodes, network.output, noted))


def _node(step: Step, encodings: Encodings, mode: RequantizationMode) -> Node:
    operator = _operator(step, encodings, Requantizer(mode, step.node))
    return Node(step.name, operator, step.inputs, step.target.tensor_type(step.channels))


def _operator(step: Step, encodings: Encodings, requantizer: Requantizer) -> Operator:
    operator, sources, target = step.operator, list(step.sources), step.target
    if isinstance(operator, FloatLayer):
        weights = encodings.weights[step.node]
        if (points := encodings.points.get(step.node)) is not None:
            wide = encodings.inputs[step.node]
            return integer_scaled_layer(requantizer, operator, weights, points, wide, target)
        return integer_layer(requantizer, operator, weights, sources[0], target)
    if isinstance(operator, RunTimeOperator):
        return integer_run_time(operator)
    if step.is_table:
        return lookup_table(cast("Pointwise", operator), sources[0], target)
    if type(operator) not in _OPERATORS:
        raise ValueError(f"'{step.name}': {type(operator).__name__} in a folded network")
    return _OPERATORS[type(operator)](requantizer, operator, sources, target)


def _copy(
    requantizer: Requantizer, copy: Copy, sources: list[MapEncoding], target: MapEncoding
) -> Operator:
    make = integer_coarser_image if copy.coarsens_image else integer_requantize
    return make(requantizer, sources[0], target)


_Make = Callable[[Requantizer, Any, list[MapEncoding], MapEncoding], Operator]
_OPERATORS: dict[type[FloatOperator | Copy], _Make] = {
    Copy: _copy,
    FloatInput: lambda *_: Input(),
    FloatAdd: lambda requantizer, add, sources, target: integer_add(
        requantizer, (sources[0], sources[1]), target, add.clamp
    ),
    FloatMultiply: lambda requantizer, multiply, sources, target: integer_multiply(
        requantizer, (sources[0], sources[1]), target, multiply.clamp
    ),
    FloatClamp: lambda requantizer, clamp, sources, target: integer_requantize(
        requantizer, sources[0], target, clamp.clamp
    ),
    FloatAffine: lambda requantizer, affine, sources, target: integer_affine(
        requantizer, affine, sources[0], target
    ),
    FloatPRelu: lambda requantizer, prelu, sources, target: integer_prelu(
        requantizer, prelu, sources[0], target
    ),
    FloatBilinear: lambda requantizer, resize, sources, target: integer_bilinear(
        requantizer, resize.factor, sources[0], target
    ),
    FloatAveragePool: lambda requantizer, pool, sources, target: integer_average_pool(
        requantizer, pool, sources[0], target
    ),
    FloatConcatenate: lambda *_: Concatenate(),
    FloatNearest: lambda _, resize, sources, target: NearestResize(resize.factor),
    FloatPixelShuffle: lambda _, shuffle, sources, target: PixelShuffle(
        shuffle.factor, shuffle.order
    ),
}
"""(requantizer, float operator, encodings of its operands and result) to the integer operator."""
