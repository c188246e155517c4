"""What one image of a size costs on a machine: each graph by itself, then over images."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from accelerators import EnergyModel
from hwsim.adaptive import front_end
from hwsim.compare.alternatives import Alternatives
from hwsim.compare.overheads import BIT_SELECTION, ClassCost, by_class
from hwsim.cost import ProgramCost
from hwsim.estimation import Estimator
from hwsim.simulation import estimate
from quant.graph import Graph, Size
from quant.graph.bits import (
    LayerOperations,
    feature_average_bits,
    layer_operations,
    weight_average_bits,
)

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class GraphCost:
    """What one graph costs for one image.

    Attributes:
        cycles: from first to last command.
        energy_uj: of all components, in microjoules.
        dram_bytes: read and written over the bus.
        sram_peak_bytes: the most that any group's buffers occupy.
        feature_average_bits: see `quant.graph.bits`; 0 for a graph without convolutions.
        counted_feature_average_bits: the same over the convolutions that papers count for the
            method; None where it does not say which.
        weight_average_bits: likewise.
        layers: its convolutions, with their operations.
        classes: energy, cycles and bytes by class (`hwsim.compare.overheads`).
    """

    cycles: int
    energy_uj: float
    dram_bytes: int
    sram_peak_bytes: int
    feature_average_bits: float
    counted_feature_average_bits: float | None
    weight_average_bits: float
    layers: tuple[LayerOperations, ...]
    classes: Mapping[str, ClassCost]

    @property
    def bit_operations(self) -> int:
        """Sum over the layers of multiplications times both widths."""
        return sum(layer.bit_operations for layer in self.layers)

    @classmethod
    def of(
        cls,
        graph: Graph,
        size: Size,
        cost: ProgramCost,
        energy: EnergyModel,
        counted: frozenset[str] | None = None,
    ) -> "GraphCost":
        """What a priced graph costs.

        Args:
            graph: the graph.
            size: height and width of the image.
            cost: of the program it was scheduled to.
            energy: the prices of that.
            counted: the convolutions that papers count.
        """
        layers = layer_operations(graph, size)
        return cls(
            cost.cycles,
            cost.energy_uj,
            cost.dram_read_bytes + cost.dram_write_bytes,
            cost.sram_peak_bytes,
            feature_average_bits(graph) if graph.convolutions() else 0.0,
            None if counted is None else feature_average_bits(graph, counted),
            weight_average_bits(graph) if graph.convolutions() else 0.0,
            layers,
            by_class(cost, energy),
        )

    def to_record(self) -> Record:
        """Plain JSON values, which `from_record` reads back."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Record) -> "GraphCost":
        """What `to_record` gave."""
        parts = {
            "layers": tuple(LayerOperations(**layer) for layer in record["layers"]),
            "classes": {name: ClassCost(**part) for name, part in record["classes"].items()},
        }
        return cls(**{**record, **parts})


RECORDED = ",".join(GraphCost.__dataclass_fields__)
"""The keys of a record: others are of another version of this program."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over images.

    Attributes:
        mean: over all images.
        p5: the smallest figure that one image in twenty does not exceed.
        p95: the smallest figure that nineteen images in twenty do not exceed.
    """

    mean: float
    p5: float
    p95: float

    @classmethod
    def of(cls, figures: Sequence[float], weights: Sequence[float]) -> "Spread":
        """The spread of figures of which each stands for a weight of images."""
        total = sum(weights)
        pairs = sorted(zip(figures, weights, strict=True))
        met = {figure for figure, weight in pairs if weight > 0}
        mean = sum(figure * weight for figure, weight in pairs) / total
        if len(met) == 1:
            (mean,) = met  # the quotient may be off in its last bit

        def percentile(share: float) -> float:
            reached = 0.0
            for figure, weight in pairs:
                reached += weight
                if weight > 0 and reached >= share * total * (1 - 1e-9):
                    return figure
            return pairs[-1][0]

        return cls(mean, percentile(0.05), percentile(0.95))

    @property
    def varies(self) -> bool:
        """Whether it depends on the image."""
        return not self.p5 == self.mean == self.p95


@dataclass(frozen=True, slots=True)
class ImageCosts:
    """What images cost that run a selector, if there is one, and one of several variants.

    Attributes:
        variants: the cost of each variant.
        selector: the cost of the selector, and of reading what it decides by.
        weights: how many images run each variant, or which part of them.
    """

    variants: tuple[GraphCost, ...]
    selector: GraphCost | None
    weights: tuple[float, ...] = field(default=(1.0,))

    def spread(self, figure: Callable[[GraphCost], float], *, selected: bool = True) -> Spread:
        """A figure over images.

        Args:
            figure: of a graph.
            selected: whether the selector's is added to each variant's.
        """
        added = figure(self.selector) if selected and self.selector is not None else 0
        return Spread.of([figure(cost) + added for cost in self.variants], self.weights)

    @property
    def sram_peak_bytes(self) -> int:
        """The most that any graph's buffers occupy."""
        graphs = [cost for cost in (*self.variants, self.selector) if cost is not None]
        return max(cost.sram_peak_bytes for cost in graphs)

    def classes(self) -> dict[str, ClassCost]:
        """The mean over images, by class, the dearest first; a selector is a class of its own."""
        total = sum(self.weights)
        names = dict.fromkeys(name for cost in self.variants for name in cost.classes)
        mean = {name: self._mean(name, total) for name in names}
        if self.selector is not None:
            cost = self.selector
            mean[BIT_SELECTION] = ClassCost(cost.energy_uj, cost.cycles, cost.dram_bytes)
        return dict(sorted(mean.items(), key=lambda part: -part[1].energy_uj))

    def _mean(self, name: str, total: float) -> ClassCost:
        parts = [cost.classes.get(name, ClassCost()) for cost in self.variants]
        shares = [weight / total for weight in self.weights]
        pairs = list(zip(parts, shares, strict=True))
        return ClassCost(
            sum(part.energy_uj * share for part, share in pairs),
            round(sum(part.cycles * share for part, share in pairs)),
            round(sum(part.dram_bytes * share for part, share in pairs)),
        )

    def to_record(self) -> Record:
        """Plain JSON values, which `from_record` reads back."""
        selector = None if self.selector is None else self.selector.to_record()
        return {
            "variants": [cost.to_record() for cost in self.variants],
            "selector": selector,
            "weights": list(self.weights),
        }

    @classmethod
    def from_record(cls, record: Record) -> "ImageCosts":
        """What `to_record` gave."""
        selector = record["selector"]
        return cls(
            tuple(map(GraphCost.from_record, record["variants"])),
            None if selector is None else GraphCost.from_record(selector),
            tuple(record["weights"]),
        )


def image_costs(alternatives: Alternatives, size: Size, estimator: Estimator) -> ImageCosts:
    """Price every graph; the weights are the shares the method expects.

    Raises:
        ScheduleError: a graph does not fit the machine.
        UserError: the energy table lacks an action.
    """

    def cost_of(graph: Graph, counted: frozenset[str] | None = None) -> GraphCost:
        return GraphCost.of(graph, size, estimator.cost(graph, size), estimator.energy, counted)

    def cost_of_choice(selector: Graph) -> GraphCost:
        energy = estimator.energy
        alone = estimate(selector, energy.accelerator, energy, size)
        return GraphCost.of(selector, size, front_end(alone, energy.accelerator, energy), energy)

    selector = alternatives.selector
    return ImageCosts(
        tuple(cost_of(graph, alternatives.counted) for graph in alternatives.variants),
        None if selector is None else cost_of_choice(selector),
        alternatives.shares,
    )
