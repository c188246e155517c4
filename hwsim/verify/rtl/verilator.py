"""Designs in Verilator, driven through ctypes."""

import ctypes
from collections.abc import Sequence
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
from hwsim.verify.rtl.words import word_count, words_of

_Array = NDArray[np.uint32] | NDArray[np.int64]


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
        self._simulate = ctypes.CDLL(
            str(built_library(design, folder or default_folder()))
        ).simulate
        self._simulate.restype = None

    def run(self, job: Job) -> Outcome:
        """Reset the design and run one job."""
        return self.run_many([job])[0]

    def run_many(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Run jobs one after the other in one call, each from reset."""
        design = self.design
        for job in jobs:
            check_job(design, job)
        items = [np.concatenate([job.streams[name] for job in jobs]) for name in design.input_names]
        wanted = _table([[job.wanted[name] for name in design.output_names] for job in jobs])
        widths = [word_count(s.bits) for s in design.outputs for _ in s.lane_names]
        room = [int(wanted[:, o].sum()) + TRAILING_CYCLES * len(jobs) for o in range(len(widths))]
        outputs = [np.zeros((n, w), np.uint32) for n, w in zip(room, widths, strict=True)]
        cycles = [np.zeros(n, np.int64) for n in room]
        counts = _table([[len(job.streams[name]) for name in design.input_names] for job in jobs])
        found, taken = np.zeros_like(wanted), np.zeros_like(counts)
        totals = np.zeros(len(jobs), np.int64)
        first, last = _counted(design)
        self._simulate(
            ctypes.c_int64(len(jobs)),
            _pointer(_settings(design, jobs)),
            _pointers(items),
            _pointer(counts),
            _pointer(wanted),
            _pointer(np.array([job.limit_cycles for job in jobs], np.int64)),
            _pointer(np.array([stall_states(design, job) for job in jobs], np.uint32)),
            *(ctypes.c_int64(n) for n in (first, last, TRAILING_CYCLES, RESET_CYCLES)),
            ctypes.c_uint32(STALL_THRESHOLD),
            _pointers(outputs),
            _pointers(cycles),
            *(_pointer(array) for array in (found, taken, totals)),
        )
        return [
            _outcome(design, job, (outputs, cycles), (wanted, found, taken), int(totals[job]))
            for job in range(len(jobs))
        ]


def _outcome(
    design: Design,
    job: int,
    recorded: tuple[list[NDArray[np.uint32]], list[NDArray[np.int64]]],
    tables: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    simulated_cycles: int,
) -> Outcome:
    outputs, cycles = recorded
    wanted, found, taken = tables
    begins = wanted[:job].sum(axis=0) + TRAILING_CYCLES * job
    places = [slice(int(b), int(b + n)) for b, n in zip(begins, found[job], strict=True)]
    names = design.output_names
    return Outcome(
        {name: outputs[o][places[o]] for o, name in enumerate(names)},
        {name: cycles[o][places[o]] for o, name in enumerate(names)},
        {name: int(taken[job, i]) for i, name in enumerate(design.input_names)},
        (),
        simulated_cycles,
    )


def _settings(design: Design, jobs: Sequence[Job]) -> NDArray[np.uint32]:
    found = [words_of(job.settings[s.name], s.bits) for job in jobs for s in design.settings]
    return np.concatenate([*found, np.zeros(1, np.uint32)])


def _counted(design: Design) -> tuple[int, int]:
    if design.counts_from is None:
        return 0, len(design.input_names)
    place = design.input_names.index(design.counts_from)
    return place, place + 1


def _table(rows: list[list[int]]) -> NDArray[np.int64]:
    return np.array(rows, np.int64).reshape(len(rows), -1)


def _pointer(array: _Array) -> ctypes.c_void_p:
    return array.ctypes.data_as(ctypes.c_void_p)  # keeps the array alive as long as it is


def _pointers(
    arrays: Sequence[NDArray[np.uint32] | NDArray[np.int64]],
) -> ctypes.Array[ctypes.c_void_p]:
    return (ctypes.c_void_p * (len(arrays) + 1))(*(array.ctypes.data for array in arrays))
