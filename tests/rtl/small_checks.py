"""What the small units give, compared with the reference, in the cycles of the cost model."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from accelerators.vector_unit import DIVIDE_STEPS, WORK, elementwise_cycles, work_cycles
from hwsim.arithmetic import reference
from hwsim.verify.rtl.outcome import Outcome
from hwsim.verify.rtl.words import Words
from tests.rtl.small_units import (
    CODES_BITS,
    LANES,
    NORMALIZER,
    RECODERS,
    REGISTERED,
    SMALL_UNITS,
    STATISTICS,
    TABLE,
    WORD_BITS,
    random_summaries,
    statistics_words,
    term_cases,
)
from tests.rtl.units import (
    RTL,
    Simulator,
    Unit,
    Wide,
    check_clean,
    integers,
    items,
    job_for,
    side_by_side,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the units run.

    Attributes:
        simulator: which one.
        folder: for the module that holds them.
        sources: folder of the modules.
    """

    simulator: Simulator
    folder: Path
    sources: Path = RTL

    def run(self, unit: Unit, words: Words, wanted: int, other: Words | None = None) -> Outcome:
        """What a unit gives for the items of its stream, and of its other one."""
        design = side_by_side(SMALL_UNITS, self.folder, REGISTERED, self.sources)
        streams = {unit.name: words}
        if other is not None:
            streams[f"{unit.name}_other"] = other
        outcome = self.simulator(design).run(job_for(design, streams, {unit.result.name: wanted}))
        check_clean(outcome, first=0 if other is None else 1)
        assert len(outcome.outputs[unit.result.name]) == wanted
        return outcome


def summaries(outcome: Outcome) -> Wide:
    """Found summaries as the reference has them, [summaries, 3 LANES + 1]."""
    words, ports = outcome.outputs[STATISTICS.result.name], STATISTICS.outputs
    parts = [integers(ports, words, name) for name in ("sums", "minima", "maxima")]
    counts = integers(ports, words, "counts", is_signed=False)
    assert (counts == counts[:, :1]).all()
    return np.concatenate([*parts, counts[:, :1]], axis=1)


def images(random: np.random.Generator, pixels: list[int]) -> list[Wide]:
    """Images of pixels of `LANES` channels whose codes lie in several ranges."""
    ranges = [(-128, 128), (0, 256), (5, 9), (-9, -5), (-(2**15), 2**15), (0, 2**16)]
    return [
        random.integers(*ranges[place % len(ranges)], (1, count, LANES))
        for place, count in enumerate(pixels)
    ]


def check_summaries(place: Place) -> None:
    """Of images of several sizes and ranges."""
    shown = images(np.random.default_rng(0), [1, 1, 2, 5, 7, 9, *[20] * 60])
    words = statistics_words(shown, [None] * len(shown))
    outcome = place.run(STATISTICS, words, len(shown))
    wanted = [reference.summary(image).reshape(-1) for image in shown]
    np.testing.assert_array_equal(summaries(outcome), wanted)
    ends = np.cumsum([image.size for image in shown])
    cycles = [work_cycles(WORK["summary"], LANES, 1, int(elements)) for elements in ends]
    assert outcome.cycles[STATISTICS.result.name].tolist() == cycles


def check_joined_summaries(place: Place) -> None:
    """Of tiles that go on where others ended."""
    random = np.random.default_rng(1)
    whole = images(random, [11] * 12)
    tiles = [image[:, 4:] for image in whole]
    earlier: list[Wide | None] = [reference.summary(image[:, :4]) for image in whole]
    outcome = place.run(STATISTICS, statistics_words(tiles, earlier), len(tiles))
    wanted = [reference.summary(image).reshape(-1) for image in whole]
    np.testing.assert_array_equal(summaries(outcome), wanted)


def check_long_sums(place: Place) -> None:
    """Of 2^23 pixels at the ends of 16-bit codes."""
    codes = np.array([-(2**15), 2**16 - 1, -1, 1])
    image = np.broadcast_to(codes, (1, 3, LANES))
    pixels = 2**23 - 3
    before = np.concatenate([codes * pixels, codes, codes, [pixels]])
    outcome = place.run(STATISTICS, statistics_words([image], [before]), 1)
    wanted = [*(codes * 2**23), *codes, *codes, 2**23]
    assert summaries(outcome)[0].tolist() == wanted


def check_idle_lanes(place: Place) -> None:
    """Of a group that does not fill all lanes."""
    # Ten values of one channel, four a cycle: each lane has a summary of its own to join.
    values = np.random.default_rng(2).integers(-50, -10, 10)
    padded = np.concatenate([values, [99, -99]]).reshape(-1, LANES)
    columns = {
        **dict.fromkeys(STATISTICS.inputs, np.zeros(3, np.int64)),
        "begins": np.array([1, 0, 0]),
        "ends": np.array([0, 0, 1]),
        "has_element": np.arange(12).reshape(-1, LANES) < 10,
        "elements": padded,
    }
    words = items(STATISTICS.inputs, columns)
    outcome = place.run(STATISTICS, words, 1)
    found = {
        name: integers(STATISTICS.outputs, outcome.outputs[STATISTICS.result.name], name)[0]
        for name in STATISTICS.outputs
    }
    assert found["counts"].tolist() == [3, 3, 2, 2]
    assert found["sums"].sum() == values.sum()
    assert (found["minima"].min(), found["maxima"].max()) == (values.min(), values.max())
    assert outcome.last_cycle == work_cycles(WORK["summary"], LANES, 1, 10)


def check_normalizations(place: Place, channels: int) -> None:
    """Of random channels."""
    given = random_summaries(np.random.default_rng(3), channels)
    outcome = place.run(NORMALIZER, given.words, channels)
    words = outcome.outputs[NORMALIZER.result.name]
    found = [integers(NORMALIZER.outputs, words, name)[:, 0] for name in NORMALIZER.outputs]
    np.testing.assert_array_equal(np.stack(found, axis=1), given.wanted)
    cycles = [elementwise_cycles(1, 3 * (channel + 1), DIVIDE_STEPS) for channel in range(channels)]
    assert outcome.cycles[NORMALIZER.result.name].tolist() == cycles


NORMALIZATION_PAGE = [
    (10, 4, 0, 5, 2, 3, 43691),
    (14, 4, 0, 5, 4, 4, 65536),
    (-10, 4, -5, 0, -2, 3, 43691),
    (12, 4, 3, 3, 3, 0, 0),
    (7, 2, 3, 4, 4, 1, 65536),
    (65535, 65535, 0, 65535, 1, 65534, 32769),
    (-(2**38), 2**23, -(2**15), -(2**15), -(2**15), 0, 0),
]


def check_normalization_page(place: Place) -> None:
    """The table of the operator's page, and the least sum."""
    total, pixels, minimum, maximum, *wanted = np.array(NORMALIZATION_PAGE).T
    columns = {"is_centred": np.ones_like(total), "sum": total, "minimum": minimum}
    columns |= {"maximum": maximum, "pixels": pixels}
    words = items(NORMALIZER.inputs, columns)
    outcome = place.run(NORMALIZER, words, len(total))
    found = outcome.outputs[NORMALIZER.result.name]
    for name, column in zip(NORMALIZER.outputs, wanted, strict=True):
        assert integers(NORMALIZER.outputs, found, name)[:, 0].tolist() == column.tolist()


def check_terms(place: Place, bits: int) -> None:
    """Of every weight of a few bits, or of some."""
    unit = RECODERS[bits]
    words, wanted = term_cases(bits, np.random.default_rng(4))
    outcome = place.run(unit, words, len(wanted))
    found = {
        name: integers(unit.outputs, outcome.outputs[unit.result.name], name, is_signed=False)[:, 0]
        for name in unit.outputs
    }
    signed = np.where(found["negative"] == 1, -1, 1) * (found["exponent"] + 1)
    np.testing.assert_array_equal(np.where(found["present"] == 1, signed, 0), wanted)
    behind = found["present"] == 0
    assert not found["negative"][behind].any()
    assert not found["exponent"][behind].any()


def check_table(place: Place) -> None:
    """Words are read within the cycle."""
    random = np.random.default_rng(5)
    count = 1 << CODES_BITS
    table = random.integers(0, 1 << WORD_BITS, count)
    # A word can be read in the cycle after that in which it is written.
    read = np.concatenate([[0], np.arange(count - 1), random.integers(0, count, 1000)])
    assert TABLE.others is not None
    written = items(TABLE.others[1], {"write_code": np.arange(count), "write_word": table})
    words = items(TABLE.inputs, {"code": read})
    outcome = place.run(TABLE, words, len(read), written)
    found = integers(TABLE.outputs, outcome.outputs[TABLE.result.name], "word", is_signed=False)
    np.testing.assert_array_equal(found[1:, 0], table[read[1:]])
    np.testing.assert_array_equal(outcome.cycles[TABLE.result.name], np.arange(len(read)) + 1)
