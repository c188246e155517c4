"""Operators of ONNX models on constants alone, computed once."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quant.interchange.onnx_model import ModelNode, OnnxModel

LARGEST_VALUES = 1 << 26
"""Of a result; an operator that would make more stays as it is."""

Array = NDArray[Any]


def folded(model: OnnxModel) -> OnnxModel:
    """The model without the operators that read constants alone and are simple enough."""
    constants, nodes = dict(model.constants), []
    for node in model.nodes:
        result = None
        if node.operator in _OPERATORS and not node.domain and len(node.outputs) == 1:
            operands = [constants.get(name) for name in node.inputs]
            if operands and all(value is not None for value in operands):
                result = _computed(node, operands)  # type: ignore[arg-type]
        if result is None:
            nodes.append(node)
        else:
            constants[node.outputs[0]] = result
    return replace(model, constants=constants, nodes=tuple(nodes))


def _computed(node: ModelNode, operands: list[Array]) -> Array | None:
    try:
        # Results are at most as large as their operands together, or as these broadcast.
        most = max(sum(value.size for value in operands), _broadcast_size(operands))
        if most > LARGEST_VALUES:
            return None
        with np.errstate(all="ignore"):
            return np.asarray(_OPERATORS[node.operator](node.attributes, *operands))
    except (ValueError, IndexError, TypeError, KeyError, OverflowError):
        return None  # whoever reads the model says what is wrong with the operator


def _broadcast_size(operands: list[Array]) -> int:
    try:
        return prod(np.broadcast_shapes(*(value.shape for value in operands)))
    except ValueError:
        return 0


def _axes(attributes: Mapping[str, Any], given: tuple[Array, ...]) -> tuple[int, ...] | None:
    """Axes as an input, which they are since opset 13, or as an attribute."""
    axes = given[0].reshape(-1).tolist() if given else attributes.get("axes")
    return None if axes is None else tuple(int(axis) for axis in axes)


def _unsqueeze(attributes: Mapping[str, Any], values: Array, *given: Array) -> Array:
    axes = _axes(attributes, given)
    if axes is None:
        raise ValueError
    return np.expand_dims(values, axes)


def _squeeze(attributes: Mapping[str, Any], values: Array, *given: Array) -> Array:
    return np.squeeze(values, _axes(attributes, given))


def _reshape(attributes: Mapping[str, Any], values: Array, shape: Array) -> Array:
    sizes = [int(size) for size in shape.reshape(-1)]
    kept = [values.shape[axis] if size == 0 else size for axis, size in enumerate(sizes)]
    return values.reshape(kept)


def _cast(attributes: Mapping[str, Any], values: Array) -> Array:
    from quant.interchange.onnx_tensors import type_name

    return values.astype(np.dtype(type_name(attributes["to"])))


def _divide(_: Mapping[str, Any], one: Array, other: Array) -> Array:
    whole = np.issubdtype(one.dtype, np.integer)
    return np.trunc(one / other).astype(one.dtype) if whole else one / other


_OPERATORS: dict[str, Callable[..., Array]] = {
    "Identity": lambda _, values: values,
    "Cast": _cast,
    "Unsqueeze": _unsqueeze,
    "Squeeze": _squeeze,
    "Reshape": _reshape,
    "Transpose": lambda attributes, values: np.transpose(values, attributes.get("perm")),
    "Concat": lambda attributes, *values: np.concatenate(values, attributes["axis"]),
    "Gather": lambda attributes, values, places: np.take(
        values, places.astype(np.int64), attributes.get("axis", 0)
    ),
    "Neg": lambda _, values: -values,
    "Sqrt": lambda _, values: np.sqrt(values),
    "Reciprocal": lambda _, values: 1 / values,
    "Add": lambda _, one, other: one + other,
    "Sub": lambda _, one, other: one - other,
    "Mul": lambda _, one, other: one * other,
    "Div": _divide,
}
"""(attributes, operands …) to the result."""
