"""Results of images that ran, whole or in patches, and of images that choose among graphs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from accelerators import EnergyModel
from hwsim.adaptive import FRONT_END, AdaptiveEstimate, constants_in_memory
from hwsim.cost import ProgramCost
from hwsim.image_run import ImageRun, Part, merged_overflows
from hwsim.report.adaptive import Adaptive, Patch, Variant
from hwsim.report.overflows import counted_overflows
from hwsim.report.result import BYTES_PER_KIB, Result, costed
from quant.graph import Graph, Size
from quant.graph.adaptive import OFFSETS, AdaptiveGraph
from quant.graph.bits import counted_layers, feature_average_bits

ItemT = TypeVar("ItemT")


def result_from_run(graph: Graph | AdaptiveGraph, run: ImageRun, energy: EnergyModel) -> Result:
    """A run's costs and overflows, and what its parts chose; pixels are judged elsewhere.

    Args:
        graph: what ran.
        run: one image.
        energy: the prices it was charged at.
    """
    (rows, columns), (height, width) = run.parts[-1].place, run.output.shape[:2]
    sizes = Size(rows.stop, columns.stop), Size(height, width)
    cost = run.cost
    result = replace(
        costed(_described(graph, run.parts[0].graph), sizes, cost, energy),
        feature_average_bits=_mean(run.parts, lambda part: feature_average_bits(part.graph)),
        overflows=counted_overflows(merged_overflows(run.overflows)),
    )
    if isinstance(graph, Graph):
        return result
    counted = counted_layers(graph.metadata)
    patches = tuple(_patch(part, counted) for part in run.parts)
    average = _mean(patches, lambda patch: patch.counted_feature_average_bits)
    return replace(result, adaptive=_adaptive(graph, cost, average, patches, None))


def result_from_adaptive_estimate(
    adaptive: AdaptiveGraph, estimated: AdaptiveEstimate, image: Size, energy: EnergyModel
) -> Result:
    """What is expected of images of a size that choose as those calibrated on did.

    Args:
        adaptive: what was scheduled.
        estimated: its cost.
        image: the size.
        energy: the prices it was charged at.
    """
    cost = estimated.expected(adaptive)
    graph, shares = adaptive.variants[1], [float(share) for share in adaptive.shares()]
    size = Size(image.height * int(adaptive.scale()), image.width * int(adaptive.scale()))
    counted = counted_layers(adaptive.metadata)
    weighted = list(zip(adaptive.variants, shares, strict=True))
    average = sum(share * feature_average_bits(part, counted) for part, share in weighted)
    return replace(
        costed(_described(adaptive, graph), (image, size), cost, energy),
        feature_average_bits=sum(share * feature_average_bits(part) for part, share in weighted),
        adaptive=_adaptive(adaptive, cost, average, None, estimated),
    )


def _described(graph: Graph | AdaptiveGraph, ran: Graph) -> Graph:
    """A graph that ran, under the name and with the metadata of all it was chosen from."""
    if isinstance(graph, Graph):
        return ran
    return replace(ran, name=graph.name, metadata=graph.metadata)


def _adaptive(
    adaptive: AdaptiveGraph,
    cost: ProgramCost,
    average_bits: float,
    patches: tuple[Patch, ...] | None,
    estimated: AdaptiveEstimate | None,
) -> Adaptive:
    front_end = [group for group in cost.groups if group.group.name.startswith(FRONT_END)]
    return Adaptive(
        counted_feature_average_bits=average_bits,
        thresholds=(adaptive.threshold(adaptive.lower), adaptive.threshold(adaptive.upper)),
        front_end_cycles=sum(group.cycles for group in front_end),
        front_end_energy_uj=sum(group.energy_uj for group in front_end),
        weight_bytes=constants_in_memory(adaptive.variants[1])[0],
        patches=patches,
        variants=tuple(
            _variant(adaptive, place, None if estimated is None else estimated.cost(place))
            for place in range(len(adaptive.variants))
        ),
    )


def _variant(adaptive: AdaptiveGraph, place: int, cost: ProgramCost | None) -> Variant:
    graph = adaptive.variants[place]
    return Variant(
        image_bits=OFFSETS[place],
        share=float(adaptive.shares()[place]),
        feature_average_bits=feature_average_bits(graph),
        counted_feature_average_bits=feature_average_bits(graph, counted_layers(adaptive.metadata)),
        requantization_bytes=constants_in_memory(graph)[1],
        cycles=None if cost is None else cost.cycles,
        energy_uj=None if cost is None else cost.energy_uj,
        dram_read_bytes=None if cost is None else cost.dram_read_bytes,
        dram_write_bytes=None if cost is None else cost.dram_write_bytes,
        sram_peak_kib=None if cost is None else cost.sram_peak_bytes / BYTES_PER_KIB,
    )


def _patch(part: Part, counted: frozenset[str] | None) -> Patch:
    assert part.selection is not None
    rows, columns = part.place
    return Patch(
        row=rows.start,
        column=columns.start,
        size=(rows.stop - rows.start, columns.stop - columns.start),
        complexity=part.selection.complexity,
        image_bits=part.selection.offset,
        feature_average_bits=feature_average_bits(part.graph),
        counted_feature_average_bits=feature_average_bits(part.graph, counted),
        cycles=part.cost.cycles,
        energy_uj=part.cost.energy_uj,
    )


def _mean(items: Sequence[ItemT], value: Callable[[ItemT], float]) -> float:
    return sum(value(item) for item in items) / len(items)
