"""A picture on the machine: whole or in patches, with a graph of fixed bits or one that it chooses.

Patches are what the machine runs one after the other, each an image of its own with its own bits;
their costs add up and their pictures stand side by side.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from accelerators import Accelerator, EnergyModel
from hwsim.adaptive import AdaptiveRunner, chosen_graph, explain_adaptive, run_overflows
from hwsim.arithmetic.overflows import Overflows
from hwsim.cost import ProgramCost
from hwsim.cost.combination import in_sequence
from hwsim.cost.explanation import Explanation, explain, explained_in_sequence
from hwsim.machine import Arithmetic, LayerOverflows
from hwsim.schedule import Program
from hwsim.simulation import Comparison, Estimate, Progress, compare, estimate, run_estimated
from quant.graph import Graph, Size
from quant.graph.adaptive import AdaptiveGraph, Selection
from quant.imaging.evaluation import Place, patches, scaled

Codes = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A patch of an image, or all of it.

    Attributes:
        place: rows and columns of the image.
        graph: what ran.
        selection: why that one; None where there was no choice.
        selector: program of the front end; None where there was no choice.
        program: the graph's.
        cost: of this part.
        overflows: of each convolution that declares an accumulator.
    """

    place: Place
    graph: Graph
    selection: Selection | None
    selector: Program | None
    program: Program
    cost: ProgramCost
    overflows: tuple[LayerOverflows, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ImageRun:
    """An image on the machine.

    Attributes:
        parts: one for each patch, row by row.
        output: int32 [height, width, channels], codes of the picture.
    """

    parts: tuple[Part, ...]
    output: Codes

    @property
    def cost(self) -> ProgramCost:
        """Of all parts, one after the other; groups of one name are one."""
        if len(self.parts) == 1:
            return self.parts[0].cost
        return in_sequence([part.cost for part in self.parts])

    @property
    def overflows(self) -> tuple[LayerOverflows, ...]:
        """Of each part, one after the other."""
        return tuple(layer for part in self.parts for layer in part.overflows)


def run_image(
    graph: Graph | AdaptiveGraph,
    accelerator: Accelerator,
    energy: EnergyModel,
    image: Codes,
    patch: int | None = None,
    progress: Progress | None = None,
) -> ImageRun:
    """Run an image bit for bit and price it.

    Args:
        graph: from pictures to pictures.
        accelerator: the machine.
        energy: the priced actions of that machine.
        image: int32 [height, width, channels], codes of the input tensor.
        patch: side of the patches, cut as `quant.imaging.evaluation.by_patches` does; None runs
            the image whole.
        progress: called with commands done and all, or with patches done and all.

    Raises:
        AccumulatorOverflow: a sum left an accumulator whose overflow is ``error``.
        ScheduleError: a graph does not fit the accelerator.
        UserError: the energy model lacks an action.
    """
    run = _runner(graph, accelerator, energy)
    places, scale = _places(image, patch), int(graph.scale())
    parts, outputs = [], []
    for place in places:
        inside = progress if len(places) == 1 else None
        part, output = run(np.ascontiguousarray(image[place]), inside)
        parts.append(replace(part, place=place))
        outputs.append(output)
        if progress is not None and inside is None:
            progress(len(parts), len(places))
    return ImageRun(tuple(parts), _stitched(outputs, places, scale))


def compare_image(
    run: ImageRun,
    graph: Graph | AdaptiveGraph,
    image: Codes,
    arithmetic: Arithmetic,
    progress: Progress | None = None,
) -> Comparison:
    """Compare a run with the same computed layer by layer, its choices among graphs included.

    Args:
        run: of the machine.
        graph: what it ran.
        image: int32, the input codes it ran on.
        arithmetic: what computes the reference.
        progress: called with nodes done and nodes in all, or with patches done and all.
    """
    scale, comparisons = int(graph.scale()), []
    for part in run.parts:
        codes = np.ascontiguousarray(image[part.place])
        output = run.output[scaled(part.place, scale)]
        inside = progress if len(run.parts) == 1 else None
        found = compare(output, chosen_graph(graph, codes, arithmetic), codes, arithmetic, inside)
        if isinstance(graph, AdaptiveGraph):
            front_end = run_overflows(graph, codes, arithmetic)
            found = replace(found, overflows=(*front_end, *found.overflows))
        comparisons.append(_moved(found, part.place, scale))
        if progress is not None and inside is None:
            progress(len(comparisons), len(run.parts))
    return _together(comparisons)


def explain_run(run: ImageRun, accelerator: Accelerator) -> Explanation:
    """What bounds each layer of a run; programs of several parts are looked at once.

    Args:
        run: of the machine.
        accelerator: the machine.
    """
    known: dict[int, Explanation] = {}
    for part in run.parts:
        if id(part.program) not in known:
            known[id(part.program)] = _explained(part, accelerator)
    explanations = [known[id(part.program)] for part in run.parts]
    return explanations[0] if len(explanations) == 1 else explained_in_sequence(explanations)


def _explained(part: Part, accelerator: Accelerator) -> Explanation:
    if part.selector is None:
        return explain(part.program, accelerator)
    return explain_adaptive(part.selector, part.program, accelerator)


def merged_overflows(overflows: Sequence[LayerOverflows]) -> tuple[LayerOverflows, ...]:
    """Overflows of parts by operator; a place is that in the part where it was found first."""
    named: dict[str, list[LayerOverflows]] = {}
    for layer in overflows:
        named.setdefault(layer.operator, []).append(layer)
    return tuple(
        replace(
            layers[0],
            outputs=sum(layer.outputs for layer in layers),
            overflows=Overflows.merged(layer.overflows for layer in layers),
        )
        for layers in named.values()
    )


_Run = Callable[[Codes, Progress | None], tuple[Part, Codes]]
_WHOLE: Place = (slice(None), slice(None))


def _runner(graph: Graph | AdaptiveGraph, accelerator: Accelerator, energy: EnergyModel) -> _Run:
    if isinstance(graph, AdaptiveGraph):
        return _adaptive_runner(graph, accelerator, energy)
    scheduled: dict[Size, Estimate] = {}

    def run(image: Codes, progress: Progress | None) -> tuple[Part, Codes]:
        size = Size(image.shape[0], image.shape[1])
        if size not in scheduled:
            scheduled[size] = estimate(graph, accelerator, energy, size)
        found = run_estimated(scheduled[size], accelerator, image, progress)
        part = Part(_WHOLE, graph, None, None, found.program, found.cost, found.overflows)
        return part, found.output.astype(np.int32)

    return run


def _adaptive_runner(
    adaptive: AdaptiveGraph, accelerator: Accelerator, energy: EnergyModel
) -> _Run:
    runner = AdaptiveRunner(adaptive, accelerator, energy)

    def run(image: Codes, progress: Progress | None) -> tuple[Part, Codes]:
        found = runner.simulate(image, progress)
        graph = adaptive.variants[found.selection.variant]
        part = Part(
            _WHOLE, graph, found.selection, found.selector, found.program, found.cost,
            found.overflows,
        )  # fmt: skip
        return part, found.output.astype(np.int32)

    return run


def _places(image: Codes, patch: int | None) -> list[Place]:
    height, width = image.shape[:2]
    if patch is None:
        return [(slice(0, height), slice(0, width))]
    return list(patches(height, width, patch))


def _stitched(outputs: Sequence[Codes], places: Sequence[Place], scale: int) -> Codes:
    if len(outputs) == 1:
        return outputs[0]
    rows, columns = places[-1]
    whole = np.empty((rows.stop * scale, columns.stop * scale, outputs[0].shape[2]), np.int32)
    for output, place in zip(outputs, places, strict=True):
        whole[scaled(place, scale)] = output
    return whole


def _moved(found: Comparison, place: Place, scale: int) -> Comparison:
    """A comparison of a part, its first difference where it is in the whole."""
    if found.first is None:
        return found
    row, column, channel = found.first
    rows, columns = place
    return replace(found, first=(rows.start * scale + row, columns.start * scale + column, channel))


def _together(comparisons: Sequence[Comparison]) -> Comparison:
    different = [found for found in comparisons if found.mismatches]
    return replace(
        (different or comparisons)[0],
        values=sum(found.values for found in comparisons),
        mismatches=sum(found.mismatches for found in comparisons),
        overflows=tuple(layer for found in comparisons for layer in found.overflows),
    )
