"""Post-training quantization from observed ranges: ``minmax`` and ``percentile``.

Both use per-channel symmetric weights and per-tensor asymmetric activations with an exact zero;
they differ in which part of an observed range the codes cover, and so does `quant.methods.omse`.
``docs/methods/minmax.md`` has the formulas, the sources and measurements.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from quant.common.errors import UserError
from quant.common.requantization_modes import DEFAULT_MODE, mode_named
from quant.lowering import (
    FINE,
    Encodings,
    FloatNetwork,
    MapEncoding,
    ScaleGrid,
    Statistics,
    TensorStatistics,
    WeightEncoding,
    image_encoding,
    scale_grid,
    signed_encoding,
    smallest_weight_scales,
    stream_names,
    symmetric_weights,
    unsigned_encoding,
)
from quant.lowering.float_operators import FloatInput, FloatLayer, Reals
from quant.lowering.storage import Store, storages
from quant.methods.calibration import Calibration
from quant.methods.quantized_network import QuantizedNetwork
from quant.policy import BitPolicy

Range = Callable[[TensorStatistics, int], tuple[float, float]]
"""The part of a feature map's values that codes of so many bits shall cover."""
Reach = Callable[[Reals, int], Reals]
"""The largest magnitude [out_channels] that weights of so many bits shall cover."""


@dataclass(frozen=True, slots=True)
class MinMax:
    """Codes cover everything that was observed."""

    def quantize(
        self,
        network: FloatNetwork,
        policy: BitPolicy,
        calibration: Calibration,
        rounding: str = DEFAULT_MODE,
    ) -> QuantizedNetwork:
        """See `QuantizationMethod.quantize`."""
        source = Source(policy, str(self), calibration.description, rounding)
        return ranged_network(network, source, calibration.ranges, whole_range)

    def __str__(self) -> str:
        return "minmax"


@dataclass(frozen=True, slots=True)
class Percentile:
    """Codes cover what lies between the percentiles 100 − ``percent`` and ``percent``.

    Feature maps that take part in additions keep their whole range, and so do weights.

    Raises:
        UserError: ``percent`` is not above 50 and at most 100.
    """

    percent: float = 99.99

    def __post_init__(self) -> None:
        if not 50 < self.percent <= 100:
            raise UserError(
                f"method percentile: expected a percentage above 50 and at most 100, "
                f"given {self.percent:g}; choose one such as 99.99"
            )

    def quantize(
        self,
        network: FloatNetwork,
        policy: BitPolicy,
        calibration: Calibration,
        rounding: str = DEFAULT_MODE,
    ) -> QuantizedNetwork:
        """See `QuantizationMethod.quantize`."""
        source = Source(policy, str(self), calibration.description, rounding)
        return ranged_network(network, source, calibration.histograms, self._inner_range)

    def _inner_range(self, statistics: TensorStatistics, _bits: int) -> tuple[float, float]:
        low, high = (statistics.percentile(p) for p in (100 - self.percent, self.percent))
        return low, high

    def __str__(self) -> str:
        return f"percentile:{self.percent:g}"


def whole_range(statistics: TensorStatistics, _bits: int) -> tuple[float, float]:
    """Everything that was observed."""
    return statistics.low, statistics.high


def whole_reach(weight: Reals, _bits: int) -> Reals:
    """The largest weight of each output channel."""
    reach: Reals = np.abs(weight).max(axis=(1, 2, 3))
    return reach


@dataclass(frozen=True, slots=True)
class Source:
    """What a graph is made with, besides the network and its statistics."""

    policy: BitPolicy
    method: str
    calibration: str
    rounding: str

    def metadata(self, network: FloatNetwork) -> dict[str, str]:
        """The same as text that goes along with a graph."""
        return {
            "network": network.name,
            "method": self.method,
            "policy": self.policy.to_yaml(),
            "bits": str(self.policy),
            "calibration": self.calibration,
        }


def ranged_network(
    network: FloatNetwork,
    source: Source,
    statistics: Statistics,
    covered: Range,
    reached: Reach = whole_reach,
) -> QuantizedNetwork:
    """A network whose encodings follow from ranges.

    Args:
        network: a folded float network.
        source: what the graph is made with, as it will tell.
        statistics: of every feature map.
        covered: which part of a range the codes of a layer's input cover.
        reached: how large the weights are that a layer's weights cover.
    """
    grid = scale_grid(network, mode_named(source.rounding).name)
    encodings = range_encodings(network, source.policy, statistics, covered, grid, reached)
    return QuantizedNetwork(network, encodings, source.rounding, source.metadata(network))


def range_encodings(
    network: FloatNetwork,
    policy: BitPolicy,
    statistics: Statistics,
    covered: Range,
    grid: ScaleGrid = FINE,
    reached: Reach = whole_reach,
) -> Encodings:
    """Encodings of a whole network from observed ranges.

    Args:
        network: a folded float network.
        policy: bits of each layer.
        statistics: of every feature map.
        covered: which part of a range the codes of a layer's input cover.
        grid: the scales there are.
        reached: how large the weights are that a layer's weights cover.

    Raises:
        UserError: the policy names layers the network has not.
    """
    bits = policy.resolve(network.layer_names())
    stores = storages(network)
    image = network.nodes[0].operator
    assert isinstance(image, FloatInput)
    inputs: dict[str, MapEncoding] = {}
    weights: dict[str, WeightEncoding] = {}
    for node in network.nodes:
        if isinstance(node.operator, FloatLayer):
            (operand,) = node.inputs
            activation_bits = bits[node.name].activation_bits
            if stores[operand].store is Store.IMAGE:
                source = image_encoding(image, activation_bits, grid)
            else:
                low, high = covered(statistics[operand], activation_bits)
                source = unsigned_encoding(low, high, activation_bits, grid)
            inputs[node.name] = source
            weight, weight_bits = node.operator.weight, bits[node.name].weight_bits
            weights[node.name] = symmetric_weights(
                weight,
                weight_bits,
                smallest_weight_scales(node.operator, source),
                None if grid is FINE else replace(grid, unit=grid.unit / source.scale),
                reached(weight, weight_bits),
            )
    streams = {
        name: signed_encoding(
            max(-statistics[name].low, statistics[name].high), policy.residual_bits, grid
        )
        for name in stream_names(network)
    }
    return Encodings(inputs, weights, streams)
