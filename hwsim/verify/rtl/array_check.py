"""Products on the Verilog of an array, compared with the codes and the cycles there should be."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accelerators.datapaths.kinds import datapath_of
from accelerators.schema import Array, Sram
from hwsim.verify.rtl.array_design import code_places, codes_of, codes_stream
from hwsim.verify.rtl.array_jobs import array_job
from hwsim.verify.rtl.outcome import Outcome, Simulation
from hwsim.verify.stepped import Product

Wide = NDArray[np.int64]

_ANY_SRAM = Sram(size_kib=1, word_bits=8, banks=1)
"""Cycles of a product without groups do not depend on it."""


@dataclass(frozen=True, slots=True, eq=False)
class ArrayCase:
    """A product, and what should come of it.

    Attributes:
        product: operands and scales.
        codes: [pixels, output channels].
    """

    product: Product
    codes: Wide


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What an array did otherwise.

    Attributes:
        case: number of the product.
        place: pixel and channel of the first code that differs; None where something else does.
        sentence: all of it in words.
    """

    case: int
    place: tuple[int, int] | None
    sentence: str


@dataclass(frozen=True, slots=True)
class ArrayComparison:
    """What products on an array came to.

    Attributes:
        cases: products.
        values: codes compared.
        cycles: compared, of all products together.
        mismatches: one of each product that differs in anything.
    """

    cases: int
    values: int
    cycles: int
    mismatches: tuple[Mismatch, ...]


def compare_array(
    array: Array,
    simulation: Simulation,
    cases: Sequence[ArrayCase],
    stall_seed: int | None = None,
) -> ArrayComparison:
    """Run products on an array's Verilog.

    Args:
        array: what the simulation is of.
        simulation: of `array_design`'s design.
        cases: products and their codes.
        stall_seed: not None withholds operands at random; cycles are not compared then.
    """
    jobs = [
        array_job(array, case.product, None if stall_seed is None else stall_seed + number)
        for number, case in enumerate(cases)
    ]
    outcomes = simulation.run_many(jobs)
    wanted = [datapath_of(array).cycles(case.product.work, _ANY_SRAM) for case in cases]
    found = [
        _mismatch(array, number, case, outcome, None if stall_seed is not None else cycles)
        for number, (case, outcome, cycles) in enumerate(zip(cases, outcomes, wanted, strict=True))
    ]
    return ArrayComparison(
        len(cases),
        sum(case.codes.size for case in cases),
        0 if stall_seed is not None else sum(wanted),
        tuple(mismatch for mismatch in found if mismatch is not None),
    )


def _mismatch(
    array: Array, number: int, case: ArrayCase, outcome: Outcome, cycles: int | None
) -> Mismatch | None:
    if outcome.unknown:
        unknown = outcome.unknown[0]
        return Mismatch(number, None, f"{unknown.port} is unknown in cycle {unknown.cycle}")
    counts = {len(outcome.outputs[name]) for name in codes_stream(array).lane_names}
    expected = code_places(array, case.product.work).shape[1]
    if counts != {expected}:
        told = f"{min(counts)} to {max(counts)} codes a column, expected {expected}"
        return Mismatch(number, None, told)
    made = codes_of(array, case.product.work, outcome)
    if (made != case.codes).any():
        pixel, channel = (int(axis[0]) for axis in np.nonzero(made != case.codes))
        told = (
            f"pixel {pixel}, channel {channel}: {made[pixel, channel]}, expected "
            f"{case.codes[pixel, channel]}"
        )
        return Mismatch(number, (pixel, channel), told)
    if cycles is not None and outcome.last_cycle != cycles:
        return Mismatch(number, None, f"{outcome.last_cycle} cycles, expected {cycles}")
    return None
