"""Benches: jobs as files of words for a Verilog module that any simulator runs."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hwsim.verify.rtl.bench_text import Memory, bench_text
from hwsim.verify.rtl.comparison import Expected
from hwsim.verify.rtl.design import Design, numbered_ports
from hwsim.verify.rtl.outcome import Job, check_job, stall_states
from hwsim.verify.rtl.words import Words, pack, word_count, words_of

BENCH = "bench.v"
"""The file of the bench's module."""

_COUNT_BITS = 32
_STAMP_DIGITS = 16

_Memories = dict[str, tuple[Words, int]]
"""What they hold and how wide they are, by name."""


@dataclass(frozen=True, slots=True)
class Bench:
    """A bench as files.

    Attributes:
        design: what it instantiates; its sources are not among the files.
        jobs: how many it runs, each from reset.
        stamp: tells its jobs from others; its results begin with it.
        files: their texts by name.
    """

    design: Design
    jobs: int
    stamp: str
    files: Mapping[str, str]


def bench_of(
    design: Design, jobs: Sequence[Job], expected: Sequence[Mapping[str, Expected]] = ()
) -> Bench:
    """A bench for some jobs.

    Args:
        design: what to instantiate.
        jobs: at least one; run one after the other.
        expected: of each job what every lane of an output should give: the bench then counts
            itself what differs. Empty if it need not.
    """
    for job in jobs:
        check_job(design, job)
    memories = _memories(design, jobs) | (_expected_memories(design, expected) if expected else {})
    texts = {name: _hex(items, bits) for name, (items, bits) in memories.items()}
    hashed = hashlib.sha256(repr((numbered_ports(design), texts)).encode())
    stamp = hashed.hexdigest()[:_STAMP_DIGITS]
    depths = [Memory(name, len(items), bits) for name, (items, bits) in memories.items()]
    files = {BENCH: bench_text(design, len(jobs), depths, stamp)}
    files |= {f"{name}.hex": text for name, text in texts.items()}
    return Bench(design, len(jobs), stamp, files)


def _memories(design: Design, jobs: Sequence[Job]) -> _Memories:
    found = {"limits": _counts([job.limit_cycles for job in jobs])}
    for i, setting in enumerate(design.settings):
        values = [words_of(job.settings[setting.name], setting.bits) for job in jobs]
        found[f"setting_{i}_values"] = np.stack(values), setting.bits
    for i, (name, stream) in enumerate(design.input_lanes):
        items = [job.streams[name] for job in jobs]
        found[f"input_{i}_items"] = _filled(items), stream.bits
        found[f"input_{i}_counts"] = _counts([len(job.streams[name]) for job in jobs])
        found[f"input_{i}_stalls"] = _counts([stall_states(design, job)[i] for job in jobs])
    for i, name in enumerate(design.output_names):
        found[f"output_{i}_counts"] = _counts([job.wanted[name] for job in jobs])
    return found


def _expected_memories(design: Design, expected: Sequence[Mapping[str, Expected]]) -> _Memories:
    """Expected items, and ones where they are compared."""
    found: _Memories = {}
    for i, (name, stream) in enumerate(design.output_lanes):
        lanes = [of_job[name] for of_job in expected]
        items = [pack(lane.integers, lane.bits) for lane in lanes]
        found[f"output_{i}_expected"] = _filled(items), stream.bits
        compared = [pack(np.where(lane.compared, -1, 0), lane.bits) for lane in lanes]
        found[f"output_{i}_compared"] = _filled(compared), stream.bits
    return found


def _counts(values: Sequence[int]) -> tuple[Words, int]:
    return np.array(values, np.uint32).reshape(-1, 1), _COUNT_BITS


def _filled(items: Sequence[Words]) -> Words:
    """The items of all jobs; one of zeros if there are none, as no memory is empty."""
    joined = np.concatenate(items)
    return joined if len(joined) else np.zeros((1, joined.shape[1]), np.uint32)


def _hex(items: Words, bits: int) -> str:
    """One item a line, of as many digits as its bits need."""
    digits, given = -(-bits // 4), 8 * word_count(bits)
    text = items[:, ::-1].astype(">u4").tobytes().hex()
    lines = [text[at + given - digits : at + given] for at in range(0, len(text), given)]
    return "\n".join(lines) + "\n"
