"""Operations run on vector units: the reference's integers in the cost model's cycles."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from accelerators.vector_unit import PIPELINE_STAGES, WORK, VectorWork, work_cycles
from tests.rtl import vector_units as vectors
from tests.rtl.units import RTL, Simulator, Unit, check_clean, job_for, side_by_side
from tests.rtl.vector_operations import OPERATIONS, Operation
from tests.rtl.vector_units import LANES, vector_unit

Variant = tuple[str, int]
UNITS = {
    (mode, first): vector_unit(mode, first)
    for mode, first in (("half_up", 0), ("tflite_double", 0), ("half_even", 1))
}
"""By mode, and whether the zero point comes first."""


def run_operations(
    simulator: Simulator,
    folder: Path,
    given: Sequence[tuple[Unit, Operation]],
    built: Iterable[Unit] = UNITS.values(),
    sources: Path = RTL,
) -> list[int]:
    """The cycles that operations on units took; asserts that all integers are as wanted.

    Args:
        simulator: which one.
        folder: for the module that holds the units.
        given: operations, and on which unit.
        built: the units of the design.
        sources: folder of the modules.
    """
    design = side_by_side(list(built), folder, sources=sources)
    jobs = []
    for unit, (elements, _) in given:
        streams = {unit.name: elements.words, f"{unit.name}_other": elements.table_words}
        jobs.append(job_for(design, streams, {unit.result.name: elements.lead + elements.groups}))
    outcomes = simulator(design).run_many(jobs)
    cycles = []
    for (unit, (elements, wanted)), outcome in zip(given, outcomes, strict=True):
        name = unit.result.name
        check_clean(outcome)
        np.testing.assert_array_equal(elements.results(outcome, name), wanted)
        cycles.append(int(outcome.cycles[name][-1]) - elements.lead)
    return cycles


def check_operations(
    simulator: Simulator,
    folder: Path,
    pixels: Sequence[int],
    variants: Sequence[Variant] = tuple(UNITS),
    sources: Path = RTL,
) -> None:
    """Assert that integers are the reference's and cycles those of the cost model.

    Args:
        simulator: which one.
        folder: for the module that holds the units.
        pixels: of each operation.
        variants: the units.
        sources: folder of the modules.
    """
    random = np.random.default_rng(1)
    named = [
        (name, variant, operation(random, *variant, count))
        for variant in variants
        for name, operation in OPERATIONS.items()
        if name != "add_rounded" or variant[0] == "tflite_double"
        for count in pixels
    ]
    given = [(UNITS[variant], operation) for _, variant, operation in named]
    built = [UNITS[variant] for variant in variants]
    found = run_operations(simulator, folder, given, built, sources)
    for (name, variant, (elements, wanted)), cycles in zip(named, found, strict=True):
        assert cycles == _model_cycles(name, elements.count), (name, variant, elements.count)
        assert elements.count < 500 or len(np.unique(wanted)) > 60, (name, variant)


def _model_cycles(name: str, elements: int) -> int:
    if name == "add_rounded":  # which the model takes for one pass
        work = VectorWork(passes=2)
    else:
        work = WORK[name.removesuffix("_equal_scales")]
    cycles = work_cycles(work, LANES, vectors.TABLES, elements)
    # Of fewer groups than stages, a second pass waits for the first.
    groups = -(-elements // LANES)
    return cycles + max(PIPELINE_STAGES - groups, 0) * (work.passes - 1)
