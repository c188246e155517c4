"""What a bench wrote about its jobs, read back.

The first line is ``vectors STAMP``; others are ``JOB output LANE CYCLE WORD``, ``JOB unknown PORT
CYCLE``, ``JOB taken LANE ITEMS`` and ``JOB end CYCLES ORIGIN``. Cycles count from reset, and cycle
``ORIGIN`` is the one that counts as 0.
"""

from collections.abc import Sequence

import numpy as np

from hwsim.verify.rtl.bench import Bench
from hwsim.verify.rtl.bench_text import RESULTS, STAMPED
from hwsim.verify.rtl.design import Design
from hwsim.verify.rtl.outcome import Outcome, Unknown
from hwsim.verify.rtl.words import Words, word_count
from quant.common.errors import UserError

_UNKNOWN_DIGITS = "xz"


class _Results:
    """The lines of one job."""

    def __init__(self, design: Design) -> None:
        self._bits = {name: stream.bits for name, stream in design.output_lanes}
        self.items: dict[str, list[str]] = {name: [] for name in design.output_names}
        self.cycles: dict[str, list[int]] = {name: [] for name in design.output_names}
        self.taken = dict.fromkeys(design.input_names, 0)
        self.unknown: list[tuple[str, int]] = []
        self.end: tuple[int, int] | None = None

    def add(self, kind: str, words: Sequence[str]) -> None:
        """Note a line: its second word and those behind it.

        Raises:
            ValueError: it is none of the bench's.
            KeyError: it has a name that the design has not.
        """
        match kind, words:
            case "output", [name, cycle, item]:
                self.items[name].append(_digits(item, self._bits[name]))
                self.cycles[name].append(int(cycle))
            case "unknown", [port, cycle]:
                self.unknown.append((port, int(cycle)))
            case "taken", [name, count]:
                self.taken[name] = int(count)
            case "end", [cycles, origin]:
                self.end = int(cycles), int(origin)
            case _:
                raise ValueError(kind)


def _digits(item: str, bits: int) -> str:
    """Hexadecimal digits, some of them perhaps unknown, in small letters."""
    lower = item.lower()
    if int(_known(lower), 16) >> bits:
        raise ValueError(item)
    return lower


def _known(item: str) -> str:
    return item.replace("x", "0").replace("z", "0")


def parse_results(bench: Bench, text: str, where: str) -> list[Outcome]:
    """What a bench wrote, job by job.

    Raises:
        UserError: it is another bench's, a line is none of a bench's, or a job has no end.
    """
    design = bench.design
    lines = text.splitlines()
    _check_stamp(bench, lines[0] if lines else "", where)
    found = [_Results(design) for _ in range(bench.jobs)]
    for number, line in enumerate(lines[1:], 2):
        try:
            job, kind, *words = line.split()
            found[_place(job, bench.jobs)].add(kind, words)
        except (ValueError, KeyError) as error:
            raise UserError(
                f"{where}, line {number}: expected a line that this bench writes, found "
                f"'{line[:40]}'; give the {RESULTS} of a run of it"
            ) from error
    for place, results in enumerate(found):
        if results.end is None:
            raise UserError(
                f"{where}: expected results of {bench.jobs} jobs, found no end of job {place}; run "
                "the bench until it finishes"
            )
    return [_outcome(design, results) for results in found]


def _check_stamp(bench: Bench, line: str, where: str) -> None:
    wanted = f"{STAMPED} {bench.stamp}"
    if line.strip() != wanted:
        raise UserError(
            f"{where}, line 1: expected '{wanted}', found '{line[:40]}'; give the results of this "
            "bench, made with the same network, seed and other options"
        )


def _place(word: str, jobs: int) -> int:
    if not word.isdigit() or int(word) >= jobs:
        raise ValueError(word)
    return int(word)


def _outcome(design: Design, results: _Results) -> Outcome:
    assert results.end is not None
    simulated, origin = results.end
    origin = max(origin, 0)
    unknown = [Unknown(port, cycle - origin, None) for port, cycle in results.unknown]
    outputs = {}
    for name, stream in design.output_lanes:
        for index, item in enumerate(results.items[name]):
            if set(item) & set(_UNKNOWN_DIGITS):
                unknown.append(Unknown(name, results.cycles[name][index] - origin, index))
        outputs[name] = _words(results.items[name], stream.bits)
    cycles = {
        name: np.array(results.cycles[name], np.int64) - origin for name in design.output_names
    }
    unknown.sort(key=lambda bit: bit.cycle)
    return Outcome(outputs, cycles, results.taken, tuple(unknown), simulated)


def _words(items: list[str], bits: int) -> Words:
    count = word_count(bits)
    text = "".join(_known(item).zfill(8 * count)[-8 * count :] for item in items)
    highest_first = np.frombuffer(bytes.fromhex(text), ">u4").reshape(len(items), count)
    return np.ascontiguousarray(highest_first[:, ::-1], np.uint32)
