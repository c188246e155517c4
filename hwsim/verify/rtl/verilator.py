"""Designs in Verilator, driven through ctypes."""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwsim.verify.rtl.build_cache import default_folder
from hwsim.verify.rtl.design import Design
from hwsim.verify.rtl.outcome import (
    RESET_CYCLES,
    STALL_THRESHOLD,
    TRAILING_CYCLES,
    Job,
    Outcome,
    check_job,
    stall_states,
)
from hwsim.verify.rtl.verilator_build import built_library
from hwsim.verify.rtl.words import Words, word_count, words_of
from quant.common.errors import UserError

_Counts = NDArray[np.int64]


class _Batch(ctypes.Structure):
    """What ``harness.cpp`` takes; arrays as addresses."""

    _fields_ = (
        ("jobs", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("settings", "items", "item_counts", "wanted")),
        *((name, ctypes.c_void_p) for name in ("limits", "stalls")),
        *((name, ctypes.c_int64) for name in ("counted_first", "counted_last", "trailing")),
        *((name, ctypes.c_int64) for name in ("reset_cycles", "stall_threshold")),
        *((name, ctypes.c_void_p) for name in ("outputs", "output_cycles", "found", "taken")),
        ("cycles", ctypes.c_void_p),
    )


class VerilatorSimulation:
    """A design compiled by Verilator; built once for its sources, parameters and tools."""

    def __init__(self, design: Design, folder: Path | None = None) -> None:
        """Build a design, or find it built.

        Args:
            design: what to simulate.
            folder: of built simulations; `build_cache.default_folder` without.

        Raises:
            UserError: Verilator or g++ is missing or refuses the sources, or a file cannot be read.
        """
        self.design = design
        library = built_library(design, folder or default_folder())
        self._simulate = ctypes.CDLL(str(library)).simulate
        self._simulate.restype = ctypes.c_char_p

    def run(self, job: Job) -> Outcome:
        """Reset the design and run one job.

        Raises:
            UserError: the design ended the simulation, or its wires do not settle.
        """
        return self.run_many([job])[0]

    def run_many(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Run jobs one after the other in one call, each from reset.

        Raises:
            UserError: the design ended the simulation, or its wires do not settle.
        """
        if not jobs:
            return []
        design, inputs = self.design, self.design.input_names
        for job in jobs:
            check_job(design, job)
        wanted = _table([[job.wanted[n] for n in design.output_names] for job in jobs])
        given: dict[str, Words | _Counts] = {
            "settings": _settings(design, jobs),
            "item_counts": _table([[len(job.streams[n]) for n in inputs] for job in jobs]),
            "wanted": wanted,
            "limits": np.array([job.limit_cycles for job in jobs], np.int64),
            "stalls": np.array([stall_states(design, job) for job in jobs], np.uint32),
        }
        items = [np.concatenate([job.streams[n] for job in jobs]) for n in inputs]
        recorded = _Recorded.room_for(design, wanted)
        first, last = _counted(design)
        pointers = _pointers(items), _pointers(recorded.outputs), _pointers(recorded.cycles)
        batch = _Batch(
            jobs=len(jobs),
            counted_first=first,
            counted_last=last,
            trailing=TRAILING_CYCLES,
            reset_cycles=RESET_CYCLES,
            stall_threshold=STALL_THRESHOLD,
            items=ctypes.addressof(pointers[0]),
            outputs=ctypes.addressof(pointers[1]),
            output_cycles=ctypes.addressof(pointers[2]),
            found=recorded.found.ctypes.data,
            taken=recorded.taken.ctypes.data,
            cycles=recorded.totals.ctypes.data,
            **{name: array.ctypes.data for name, array in given.items()},
        )
        ended = self._simulate(ctypes.byref(batch))
        if ended is not None:
            raise UserError(
                f"simulating '{design.top}': ended by {ended.decode(errors='replace').strip()}; "
                "correct the Verilog sources"
            )
        return recorded.outcomes(design)


@dataclass(frozen=True, slots=True, eq=False)
class _Recorded:
    """What the harness fills in.

    Attributes:
        wanted: outputs that the jobs want, [jobs, outputs].
        outputs: of each output the items of all jobs, each job's from where there is room for it.
        cycles: likewise.
        found: outputs seen, [jobs, outputs].
        taken: items taken, [jobs, inputs].
        totals: cycles simulated, [jobs].
    """

    wanted: _Counts
    outputs: list[Words]
    cycles: list[_Counts]
    found: _Counts
    taken: _Counts
    totals: _Counts

    @classmethod
    def room_for(cls, design: Design, wanted: _Counts) -> "_Recorded":
        """Room for as many outputs as jobs want, and for superfluous ones."""
        jobs = len(wanted)
        room = (wanted + TRAILING_CYCLES).sum(axis=0).tolist()
        words = [word_count(stream.bits) for _, stream in design.output_lanes]
        return cls(
            wanted,
            [np.zeros(shape, np.uint32) for shape in zip(room, words, strict=True)],
            [np.zeros(count, np.int64) for count in room],
            np.zeros_like(wanted),
            np.zeros((jobs, len(design.input_names)), np.int64),
            np.zeros(jobs, np.int64),
        )

    def outcomes(self, design: Design) -> list[Outcome]:
        """What was recorded, job by job."""
        room = self.wanted + TRAILING_CYCLES
        begins = np.cumsum(room, axis=0) - room
        return [self._outcome(design, job, begins[job]) for job in range(len(room))]

    def _outcome(self, design: Design, job: int, begins: _Counts) -> Outcome:
        ends = begins + self.found[job]
        places = [slice(*ends_of) for ends_of in zip(begins.tolist(), ends.tolist(), strict=True)]
        names = list(enumerate(design.output_names))
        return Outcome(
            {name: self.outputs[o][places[o]] for o, name in names},
            {name: self.cycles[o][places[o]] for o, name in names},
            dict(zip(design.input_names, self.taken[job].tolist(), strict=True)),
            (),
            int(self.totals[job]),
        )


def _settings(design: Design, jobs: Sequence[Job]) -> NDArray[np.uint32]:
    found = [words_of(job.settings[s.name], s.bits) for job in jobs for s in design.settings]
    return np.concatenate([*found, np.zeros(1, np.uint32)])


def _counted(design: Design) -> tuple[int, int]:
    if design.counts_from is None:
        return 0, len(design.input_names)
    place = design.input_names.index(design.counts_from)
    return place, place + 1


def _table(rows: list[list[int]]) -> _Counts:
    return np.array(rows, np.int64).reshape(len(rows), -1)


def _pointers(arrays: Sequence[Words | _Counts]) -> ctypes.Array[ctypes.c_void_p]:
    return (ctypes.c_void_p * (len(arrays) + 1))(*(array.ctypes.data for array in arrays))
