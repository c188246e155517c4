"""Tiles run through a design, compared: every code, and the cycles."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hwsim.verify.checks import Check, Place, Tally
from hwsim.verify.explanation import requantization_line
from hwsim.verify.rtl.comparison import Difference, Expected, compare
from hwsim.verify.rtl.outcome import Job, Outcome
from hwsim.verify.rtl.protocol import CodeLane, PortProtocol
from hwsim.verify.rtl.tiles import Tile
from quant.common.requantization import Requantization


@dataclass(frozen=True, slots=True, eq=False)
class TileCase:
    """A tile as a job for a design.

    Attributes:
        tile: the tile.
        job: its streams and settings.
        lanes: which of its codes the outputs should give.
        expected: these codes, by lane.
        cycles: in which the last one should be seen; None where that is not compared.
    """

    tile: Tile
    job: Job
    lanes: Mapping[str, CodeLane]
    expected: Mapping[str, Expected]
    cycles: int | None


def tile_cases(protocol: PortProtocol, tiles: Sequence[Tile]) -> tuple[list[TileCase], list[str]]:
    """Tiles as jobs, and of each that cannot pass the ports why."""
    cases, misfits = [], []
    for tile in tiles:
        misfit = protocol.misfit(tile)
        if misfit is not None:
            misfits.append(f"{tile.node}: {misfit}")
            continue
        lanes = protocol.lanes(tile)
        expected = {name: _expected(tile, lane) for name, lane in lanes.items()}
        cases.append(TileCase(tile, protocol.job(tile), lanes, expected, protocol.cycles(tile)))
    return cases, misfits


def _expected(tile: Tile, lane: CodeLane) -> Expected:
    counts = lane.places >= 0
    codes = np.where(counts, tile.codes.reshape(-1)[lane.places], 0)
    return Expected(codes, lane.bits, lane.is_signed, counts=counts)


def check_tiles(
    subject: str, oracle: str, cases: Sequence[TileCase], outcomes: Sequence[Outcome]
) -> list[Check]:
    """Compare what a design did with tiles: the codes of each layer, and all cycles.

    Args:
        subject: the design.
        oracle: whose codes they are.
        cases: the tiles.
        outcomes: what became of each.
    """
    tallies: dict[str, Tally] = {}
    cycles = Tally(subject, oracle, "cycles")
    for number, (case, outcome) in enumerate(zip(cases, outcomes, strict=True)):
        tile, work = case.tile, case.tile.product.work
        mode = f"{tile.node}, {work.weight_bits} × {work.activation_bits} bits"
        tally = tallies.setdefault(mode, Tally(subject, oracle, mode))
        taken = {name: len(items) for name, items in case.job.streams.items()}
        compared = compare(outcome, case.expected, taken=taken)
        place = _place(number, case, compared.first) if compared.first is not None else None
        tally.add(tile.codes.size, compared.mismatches, place)
        if case.cycles is not None:
            _compare_cycles(cycles, number, case, outcome)
    checks = [tally.close() for tally in tallies.values()]
    return [*checks, cycles.close()] if cycles.cases else checks


def _compare_cycles(tally: Tally, number: int, case: TileCase, outcome: Outcome) -> None:
    found = "none" if outcome.last_cycle is None else f"{outcome.last_cycle:,}"
    where = f"tile {number}, {case.tile.place(0, 0)}, last code"
    sentence = f"{where}: found in cycle {found}, expected in {case.cycles:,}"
    tally.add(1, int(outcome.last_cycle != case.cycles), Place(sentence))


def _place(number: int, case: TileCase, first: Difference) -> Place:
    """Where a difference lies in the layer, with the operands of the code."""
    lane = case.lanes.get(first.stream)
    if lane is None or first.index is None or first.index >= len(lane.places):
        return Place(f"tile {number}, {case.tile.node}: {first.sentence}")
    in_item = lane.places[first.index]
    in_item = in_item if first.element is None else in_item[[first.element]]
    in_item = in_item[in_item >= 0]
    if not len(in_item):
        return Place(f"tile {number}, {case.tile.node}: {first.sentence}")
    pixel, channel = divmod(int(in_item[0]), case.tile.codes.shape[1])
    where = f"tile {number}, {case.tile.place(pixel, channel)}"
    return Place(f"{where}: {first.sentence}", tuple(_operands(case.tile, pixel, channel)))


def _operands(tile: Tile, pixel: int, channel: int) -> Iterator[str]:
    """How a code comes about: a line for each tap with its products, bias, sum, requantization."""
    product = tile.product
    bias, *others = product.scales[channel].tolist()
    activations = product.activations[pixel].reshape(product.taps, -1)
    weights = product.weights[:, channel].reshape(product.taps, -1)
    total = bias
    yield f"bias {bias}"
    for tap, operands in enumerate(zip(activations.tolist(), weights.tolist(), strict=True)):
        pairs = list(zip(*operands, strict=True))
        part = sum(code * weight for code, weight in pairs)
        total += part
        yield f"tap {tap}: {part} = {' + '.join(f'{code}·{weight}' for code, weight in pairs)}"
    yield f"sum {total}"
    multiplier, shift, zero_point, low, high = others
    scale = np.array([multiplier]), np.array([shift])
    yield requantization_line(Requantization(*scale, zero_point, low, high, tile.rounding), 0)
