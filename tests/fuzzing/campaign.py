"""Runs readers on changed files and notes what ends in neither a value nor a sentence."""

import resource
import signal
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import numpy as np

from quant.common.errors import UserError
from tests.fuzzing.readers import Reader

LONGEST_SECONDS = 20.0
"""For one file; what takes longer counts as a hang."""


class HangError(Exception):
    """A reader took too long."""


@dataclass(eq=False)
class Outcome:
    """What became of one reader's files.

    Attributes:
        name: of the reader.
        accepted: that were read.
        refused: that ended in one sentence.
        bugs: by what was raised and where, how often.
        examples: for each of them, one file.
        slowest_ms: the longest that one took.
        grown_mib: how much the process's largest size grew meanwhile.
    """

    name: str
    accepted: int = 0
    refused: int = 0
    bugs: Counter[str] = field(default_factory=Counter)
    examples: dict[str, bytes] = field(default_factory=dict)
    slowest_ms: float = 0.0
    grown_mib: float = 0.0

    @property
    def inputs(self) -> int:
        """Files in all."""
        return self.accepted + self.refused + self.bugs.total()


def fuzz(reader: Reader, inputs: int, seed: int, folder: Path) -> Outcome:
    """Read changed files.

    Args:
        reader: what reads them.
        inputs: how many.
        seed: of the changes; the same seed makes the same files.
        folder: for the files.
    """
    random = np.random.default_rng(seed)
    samples = reader.samples(folder)
    outcome = Outcome(reader.name)
    before = _largest_kib()
    path = folder / f"fuzzed{reader.suffix}"
    for sample in samples:  # unchanged, all are read
        path.write_bytes(sample)
        reader.read(path)
    for _ in range(inputs):
        mutate = reader.mutations[int(random.integers(len(reader.mutations)))]
        content = mutate(samples[int(random.integers(len(samples)))], random)
        path.write_bytes(content)
        _one(reader, path, content, outcome)
    outcome.grown_mib = (_largest_kib() - before) / 1024
    return outcome


def _one(reader: Reader, path: Path, content: bytes, outcome: Outcome) -> None:
    started = time.perf_counter()
    try:
        with warnings.catch_warnings(), _deadline():
            warnings.simplefilter("error")
            reader.read(path)
        outcome.accepted += 1
    except UserError as error:
        outcome.refused += 1
        if "\n\n" in str(error) or not str(error).strip():
            outcome.bugs["a message that is no sentence"] += 1
    except (Exception, RecursionError) as error:  # whatever it is, it is a defect
        where = traceback.extract_tb(error.__traceback__)[-1]
        key = f"{type(error).__name__} at {Path(where.filename).name}:{where.lineno}: {error}"[:160]
        outcome.bugs[key] += 1
        outcome.examples.setdefault(key, content)
    took = 1000 * (time.perf_counter() - started)
    outcome.slowest_ms = max(outcome.slowest_ms, took)


def _largest_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@contextmanager
def _deadline() -> Iterator[None]:
    def expired(_: int, __: FrameType | None) -> None:
        raise HangError(f"more than {LONGEST_SECONDS} seconds")

    previous = signal.signal(signal.SIGALRM, expired)
    signal.setitimer(signal.ITIMER_REAL, LONGEST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
