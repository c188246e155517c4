"""What the processor offers the kernels, and how much memory there is."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from hwsim.executors import usable_processors

_BYTES_PER_KIB = 1024
_MEMORY = Path("/proc/meminfo")
_MEMORY_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Where Linux tells what a container may use: control groups of version 2, and of version 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionSet:
    """A row of the kernels' table.

    Attributes:
        name: of the row.
        usable: whether kernels use it here, for operands that fit it.
        reason: why they do not; None where they do.
    """

    name: str
    usable: bool
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Processor:
    """The processor.

    Attributes:
        architecture: such as ``x86_64``.
        model: as LLVM calls it, for which kernels are compiled; None where they cannot be.
        usable_processors: that this process may use.
        kernel_threads: threads of a kernel.
        instruction_sets: of the kernels, in order of preference.
    """

    architecture: str
    model: str | None
    usable_processors: int
    kernel_threads: int | None
    instruction_sets: tuple[InstructionSet, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The memory.

    Attributes:
        total_bytes: of the machine; None where it does not say.
        available_bytes: without swapping; None likewise.
        limit_bytes: that a container may use; None without such a limit.
    """

    total_bytes: int | None
    available_bytes: int | None
    limit_bytes: int | None


def processor(*, kernels_work: bool) -> Processor:
    """The processor of this machine.

    Args:
        kernels_work: whether kernels can be imported; without, nothing is known of what they use.
    """
    architecture, processors = platform.machine(), usable_processors()
    if not kernels_work:
        return Processor(
            architecture=architecture,
            model=None,
            usable_processors=processors,
            kernel_threads=None,
            instruction_sets=(),
        )
    from hwsim.arithmetic.support import instruction_sets, kernel_threads, processor_model

    return Processor(
        architecture=architecture,
        model=processor_model(),
        usable_processors=processors,
        kernel_threads=kernel_threads(),
        instruction_sets=tuple(
            InstructionSet(name=name, usable=reason is None, reason=reason)
            for name, reason in instruction_sets().items()
        ),
    )


def memory() -> Memory:
    """The memory of this machine, as Linux tells it."""
    kib: dict[str, int] = {}
    if _MEMORY.exists():
        for line in _MEMORY.read_text().splitlines():
            name, _, amount = line.partition(":")
            words = amount.split()
            if words and words[0].isdecimal():
                kib[name] = int(words[0])
    total, available = kib.get("MemTotal"), kib.get("MemAvailable")
    total_bytes = _installed_bytes() if total is None else total * _BYTES_PER_KIB
    return Memory(
        total_bytes=total_bytes,
        available_bytes=None if available is None else available * _BYTES_PER_KIB,
        limit_bytes=_limit_bytes(total_bytes),
    )


def _installed_bytes() -> int | None:
    """What other systems than Linux tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def _limit_bytes(total_bytes: int | None) -> int | None:
    for path in _MEMORY_LIMITS:
        text = path.read_text().strip() if path.exists() else ""
        # Version 1 says that there is no limit by a number that no memory has.
        if text.isdecimal() and (total_bytes is None or int(text) < total_bytes):
            return int(text)
    return None
