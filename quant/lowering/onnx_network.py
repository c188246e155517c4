"""Float ONNX models as float networks, to be quantized like those of torch."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quant.common.errors import UnsupportedError, UserError
from quant.interchange.onnx_constants import folded
from quant.interchange.onnx_model import ModelNode, OnnxModel
from quant.lowering.float_network import FloatNetwork
from quant.lowering.float_operators import FloatSlice
from quant.lowering.network_builder import IMAGE, NetworkBuilder
from quant.lowering.onnx_float_operators import Call, Operand, convert

_IMAGE_AXES = 4
_CHANNELS = (1, -3)
_FIRST, _LAST = [0, 3, 1, 2], [0, 2, 3, 1]


def network_of(model: OnnxModel, name: str, pixel_range: float) -> FloatNetwork:
    """The float network of a model, not folded yet, which keeps the names of its nodes.

    Args:
        model: of float operators, from an image to a picture.
        name: what the network calls itself.
        pixel_range: value of a white pixel at both ends.

    Raises:
        UserError: the model holds what integers cannot do here; every such operator is named.
    """
    reader = _Reader(folded(model))
    for node in reader.model.nodes:
        reader.read(node)
    output = reader.values.get(model.output.name)
    if not isinstance(output, str) and not reader.builder.problems:
        raise UserError(
            f"{model.path}: expected an output that is a feature map, found a constant; export the "
            "network again"
        )
    return reader.builder.network(str(model.path), name, str(output), pixel_range)


@dataclass(eq=False)
class _Reader:
    """The network so far: feature maps by name, constants as arrays."""

    model: OnnxModel
    builder: NetworkBuilder = field(default_factory=NetworkBuilder)
    values: dict[str, str | NDArray[Any]] = field(default_factory=dict)
    channels_last: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.values |= self.model.constants
        image, shape = self.model.input, self.model.input.shape
        if image.type != "float32" or len(shape) not in (0, _IMAGE_AXES):
            raise UserError(
                f"{self.model.path}: input '{image.name[:80]}': expected float32 of four axes, "
                f"found {image.type} {shape}; export the network with such an input"
            )
        self.values[image.name] = IMAGE
        last = bool(shape) and shape[3] in (1, 3) and shape[1] not in (1, 3)
        channels = shape[3 if last else 1] if shape else None
        if channels is not None:
            self.builder.channels[IMAGE] = channels
        if last:
            self.channels_last.add(image.name)

    def read(self, node: ModelNode) -> None:
        """Read one operator."""
        if node.operator == "Transpose" and not node.domain:
            self._transpose(node)
            return
        last = [name for name in node.inputs if name in self.channels_last]
        if last:
            self.builder.problems.append(f"{node.operator} of channels last at '{node.name[:80]}'")
        if node.operator in _CUTS and not node.domain:
            self._cut(node)
            return
        call = Call(node, tuple(self._operand(name) for name in node.inputs))
        made = self.builder.append(_base_name(node), lambda: convert(call))
        self.values |= dict.fromkeys(filter(None, node.outputs), made)

    def _operand(self, name: str) -> Operand:
        return self.values[name] if name else None

    def _transpose(self, node: ModelNode) -> None:
        """Only what puts the channels first or last, as converters do at the ends."""
        if len(node.inputs) != 1 or len(node.outputs) != 1:
            self.builder.problems.append(f"Transpose without one input at '{node.name[:80]}'")
            self.values |= dict.fromkeys(filter(None, node.outputs), IMAGE)
            return
        (source,), (output,) = node.inputs, node.outputs
        last = source in self.channels_last
        if node.attributes.get("perm") != (_FIRST if last else _LAST):
            self.builder.problems.append(
                f"Transpose with the axes {node.attributes.get('perm')} at '{node.name[:80]}'"
            )
        elif not last:
            self.channels_last.add(output)
        self.values[output] = self.values[source]

    def _cut(self, node: ModelNode) -> None:
        """Runs of channels, each a node of its own."""
        call = Call(node, tuple(self._operand(name) for name in node.inputs))
        try:
            source = call.map()
            if source not in self.builder.channels:
                raise UnsupportedError(f"{node.operator} of channels that are not known")
            slices = _CUTS[node.operator](call, self.builder.channels[source])
        except UnsupportedError as problem:
            self.builder.problems.append(f"{problem} at '{node.name[:80]}'")
            self.values |= dict.fromkeys(filter(None, node.outputs), IMAGE)
            return
        for part, output in zip(slices, node.outputs, strict=False):
            self.values[output] = self.builder.append_slice(_base_name(node), source, part)


def _base_name(node: ModelNode) -> str:
    """The node's own name, or what it does."""
    return node.name.strip("/").replace("/", ".") or node.operator


def _split(call: Call, channels: int) -> list[FloatSlice]:
    parts, sizes = len(call.node.outputs), call.constant(1)
    if call.attributes.get("axis", 0) not in _CHANNELS:
        raise UnsupportedError("Split of other axes than channels")
    declared = call.attributes.get("split") if sizes is None else sizes.reshape(-1).tolist()
    if declared is None:
        size = -(-channels // parts)
        declared = [min(size, channels - size * part) for part in range(parts)]
    if len(declared) != parts or sum(declared) != channels or min(declared) < 1:
        raise UnsupportedError(f"Split of {channels} channels into {declared}")
    ends = np.cumsum(declared).tolist()
    return [FloatSlice(e - int(s), e) for s, e in zip(declared, ends, strict=True)]


def _slice(call: Call, channels: int) -> list[FloatSlice]:
    starts, ends, axes, steps = (call.constant(position) for position in range(1, 5))
    if starts is None or ends is None or starts.size != 1 or ends.size != 1:
        raise UnsupportedError("Slice of several axes")
    axis = 0 if axes is None else int(axes.reshape(-1)[0])
    if axis not in _CHANNELS or (steps is not None and int(steps.reshape(-1)[0]) != 1):
        raise UnsupportedError("Slice of other axes than channels, or with steps")
    start, stop, _ = slice(int(starts.item()), int(ends.item())).indices(channels)
    if start >= stop:
        raise UnsupportedError("Slice of no channels")
    return [FloatSlice(start, stop)]


_CUTS = {"Split": _split, "Slice": _slice}
"""Operators that cut a feature map into runs of channels."""
