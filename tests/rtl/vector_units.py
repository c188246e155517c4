"""The vector unit's groups, pass by pass, for elements that stream through."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from hwsim.verify.rtl.outcome import Outcome
from hwsim.verify.rtl.words import Words
from tests.rtl.units import Unit, Wide, integers, items

SCALE, ADD, ADD_EXACT, MULTIPLY, SLOPE, LOOK_UP = range(6)
LANES, TABLES, ELEMENT_BITS, TABLE_BITS = 4, 2, 32, 9
LEAST, GREATEST = -(2 ** (ELEMENT_BITS - 1)), 2 ** (ELEMENT_BITS - 1) - 1
PIPELINE = 4
"""Groups of a block: so many are on their way when the first one's next pass can enter."""

_ELEMENTS = (LANES, ELEMENT_BITS)
INPUTS = {
    "kind": (1, 3),
    "keep": (1, 1),
    "again": (1, 1),
    "left_shift": (1, 5),
    "first": _ELEMENTS,
    "second": _ELEMENTS,
    "first_offset": _ELEMENTS,
    "second_offset": _ELEMENTS,
    "first_multiplier": (LANES, 32),
    "second_multiplier": (LANES, 32),
    "first_shift": (LANES, 6),
    "second_shift": (LANES, 6),
    "bias": (1, 64),
    "zero_point": (1, ELEMENT_BITS),
    "low": (1, ELEMENT_BITS),
    "high": (1, ELEMENT_BITS),
}
OUTPUTS = {"result": _ELEMENTS}
TABLE = {"table_code": (1, TABLE_BITS), "table_word": (1, ELEMENT_BITS)}
_UNSET = {
    **dict.fromkeys(INPUTS, 0),
    "first_multiplier": 1,
    "second_multiplier": 1,
    "low": LEAST,
    "high": GREATEST,
}
_OF_ELEMENTS = tuple(name for name, (elements, _) in INPUTS.items() if elements == LANES)


def vector_unit(mode: str, zero_point_first: int = 0) -> Unit:
    """A small vector unit."""
    return Unit(
        f"vector_{mode}_{zero_point_first}",
        "vector_unit",
        "group_valid",
        INPUTS,
        "result_valid",
        OUTPUTS,
        ready="group_ready",
        parameters={
            "LANES": LANES,
            "TABLES": TABLES,
            "ELEMENT_BITS": ELEMENT_BITS,
            "TABLE_BITS": TABLE_BITS,
            "ROUNDING": mode,
            "ZERO_POINT_FIRST": zero_point_first,
        },
        others=("table_valid", TABLE),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Elements:
    """An operation on a run of elements.

    Attributes:
        passes: of each, what its groups are given: one integer, or one for each element.
        count: of elements.
        group: elements of a group, at most `LANES`.
        table: what is written before anything else.
    """

    passes: tuple[Mapping[str, int | Wide], ...]
    count: int
    group: int = LANES
    table: Wide = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def groups(self) -> int:
        """Groups of a pass."""
        return -(-self.count // self.group)

    @property
    def lead(self) -> int:
        """Groups of zeros before the first, a cycle each, while the table is written."""
        return len(self.table)

    @property
    def table_words(self) -> Words:
        """Items of the stream that writes the table."""
        return items(TABLE, {"table_code": np.arange(len(self.table)), "table_word": self.table})

    @property
    def words(self) -> Words:
        """Items of the unit's stream, passes in turn block by block."""
        order = in_blocks(self.groups, len(self.passes))
        rows = [self._rows(number) for number in range(len(self.passes))]
        columns = {
            name: np.stack([rows[number][name][group] for group, number in order])
            for name in INPUTS
        }
        groups = items(INPUTS, columns)
        return np.concatenate([np.zeros((self.lead, groups.shape[1]), np.uint32), groups])

    def _rows(self, number: int) -> dict[str, Wide]:
        keep, again = number < len(self.passes) - 1, number > 0
        given = {**_UNSET, "keep": int(keep), "again": int(again), **self.passes[number]}
        return {name: self._row(name, given[name]) for name in INPUTS}

    def _row(self, name: str, given: int | Wide) -> Wide:
        """A column of a pass, [groups, lanes or 1]."""
        if name not in _OF_ELEMENTS:
            return np.full((self.groups, 1), given, np.int64)
        padded = np.zeros(self.groups * self.group, np.int64)
        padded[: self.count] = given
        lanes = np.zeros((self.groups, LANES), np.int64)
        lanes[:, : self.group] = padded.reshape(self.groups, self.group)
        return lanes

    def results(self, outcome: Outcome, name: str) -> Wide:
        """The elements' results, [count]."""
        found = integers(OUTPUTS, outcome.outputs[name][self.lead :], "result")
        return found[:, : self.group].reshape(-1)[: self.count]


def in_blocks(groups: int, passes: int) -> list[tuple[int, int]]:
    """In which order groups enter: (group, pass). Passes of other groups lie between a group's."""
    if passes == 1:
        return [(group, 0) for group in range(groups)]
    starts = list(range(0, groups, PIPELINE))
    if len(starts) > 1 and groups - starts[-1] < PIPELINE:
        starts.pop()  # the last block takes in what would be too few for one of its own
    ends = [*starts[1:], groups]
    return [
        (group, number)
        for start, end in zip(starts, ends, strict=True)
        for number in range(passes)
        for group in range(start, end)
    ]
