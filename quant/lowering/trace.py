"""From a torch module to a float network: ``torch.fx`` walks, tables say what things mean."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from torch import Tensor, fx, nn

from quant.common.errors import UserError
from quant.lowering.float_network import FloatNetwork, FloatNode, channels_of
from quant.lowering.float_operators import (
    FloatAffine,
    FloatConcatenate,
    FloatConvolution,
    FloatInput,
    FloatLayer,
    FloatTransposedConvolution,
)
from quant.lowering.fold import fold
from quant.lowering.torch_constants import Converted, UnsupportedError
from quant.lowering.torch_operators import MODULES, convert_function, convert_module
from quant.lowering.torch_slices import CUTS, INDEXING, Parts, cut, indexed

IMAGE = "image"
"""Name of the input's node."""

_DEFAULT_PIXEL_RANGE = 255.0


def trace(
    network: nn.Module, name: str = "network", pixel_range: float | None = None
) -> FloatNetwork:
    """The network as data, folded until only what the integer graph has is left.

    Layers keep the paths of their modules (``body.0.body.2``); an addition is called after the
    module it happens in (``body.0.add``).

    Args:
        network: takes one float image, N x colours x H x W, and returns one.
        name: what the result calls itself.
        pixel_range: value of a white pixel at input and output; None: the network's
            ``config.pixel_range`` if it has one, else 255.

    Raises:
        UserError: the forward depends on its data, or does what integers cannot do here; every
            such operator is named.
    """
    if pixel_range is None:
        pixel_range = getattr(getattr(network, "config", None), "pixel_range", _DEFAULT_PIXEL_RANGE)
    try:
        wiring = _Tracer().trace(network)
    except Exception as error:  # whatever a user's forward raises when it meets a symbolic value
        raise UserError(
            f"network {type(network).__name__}: expected a forward of modules and operators on one "
            f"image, without branches on its values, found '{_first_line(error)}'; simplify it"
        ) from error
    reader = _Reader(network)
    for node in wiring.nodes:
        reader.read(node)
    if reader.problems:
        raise UserError(
            f"network {type(network).__name__}: expected operators that can be lowered to "
            f"integers, found {'; '.join(reader.problems)}; replace them"
        )
    _require_finite(reader.nodes)
    return fold(FloatNetwork(name, reader.network_nodes(pixel_range), reader.output, pixel_range))


_REFUSED = Parts(IMAGE, ())
"""Stands for the parts of a feature map that cannot be cut."""


class _Tracer(fx.Tracer):
    """Treats what the table knows as one piece, subclasses of it included."""

    def is_leaf_module(self, module: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(module, tuple(MODULES)) or super().is_leaf_module(
            module, module_qualified_name
        )


class _Reader:
    """Turns fx nodes into float nodes, one after the other, and collects what it cannot."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._values: dict[fx.Node, object] = {}  # feature maps by name, constants as they are
        self._names: set[str] = {IMAGE}
        self._channels: dict[str, int] = {}  # of feature maps that come from a convolution
        self._image_seen = False
        self.nodes: list[FloatNode] = []
        self.problems: list[str] = []
        self.output = IMAGE

    def read(self, node: fx.Node) -> None:
        """Read one fx node; its operands have been read before."""
        match node.op:
            case "placeholder":
                if self._image_seen:
                    self.problems.append(f"a second input '{node.name}'")
                self._image_seen = True
                self._values[node] = IMAGE
            case "get_attr":
                self._values[node] = _attribute(self._network, str(node.target))
            case "output":
                self._read_output(node)
            case "call_module":
                module = self._network.get_submodule(str(node.target))
                self._append(node, lambda: convert_module(module, self._operands(node)))
            case _ if node.target in CUTS:
                self._cut(node)
            case _:
                self._append(node, lambda: self._convert_function(node))

    def network_nodes(self, pixel_range: float) -> tuple[FloatNode, ...]:
        """All nodes, the image first."""
        channels = _image_channels(self.nodes)
        image = FloatInput(channels, pixel_range / 255, np.zeros(channels))
        return (FloatNode(IMAGE, image, ()), *self.nodes)

    def _append(self, node: fx.Node, convert: Callable[[], Converted]) -> None:
        name = self._name(node)
        try:
            converted, inputs = convert()
        except UnsupportedError as error:
            self.problems.append(f"{error} at '{name}'")
            converted, inputs = None, (IMAGE,)  # go on, to name every problem at once
        if converted is None:
            self._values[node] = inputs[0]
        else:
            self._names.add(name)
            self.nodes.append(FloatNode(name, converted, inputs))
            self._values[node] = name
            known = [self._channels[source] for source in inputs if source in self._channels]
            if len(known) == len(inputs) or isinstance(converted, FloatLayer):
                self._channels[name] = channels_of(converted, known)

    def _convert_function(self, node: fx.Node) -> Converted:
        operands = self._operands(node)
        if node.target is INDEXING and operands[0] is _REFUSED:
            return None, (IMAGE,)  # its problem is noted
        if node.target is INDEXING:
            channels = self._channels.get(str(operands[0]))
            part, source = indexed(operands[0], operands[1], channels)
            return part, (source,)
        return convert_function(node.target, operands, self._keywords(node))

    def _cut(self, node: fx.Node) -> None:
        operands = self._operands(node)
        source = operands[0] if operands else IMAGE
        try:
            if source not in self._channels:
                raise UnsupportedError("a part of the image's channels")
            channels = self._channels[str(source)]
            self._values[node] = cut(node.target, operands, self._keywords(node), channels)
        except UnsupportedError as error:
            self.problems.append(f"{error} at '{self._name(node)}'")
            self._values[node] = _REFUSED

    def _keywords(self, node: fx.Node) -> dict[str, object]:
        return {name: self._value(value) for name, value in node.kwargs.items()}

    def _operands(self, node: fx.Node) -> list[object]:
        return [self._value(value) for value in node.args]

    def _value(self, given: object) -> object:
        if isinstance(given, list | tuple):
            return [self._value(part) for part in given]
        return self._values[given] if isinstance(given, fx.Node) else given

    def _read_output(self, node: fx.Node) -> None:
        (result,) = node.args
        value = self._values.get(result) if isinstance(result, fx.Node) else None
        if isinstance(value, str):
            self.output = value
        else:
            self.problems.append("an output other than one feature map")

    def _name(self, node: fx.Node) -> str:
        """A module's own path, or what is done in which module; each once."""
        if node.op == "call_module":
            base = str(node.target)
        else:
            modules = [path for path, _ in node.meta.get("nn_module_stack", {}).values()]
            base = ".".join([*modules[-1:], getattr(node.target, "__name__", str(node.target))])
        name, count = base, 0
        while name in self._names:
            count += 1
            name = f"{base}_{count}"
        return name


def _attribute(network: nn.Module, path: str) -> Any:
    module, _, name = path.rpartition(".")
    value = getattr(network.get_submodule(module), name)
    return value.detach() if isinstance(value, Tensor) else value


def _image_channels(nodes: Iterable[FloatNode]) -> int:
    """Channels of the image, from the first operators that touch it or copies of it."""
    copies = {IMAGE: 1}  # feature maps that are the image, several times side by side
    for node in nodes:
        if not copies.keys() & set(node.inputs):
            continue
        count = sum(copies.get(source, 0) for source in node.inputs)
        match node.operator:
            case FloatConvolution(weight=weight, groups=groups):
                return int(weight.shape[3]) * groups // count
            case FloatTransposedConvolution(weight=weight):
                return int(weight.shape[3]) // count
            case FloatAffine(scale=scale, offset=offset) if max(scale.size, offset.size) > 1:
                return max(scale.size, offset.size) // count
            case FloatConcatenate():
                copies[node.name] = count
            case _:
                copies[node.name] = copies.get(node.inputs[0], 1)
    raise UserError("network: expected a convolution that reads the image, found none; add one")


_REALS = ("weight", "bias", "scale", "offset", "slope")


def _require_finite(nodes: Iterable[FloatNode]) -> None:
    for node in nodes:
        values = [getattr(node.operator, name, ()) for name in _REALS]
        if not all(np.isfinite(value).all() for value in values):
            raise UserError(
                f"network layer '{node.name}': expected finite weights, found infinite ones or "
                "not-a-number; train it again or give other weights"
            )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
