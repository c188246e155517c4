"""What a comparison found: one row for each network, method, policy and machine."""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hwsim.compare.bit_exactness import BitExactness, Fidelity
from hwsim.compare.costs import GraphCost, ImageCosts, Spread
from hwsim.compare.pictures import mean_quality
from hwsim.compare.request import Combination
from quant.graph import Size
from quant.imaging.evaluation import Quality

Json = dict[str, Any]
QualityRecords = dict[str, list[Json]]
"""By what enlarged (`MEANS`), the record of every picture, in order."""

MEANS = ("bicubic", "float", "fake_quantized", "integer")
"""What enlarges: fake-quantized where a method offers it."""

FIGURES: Mapping[str, Callable[[GraphCost], float]] = {
    "bit_operations": lambda cost: cost.bit_operations,
    "macs": lambda cost: sum(layer.macs for layer in cost.layers),
    "cycles": lambda cost: cost.cycles,
    "energy_uj": lambda cost: cost.energy_uj,
    "dram_bytes": lambda cost: cost.dram_bytes,
}
"""Figures of an image that a selector adds to; each has a spread over images."""

_BYTES_PER_KIB = 1024


@dataclass(frozen=True, slots=True)
class Cell:
    """One row: a combination on a machine.

    Attributes:
        combination: network, method, policy.
        scale: what the network enlarges by.
        weights: where the weights come from.
        accelerator: name of the machine.
        energy_table: name of its prices.
        clock_mhz: of the machine.
        costs: of one image; None where the row cannot be done.
        quality: of every picture; None without pictures or trained weights.
        bit_exact: how the machine's integers compare; None where it was not asked for.
        fidelity: how its codes compare with real numbers; None where it was not asked for.
        error: why the row cannot be done; None where it can.
        launch_overhead_us: of the machine, once for each image.
    """

    combination: Combination
    scale: int
    weights: str
    accelerator: str
    energy_table: str
    clock_mhz: float
    costs: ImageCosts | None = None
    quality: QualityRecords | None = None
    bit_exact: BitExactness | None = None
    fidelity: Fidelity | None = None
    error: str | None = None
    launch_overhead_us: float = 0.0

    def spread(self, figure: str) -> Spread | None:
        """One of `FIGURES` over images."""
        return None if self.costs is None else self.costs.spread(FIGURES[figure])

    @property
    def latency_ms(self) -> Spread | None:
        """Time for one image, over images."""
        if self.costs is None:
            return None
        launch_ms = self.launch_overhead_us / 1e3
        return self.costs.spread(lambda cost: cost.cycles / (self.clock_mhz * 1e3) + launch_ms)

    @property
    def feature_average_bits(self) -> Spread | None:
        """Mean width of the convolutions' inputs, a selector's left out, over images."""
        if self.costs is None:
            return None
        return self.costs.spread(lambda cost: cost.feature_average_bits, selected=False)

    @property
    def counted_feature_average_bits(self) -> Spread | None:
        """The same over the convolutions that papers count, where the method says which."""
        costs = self.costs
        if costs is None or costs.variants[0].counted_feature_average_bits is None:
            return None
        return costs.spread(lambda cost: cost.counted_feature_average_bits or 0.0, selected=False)

    @property
    def weight_average_bits(self) -> float | None:
        """Mean width of a weight."""
        return None if self.costs is None else self.costs.variants[0].weight_average_bits

    @property
    def sram_peak_kib(self) -> float | None:
        """The most SRAM that any layer's buffers occupy."""
        return None if self.costs is None else self.costs.sram_peak_bytes / _BYTES_PER_KIB


@dataclass(frozen=True, slots=True)
class CompareResult:
    """The table.

    Attributes:
        size: height and width of the input image that costs are counted for.
        cells: the rows.
        data_set_of_picture: for every picture, in order, the data set it belongs to.
    """

    size: Size
    cells: tuple[Cell, ...]
    data_set_of_picture: tuple[str, ...]

    @property
    def data_sets(self) -> tuple[str, ...]:
        """Names of the data sets, in order."""
        return tuple(dict.fromkeys(self.data_set_of_picture))

    def quality(self, cell: Cell, data_set: str, means: str) -> Quality | None:
        """The mean over a data set's pictures; None where it was not judged."""
        if cell.quality is None or means not in cell.quality:
            return None
        pairs = zip(cell.quality[means], self.data_set_of_picture, strict=True)
        return mean_quality([record for record, name in pairs if name == data_set])

    def to_json(self) -> Json:
        """The table as plain JSON values; units in the keys, null for what does not apply."""
        return {
            "input_size": [self.size.height, self.size.width],
            "data_sets": [
                {"name": name, "pictures": self.data_set_of_picture.count(name)}
                for name in self.data_sets
            ],
            "rows": [self._row(cell) for cell in self.cells],
        }

    def _row(self, cell: Cell) -> Json:
        output = [side * cell.scale for side in (self.size.height, self.size.width)]
        return {
            **asdict(cell.combination),
            "weights": cell.weights,
            "accelerator": cell.accelerator,
            "energy_table": cell.energy_table,
            "output_size": output,
            "quality": [self._quality(cell, name) for name in self.data_sets],
            "feature_average_bits": _spread(cell.feature_average_bits),
            "counted_feature_average_bits": _spread(cell.counted_feature_average_bits),
            "weight_average_bits": cell.weight_average_bits,
            **{figure: _spread(cell.spread(figure)) for figure in FIGURES},
            "latency_ms": _spread(cell.latency_ms),
            "sram_peak_kib": cell.sram_peak_kib,
            "classes": _classes(cell.costs),
            "variants": _variants(cell.costs),
            "selector": _selector(cell.costs),
            "bit_exact": None if cell.bit_exact is None else asdict(cell.bit_exact),
            "fidelity": None if cell.fidelity is None else asdict(cell.fidelity),
            "error": cell.error,
        }

    def _quality(self, cell: Cell, data_set: str) -> Json:
        qualities = {means: self.quality(cell, data_set, means) for means in MEANS}
        return {
            "data_set": data_set,
            "psnr_db": {name: q and finite(q.psnr_db) for name, q in qualities.items()},
            "ssim": {name: q and q.ssim for name, q in qualities.items()},
        }


def finite(figure: float) -> float | None:
    """The figure; None for infinity, which JSON does not have."""
    return figure if math.isfinite(figure) else None


def _spread(spread: Spread | None) -> Json | None:
    return None if spread is None else asdict(spread)


def _classes(costs: ImageCosts | None) -> list[Json] | None:
    if costs is None:
        return None
    return [{"class": name, **asdict(part)} for name, part in costs.classes().items()]


def _variants(costs: ImageCosts | None) -> list[Json] | None:
    if costs is None:
        return None
    total = sum(costs.weights)
    return [
        {"share": weight / total, **_graph(cost)}
        for cost, weight in zip(costs.variants, costs.weights, strict=True)
    ]


def _selector(costs: ImageCosts | None) -> Json | None:
    return None if costs is None or costs.selector is None else _graph(costs.selector)


def _graph(cost: GraphCost) -> Json:
    """One graph's figures, with the list that its bit operations are the sum of."""
    return {
        "feature_average_bits": cost.feature_average_bits,
        **{figure: value(cost) for figure, value in FIGURES.items()},
        "layers": [
            {**asdict(layer), "bit_operations": layer.bit_operations} for layer in cost.layers
        ],
    }
