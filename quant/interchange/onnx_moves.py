"""Operators of ONNX models that leave values as they are, and put them elsewhere."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from quant.common.errors import UnsupportedError
from quant.graph import Concatenate, NearestResize, PixelShuffle
from quant.interchange import derivation
from quant.interchange.onnx_geometry import resize_factor, zeros_around
from quant.interchange.onnx_model import ModelNode
from quant.interchange.onnx_operands import constant, given, real_map, value
from quant.interchange.onnx_values import (
    Codes,
    FeatureMap,
    Pending,
    Real,
    Value,
)

if TYPE_CHECKING:
    from quant.interchange.onnx_reader import Reader


def _concatenation(reader: "Reader", node: ModelNode) -> Value:
    if node.attributes.get("axis") not in (1, -3):
        raise UnsupportedError(f"along axis {node.attributes.get('axis')}")
    found = [value(reader, node, position) for position in range(len(node.inputs))]
    if not found:
        raise UnsupportedError("of nothing")
    channels = sum(f.tensor.channels for f in found if isinstance(f, Codes | Real))
    if all(isinstance(operand, Codes) for operand in found):
        return _side_by_side(reader, node, found, channels)  # type: ignore[arg-type]
    operands = tuple(real_map(reader, node, position) for position in range(len(node.inputs)))
    if len(operands) == 1:
        return operands[0]
    return Pending("Concat", node, operands, channels)


def _side_by_side(reader: "Reader", node: ModelNode, operands: list[Codes], channels: int) -> Value:
    if len({operand.tensor.integer for operand in operands}) > 1:
        raise UnsupportedError("of codes of several types")
    output = replace(operands[0].tensor, channels=channels)
    return reader.append(node.name, Concatenate(), operands, output)


def _pixel_shuffle(reader: "Reader", node: ModelNode) -> Value:
    factor, order = node.attributes.get("blocksize"), node.attributes.get("mode", "DCR")
    if not isinstance(factor, int) or factor < 1 or order not in ("DCR", "CRD"):
        raise UnsupportedError(f"blocks of {factor} in the order {order}")
    move = PixelShuffle(factor, str(order).lower())
    return _moved(reader, node, value(reader, node, 0), move)


def _moved(
    reader: "Reader", node: ModelNode, found: Value, move: PixelShuffle | NearestResize
) -> Value:
    """An operator that only moves values, of codes at once, else behind the quantization."""
    match found:
        case Pending():
            if found.kind == "Copy":
                moved = reader.moved(node.name, move, found.operands[0])
                real = replace(found.operands[0], node=moved.node, tensor=moved.tensor)
                return replace(found, operands=(real,), channels=moved.tensor.channels)
            return replace(found, moves=(*found.moves, move))
        case Codes(channels_last=False):
            return reader.moved(node.name, move, found)
        case Real(channels_last=False, padding=padding) if not (padding.rows or padding.columns):
            moved = reader.moved(node.name, move, found)
            return Real(moved.node, moved.tensor)
        case _:
            raise UnsupportedError("of what is no feature map, or has its channels last")


def _resize(reader: "Reader", node: ModelNode) -> Value:
    position = 1 if node.operator == "Upsample" else 2
    mode, factor = resize_factor(node.attributes, constant(reader, node, position))
    if mode == "nearest":
        return _moved(reader, node, value(reader, node, 0), NearestResize(factor))
    source = real_map(reader, node)
    return Pending("Resize", node, (source, factor), source.tensor.channels)


def _pad(reader: "Reader", node: ModelNode) -> Value:
    source = real_map(reader, node)
    behind = [constant(reader, node, position) for position in range(1, len(node.inputs))]
    around, own = source.padding, zeros_around(node.attributes, behind)
    joined = type(own)(
        own.top + around.top,
        own.bottom + around.bottom,
        own.left + around.left,
        own.right + around.right,
    )
    return replace(source, padding=joined)


def _transpose(reader: "Reader", node: ModelNode) -> Value:
    """Only what puts the channels last or first, as converters do at the ends."""
    found, order = value(reader, node, 0), node.attributes.get("perm")
    if isinstance(found, np.ndarray):
        return np.transpose(found, order)  # type: ignore[arg-type]
    if not isinstance(found, Codes | Real):
        raise UnsupportedError("of what is not quantized")
    wanted = [0, 3, 1, 2] if found.channels_last else [0, 2, 3, 1]
    if order != wanted:
        raise UnsupportedError(f"with the axes {order}")
    return replace(found, channels_last=not found.channels_last)


def _slice(reader: "Reader", node: ModelNode) -> Value:
    starts, ends, axes, steps = (constant(reader, node, position) for position in range(1, 5))
    if starts is None or ends is None or starts.size != 1 or ends.size != 1:
        raise UnsupportedError("of several axes")
    axis = 0 if axes is None else int(axes.reshape(-1)[0])
    if axis not in (1, -3) or (steps is not None and int(steps.reshape(-1)[0]) != 1):
        raise UnsupportedError("of other axes than channels, or with steps")
    found = _feature_map(reader, node)
    start, stop, _ = slice(int(starts.item()), int(ends.item())).indices(found.tensor.channels)
    return _some_channels(reader, node, found, start, stop)


def _split(reader: "Reader", node: ModelNode) -> tuple[Value, ...]:
    if node.attributes.get("axis", 0) not in (1, -3):
        raise UnsupportedError("of other axes than channels")
    found = _feature_map(reader, node)
    channels, parts = found.tensor.channels, len(node.outputs)
    given_sizes = constant(reader, node, 1) if given(node, 1) else node.attributes.get("split")
    if given_sizes is None:
        size = -(-channels // parts)
        sizes = [min(size, channels - size * part) for part in range(parts)]
    else:
        sizes = [int(size) for size in np.asarray(given_sizes).reshape(-1)]
    if len(sizes) != parts or sum(sizes) != channels or min(sizes) < 1:
        raise UnsupportedError(f"of {channels} channels into {sizes}")
    ends = np.cumsum(sizes).tolist()
    return tuple(
        _some_channels(reader, node, found, end - size, end)
        for size, end in zip(sizes, ends, strict=True)
    )


def _feature_map(reader: "Reader", node: ModelNode) -> FeatureMap:
    found = value(reader, node, 0)
    if not isinstance(found, Codes | Real) or found.channels_last:
        raise UnsupportedError("of what is not quantized, or has its channels last")
    return found


def _some_channels(
    reader: "Reader", node: ModelNode, found: FeatureMap, start: int, stop: int
) -> Value:
    if start >= stop:
        raise UnsupportedError("of no channels")
    made = derivation.some_channels(np.arange(start, stop), found.tensor)
    output = replace(found.tensor, channels=stop - start)
    part = reader.append(f"{node.name}.{start}_{stop}", made, (found,), output)
    return replace(found, node=part.node, tensor=output)


MOVES: dict[str, Callable[["Reader", ModelNode], "Value | tuple[Value, ...]"]] = {
    "Concat": _concatenation,
    "DepthToSpace": _pixel_shuffle,
    "Resize": _resize,
    "Upsample": _resize,
    "Pad": _pad,
    "Transpose": _transpose,
    "Slice": _slice,
    "Split": _split,
}
