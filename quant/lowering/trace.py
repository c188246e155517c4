"""From a torch module to a float network: ``torch.fx`` walks, tables say what things mean."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, fx, nn

from quant.common.errors import UnsupportedError, UserError
from quant.lowering.float_network import FloatNetwork
from quant.lowering.fold import fold
from quant.lowering.network_builder import IMAGE, Converted, NetworkBuilder
from quant.lowering.torch_operators import MODULES, convert_function, convert_module
from quant.lowering.torch_slices import CUTS, INDEXING, Parts, cut, indexed

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
    what = f"network {type(network).__name__}"
    return fold(reader.builder.network(what, name, reader.output, pixel_range))


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
        self._image_seen = False
        self.builder = NetworkBuilder()
        self.output = IMAGE

    def read(self, node: fx.Node) -> None:
        """Read one fx node; its operands have been read before."""
        match node.op:
            case "placeholder":
                if self._image_seen:
                    self.builder.problems.append(f"a second input '{node.name}'")
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

    def _append(self, node: fx.Node, convert: Callable[[], Converted]) -> None:
        self._values[node] = self.builder.append(_base_name(node), convert)

    def _convert_function(self, node: fx.Node) -> Converted:
        operands = self._operands(node)
        if node.target is INDEXING and operands[0] is _REFUSED:
            return None, (IMAGE,)  # its problem is noted
        if node.target is INDEXING:
            channels = self.builder.channels.get(str(operands[0]))
            part, source = indexed(operands[0], operands[1], channels)
            return part, (source,)
        return convert_function(node.target, operands, self._keywords(node))

    def _cut(self, node: fx.Node) -> None:
        operands = self._operands(node)
        source = operands[0] if operands else IMAGE
        try:
            if source not in self.builder.channels:
                raise UnsupportedError("a part of the image's channels")
            channels = self.builder.channels[str(source)]
            self._values[node] = cut(node.target, operands, self._keywords(node), channels)
        except UnsupportedError as error:
            name = self.builder.unique(_base_name(node))
            self.builder.problems.append(f"{error} at '{name}'")
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
            self.builder.problems.append("an output other than one feature map")


def _base_name(node: fx.Node) -> str:
    """A module's own path, or what is done in which module."""
    if node.op == "call_module":
        return str(node.target)
    modules = [path for path, _ in node.meta.get("nn_module_stack", {}).values()]
    return ".".join([*modules[-1:], getattr(node.target, "__name__", str(node.target))])


def _attribute(network: nn.Module, path: str) -> Any:
    module, _, name = path.rpartition(".")
    value = getattr(network.get_submodule(module), name)
    return value.detach() if isinstance(value, Tensor) else value


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
