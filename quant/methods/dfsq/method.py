"""The method ``dfsq``: encodings of a whole network, its body's inputs chosen at run time."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from quant.common.codes import CodeKind
from quant.common.errors import UserError
from quant.common.requantization_modes import DEFAULT_MODE, mode_named
from quant.common.run_time_scaling import MOST_ENCODED_BITS, PLACEMENTS
from quant.graph import IntegerType
from quant.lowering import (
    Encodings,
    FloatNetwork,
    MapEncoding,
    ScaleGrid,
    Statistics,
    scale_grid,
    signed_encoding,
)
from quant.lowering.float_operators import FloatConvolution
from quant.lowering.run_time_points import PointEncoding
from quant.lowering.storage import Store, storages
from quant.methods.body_layers import body_layers
from quant.methods.calibration import Calibration
from quant.methods.dfsq.histograms import Histograms, normalized_histograms, patches_of
from quant.methods.dfsq.subsets import SELECTIONS, padded
from quant.methods.dfsq.weights import asymmetric_weights, smallest_scales
from quant.methods.options import choice, count, parse_options
from quant.methods.quantized_network import QuantizedNetwork
from quant.methods.ranges import Source, range_encodings, whole_range
from quant.policy import BitPolicy
from quant.policy.bits import LayerBits

WIDE_BITS = 16
"""Of feature maps that are normalized at run time: they are real numbers in the method."""
HEADROOM = 2.0
"""Ranges of such maps are so many times those observed, so that their extremes are not clipped."""
OTHER_LAYERS = LayerBits(8, 8)
"""What layers outside the body have at least; in the method they are real."""


@dataclass(frozen=True, slots=True)
class Dfsq:
    """DFSQ (arXiv 2305.05888).

    Attributes:
        placement: what a machine multiplies by a channel's reach.
        selection: a name in `quant.methods.dfsq.subsets.SELECTIONS`.
        seed: of calibration patches, and of the selection ``kmeans``.
    """

    placement: str = PLACEMENTS[0]
    selection: str = "exact"
    seed: int = 0

    @classmethod
    def parse(cls, text: str) -> "Dfsq":
        """The method of its option's text: ``placement=…``, ``selection=…``, ``seed=…``.

        Raises:
            UserError: an option is not known or has no such value.
        """
        readers = {
            "placement": choice(*PLACEMENTS),
            "selection": choice(*SELECTIONS),
            "seed": count,
        }
        return cls(**parse_options("dfsq", text, readers))

    def quantize(
        self,
        network: FloatNetwork,
        policy: BitPolicy,
        calibration: Calibration,
        rounding: str = DEFAULT_MODE,
    ) -> QuantizedNetwork:
        """See `QuantizationMethod.quantize`.

        Raises:
            UserError: beside what every method raises, a layer of the body has codes of too many
                bits, or a requantization mode has no multipliers.
        """
        body = _scalable(network)
        bits = policy.resolve(network.layer_names())
        _require_narrow({name: bits[name] for name in body})
        grid = scale_grid(network, mode_named(rounding).name)
        wider = _with_wide_others(policy, bits, body)
        statistics = calibration.ranges
        base = range_encodings(network, wider, statistics, whole_range, grid)
        wide = _wide_encodings(network, body, statistics, grid)
        centred = {name: not _is_rectified(network, name) for name in body}
        patches = patches_of(calibration.images, self.seed)
        histograms = normalized_histograms(network, centred, patches)
        by_name = network.by_name()
        weights = dict(base.weights)
        for name in body:
            layer = by_name[name].operator
            assert isinstance(layer, FloatConvolution)
            bound = smallest_scales(layer, wide.inputs[name])
            weights[name] = asymmetric_weights(layer.weight, bits[name].weight_bits, bound)
        encodings = Encodings(
            {**base.inputs, **wide.inputs},
            weights,
            {**base.streams, **wide.streams},
            points=self._points(histograms, bits, centred),
        )
        source = Source(policy, str(self), calibration.description, rounding)
        return QuantizedNetwork(network, encodings, rounding, source.metadata(network))

    def _points(
        self, histograms: Histograms, bits: Mapping[str, LayerBits], centred: Mapping[str, bool]
    ) -> dict[str, PointEncoding]:
        """The subsets of every channel of every layer of the body."""
        random, select = np.random.default_rng(self.seed), SELECTIONS[self.selection]
        found = {}
        for name, of_layer in histograms.items():
            width = bits[name].activation_bits
            tables = [padded(select(channel, width, random), width) for channel in of_layer]
            found[name] = PointEncoding(np.array(tables), centred[name], self.placement)
        return found

    def __str__(self) -> str:
        plain = Dfsq()
        options = [
            f"{name}={getattr(self, name)}"
            for name in ("placement", "selection", "seed")
            if getattr(self, name) != getattr(plain, name)
        ]
        return ":".join(["dfsq", *([",".join(options)] if options else [])])


def _require_narrow(bits: Mapping[str, LayerBits]) -> None:
    for name, given in bits.items():
        if given.activation_bits > MOST_ENCODED_BITS or given.weight_bits > MOST_ENCODED_BITS:
            raise UserError(
                f"method dfsq, layer '{name}': expected at most {MOST_ENCODED_BITS} bits, as its "
                f"set has 377 points, given {given}; give the layer fewer"
            )


def _scalable(network: FloatNetwork) -> tuple[str, ...]:
    """The convolutions of the body whose channels can be scaled at run time, in order."""
    by_name = network.by_name()
    return tuple(
        name
        for name in body_layers(network)
        if isinstance(operator := by_name[name].operator, FloatConvolution) and operator.groups == 1
    )


def _with_wide_others(
    policy: BitPolicy, bits: Mapping[str, LayerBits], body: tuple[str, ...]
) -> BitPolicy:
    """The policy with streams of 16 bits and every layer outside the body at 8 bits at least."""
    policy = replace(policy, residual_bits=WIDE_BITS)
    for name, given in bits.items():
        if name not in body:
            policy = policy.with_layer(name, given.at_least(OTHER_LAYERS))
    return policy


def _is_rectified(network: FloatNetwork, name: str) -> bool:
    """Whether a layer alone reads the result of a convolution and its ReLU."""
    by_name = network.by_name()
    (source,) = by_name[name].inputs
    producer = by_name[source].operator
    is_alone = len(network.readers()[source]) == 1
    return is_alone and isinstance(producer, FloatConvolution) and producer.clamp[0] == 0


def _wide_encodings(
    network: FloatNetwork, body: tuple[str, ...], statistics: Statistics, grid: ScaleGrid
) -> Encodings:
    """What the body's inputs are stored in before they are normalized, and all streams."""
    stores, by_name = storages(network), network.by_name()

    def signed(name: str) -> MapEncoding:
        seen = statistics[name]
        return signed_encoding(HEADROOM * max(-seen.low, seen.high), WIDE_BITS, grid)

    names = {storage.name for storage in stores.values() if storage.store is Store.STREAM}
    streams = {name: signed(name) for name in names}
    inputs = {}
    for name in body:
        (source,) = by_name[name].inputs
        storage = stores[source]
        if storage.store is Store.STREAM:
            inputs[name] = streams[storage.name]
        elif _is_rectified(network, name):
            integer = IntegerType(WIDE_BITS, CodeKind.UNSIGNED)
            scale = grid.at_least(HEADROOM * statistics[source].high / integer.high)
            inputs[name] = MapEncoding(integer, scale, np.zeros(1))
        else:
            inputs[name] = signed(source)
    return Encodings(inputs, {}, streams)
