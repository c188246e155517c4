"""Energy of one image's own data: how much its operands switch, and what that costs.

A graph is computed layer by layer, and the operands of each convolution are looked at in the order
in which the array is fed. The counts of the account stay as they are; only the price of a
multiply-accumulate changes, by the toggle model of `accelerators.activity`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators import Accelerator, EnergyModel
from accelerators.activity import (
    HELD,
    HELD_TOGGLES,
    Operand,
    data_pj,
    require_covered,
    toggle_ratio,
)
from hwsim.adaptive import FRONT_END
from hwsim.arithmetic.activity import (
    Order,
    Switching,
    activation_switching,
    stored_bits,
    weight_switching,
)
from hwsim.arithmetic.geometry import Geometry, Padding
from hwsim.arithmetic.rearrangement import constant_border, replicate_border
from hwsim.cost import GroupCost
from hwsim.cost.account import PICOJOULES_PER_MICROJOULE
from hwsim.machine import KERNELS, execute_layerwise
from hwsim.schedule.expansion import expanded
from quant.common.codes import CodeKind
from quant.graph import Convolution, Graph, IntegerType, Node

Codes = NDArray[np.int32]
MAC = ("mac_array", "mac")
_ORDERS: dict[str, Order] = {"output": "output", "weight": "weight", "input": "input"}


@dataclass(frozen=True, slots=True)
class LayerSwitching:
    """How the operands of one convolution switch.

    Attributes:
        weight_bits: width of a weight.
        activation_bits: width of an activation.
        weights: of its weights.
        activations: of its activations.
    """

    weight_bits: int
    activation_bits: int
    weights: Switching
    activations: Switching

    def __add__(self, other: "LayerSwitching") -> "LayerSwitching":
        return LayerSwitching(
            self.weight_bits,
            self.activation_bits,
            self.weights + other.weights,
            self.activations + other.activations,
        )


@dataclass(frozen=True, slots=True)
class LayerActivity:
    """What one convolution costs on an image's own data.

    Attributes:
        name: of its group.
        switching: of its operands.
        ratio: toggles, of those of uniformly random operands.
        active_share: of the multiply-accumulates that are not gated.
        uniform_mac_uj: energy of its multiply-accumulates on uniformly random operands.
        data_mac_uj: the same on the image's.
    """

    name: str
    switching: LayerSwitching
    ratio: float
    active_share: float
    uniform_mac_uj: float
    data_mac_uj: float


def measure_switching(
    graph: Graph, accelerator: Accelerator, image: Codes
) -> dict[str, LayerSwitching]:
    """The switching of every convolution whose operands the array multiplies as they are stored.

    Left out are scaled convolutions and codes that are positions in a table: what they multiply is
    decoded first.

    Args:
        graph: what the image runs.
        accelerator: the machine; the datapath's order is that of its array.
        image: int32 [height, width, channels], codes of the input tensor.

    Raises:
        UserError: the toggle model does not cover the machine's datapath.
        AccumulatorOverflow: a sum left an accumulator whose overflow is ``error``.
    """
    array = accelerator.array
    require_covered(array.dataflow, accelerator.name)
    order = _ORDERS[HELD[array.dataflow]]
    graph = expanded(graph)
    types = {node.name: node.output.integer for node in graph.nodes}
    found: dict[str, LayerSwitching] = {}

    def observe(node: Node, operands: Sequence[NDArray[np.int32]], _: NDArray[np.int32]) -> None:
        convolution = node.operator
        if type(convolution) is not Convolution:
            return
        integer = types[node.inputs[0]]
        if CodeKind.TABLE in (integer.kind, convolution.weight_type.kind):
            return
        found[node.name] = LayerSwitching(
            convolution.weight_type.bits,
            integer.bits,
            _of_weights(convolution, order),
            _of_activations(convolution, integer, operands[0], order, array.zero_gating),
        )

    execute_layerwise(graph, image, KERNELS, observe=observe)
    return found


def merged(parts: Sequence[Mapping[str, LayerSwitching]]) -> dict[str, LayerSwitching]:
    """The switching of several pictures together, by convolution."""
    total: dict[str, LayerSwitching] = {}
    for part in parts:
        for name, switching in part.items():
            total[name] = total[name] + switching if name in total else switching
    return total


def layer_activity(
    group: GroupCost, switching: Mapping[str, LayerSwitching], energy: EnergyModel
) -> LayerActivity | None:
    """What a group's multiply-accumulates cost on measured data; None if nothing was measured.

    Nothing is of the front end of graphs that an image chooses among.

    Args:
        group: its cost, as charged.
        switching: of the convolutions of what ran.
        energy: the prices.
    """
    names = () if group.group.name.startswith(FRONT_END) else group.group.nodes
    measured = next((switching[name] for name in names if name in switching), None)
    charged = {
        action: count
        for action, count in group.charges.items()
        if (action.component, action.name) == MAC
    }
    if measured is None or not charged:
        return None
    array = energy.accelerator.array
    weight = _operand(measured.weight_bits, measured.weights)
    activation = _operand(measured.activation_bits, measured.activations)
    active_share = 1.0
    if array.zero_gating:
        active_share = activation.nonzero_rate
        activation = Operand(activation.bits, activation.hamming, 1 - 2.0**-activation.bits)
    ratio = toggle_ratio(array.dataflow, weight, activation)
    if HELD[array.dataflow] != "output" and not energy.knows_held_operands:
        ratio *= HELD_TOGGLES
    uniform_pj = data = 0.0
    for action, count in charged.items():
        parts = energy.mac_parts(action)
        uniform_pj += count * parts.total_pj
        data += count * data_pj(parts, ratio * active_share)
    return LayerActivity(
        group.group.name,
        measured,
        ratio,
        active_share,
        uniform_pj / PICOJOULES_PER_MICROJOULE,
        data / PICOJOULES_PER_MICROJOULE,
    )


def _operand(bits: int, switching: Switching) -> Operand:
    return Operand(bits, switching.hamming, switching.nonzero_rate)


def _of_weights(convolution: Convolution, order: Order) -> Switching:
    integer = convolution.weight_type
    stored = stored_bits(convolution.weight, integer.bits, is_odd=integer.kind == CodeKind.ODD)
    return weight_switching(stored, _zero(integer), order)


def _of_activations(
    convolution: Convolution, integer: IntegerType, ifm: Codes, order: Order, skip_zeros: bool
) -> Switching:
    given = convolution.padding
    padding = Padding(given.top, given.bottom, given.left, given.right)
    if convolution.border == "replicate":
        padded = replicate_border(ifm, padding)
    else:
        padded = constant_border(ifm, padding, convolution.pad_code)
    stored = stored_bits(padded, integer.bits, is_odd=integer.kind == CodeKind.ODD)
    geometry = Geometry(convolution.stride, convolution.dilation, convolution.groups)
    return activation_switching(
        stored, _zero(integer), convolution.kernel, geometry, order, skip_zeros=skip_zeros
    )


def _zero(integer: IntegerType) -> int:
    """The stored bits of the integer 0; odd integers have none."""
    return -1 if integer.kind == CodeKind.ODD else 0
