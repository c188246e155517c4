"""A folded float network with its constants as parameters and quantizers at chosen places."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from quant.graph.types import Padding
from quant.lowering.execution import constants_of, result_of
from quant.lowering.float_network import FloatNetwork, FloatNode
from quant.lowering.float_operators import (
    FloatConvolution,
    FloatLayer,
    FloatOperator,
    FloatPRelu,
    Reals,
)

Quantizer = Callable[[Tensor], Tensor]
"""From real numbers to real numbers that have codes; an ``nn.Module`` where it has parameters."""

_TRAINED = FloatLayer | FloatPRelu


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where a network's tensors are quantized while it is trained; elsewhere they stay real.

    Attributes:
        inputs: of layers by name.
        weights: of layers by name.
        biases: of layers by name.
        outputs: of any node by name; every reader gets the quantized map.
        operands: of additions by name; both operands.
        pads_first: whether a layer's input is padded with zeros first and then quantized, so that
            taps outside the image are codes like the others.
    """

    inputs: Mapping[str, Quantizer] = field(default_factory=dict)
    weights: Mapping[str, Quantizer] = field(default_factory=dict)
    biases: Mapping[str, Quantizer] = field(default_factory=dict)
    outputs: Mapping[str, Quantizer] = field(default_factory=dict)
    operands: Mapping[str, Quantizer] = field(default_factory=dict)
    pads_first: bool = False

    def quantizers(self) -> tuple[Quantizer, ...]:
        """All of them, each once."""
        places = (self.inputs, self.weights, self.outputs, self.operands)
        return tuple(dict.fromkeys(quantizer for place in places for quantizer in place.values()))


class TrainableNetwork(nn.Module):
    """Runs a folded network on batches; weights, biases and slopes are its own parameters.

    Parameters are named ``constants.N.I``: of node N in the network's order, the I-th constant.
    The quantizers are the method's; they are no part of this module's state.

    Args:
        network: a folded network.
        places: where tensors are quantized.
        bfloat16: whether layers multiply bfloat16; all else stays float32.
    """

    def __init__(self, network: FloatNetwork, places: Places, *, bfloat16: bool = False) -> None:
        super().__init__()
        self.narrow = bfloat16
        self.network = network
        self.places = places
        self.constants = nn.ModuleList(_parameters(node.operator) for node in network.nodes)

    def forward(
        self,
        image: Tensor,
        *,
        quantized: bool = True,
        on_map: Callable[[str, Tensor], None] | None = None,
    ) -> Tensor:
        """The enlarged pictures of a batch.

        Args:
            image: float32, batch x colours x height x width, pixels 0…255.
            quantized: False computes the float network.
            on_map: called with the name and the values of every feature map, as they are made.

        Returns:
            batch x colours x height x width, a white pixel being ``network.pixel_range``.
        """
        places = self.places if quantized else Places()
        maps: dict[str, Tensor] = {}
        last_read = {source: node.name for node in self.network.nodes for source in node.inputs}
        for node, parameters in self._constants_of_nodes():
            operands = [maps[source] for source in node.inputs] or [image]
            maps[node.name] = _quantized_result(node, operands, parameters, places, self.narrow)
            if on_map is not None:
                on_map(node.name, maps[node.name])
            for source in dict.fromkeys(node.inputs):
                if last_read[source] == node.name:
                    del maps[source]
        return maps[self.network.output]

    def _constants_of_nodes(self) -> Iterator[tuple[FloatNode, list[nn.Parameter]]]:
        for node, parameters in zip(self.network.nodes, self.constants, strict=True):
            yield node, list(parameters.parameters())

    def layer_weights(self) -> dict[str, nn.Parameter]:
        """The weights of each layer by its name, out_channels x in_channels x height x width."""
        return {
            node.name: parameters[0]
            for node, parameters in self._constants_of_nodes()
            if isinstance(node.operator, FloatLayer)
        }

    def layer_constants(self) -> list[nn.Parameter]:
        """The weights and biases of all layers."""
        return [
            parameter
            for node, parameters in self._constants_of_nodes()
            if isinstance(node.operator, FloatLayer)
            for parameter in parameters
        ]

    def trained_network(self) -> FloatNetwork:
        """The float network with the constants as they are now."""
        changed = [
            replace(node, operator=_with_constants(node.operator, parameters))
            for node, parameters in self._constants_of_nodes()
            if isinstance(node.operator, _TRAINED)
        ]
        return self.network.rewritten(changed)


def _quantized_result(
    node: FloatNode,
    operands: list[Tensor],
    parameters: Sequence[nn.Parameter],
    places: Places,
    bfloat16: bool,
) -> Tensor:
    operator = node.operator
    constants: tuple[Tensor, ...] = tuple(parameters)
    if node.name in places.inputs:
        if places.pads_first and isinstance(operator, FloatConvolution):
            operands = [_padded(operands[0], operator.padding)]
            operator = replace(operator, padding=Padding())
        operands = [places.inputs[node.name](operands[0])]
    if node.name in places.weights:
        constants = (places.weights[node.name](constants[0]), *constants[1:])
    if node.name in places.biases:
        constants = (constants[0], places.biases[node.name](constants[1]))
    if node.name in places.operands:
        operands = [places.operands[node.name](operand) for operand in operands]
    if isinstance(operator, FloatLayer) and bfloat16:
        narrow = [value.bfloat16() for value in (*operands, *constants)]
        result = result_of(operator, narrow[:1], tuple(narrow[1:])).to(operands[0].dtype)
    else:
        result = result_of(operator, operands, constants)
    return places.outputs[node.name](result) if node.name in places.outputs else result


def _padded(values: Tensor, padding: Padding) -> Tensor:
    return functional.pad(values, (padding.left, padding.right, padding.top, padding.bottom))


def _parameters(operator: FloatOperator) -> nn.ParameterList:
    trained = isinstance(operator, _TRAINED)
    constants = constants_of(operator, torch.float32)
    return nn.ParameterList(nn.Parameter(value, requires_grad=trained) for value in constants)


def _with_constants(operator: FloatOperator, constants: Sequence[nn.Parameter]) -> FloatOperator:
    arrays: list[Reals] = [value.detach().cpu().double().numpy() for value in constants]
    if isinstance(operator, FloatPRelu):
        return replace(operator, slope=arrays[0].reshape(-1))
    assert isinstance(operator, FloatLayer)
    weight = np.ascontiguousarray(np.moveaxis(arrays[0], 1, 3))
    return replace(operator, weight=weight, bias=arrays[1])
