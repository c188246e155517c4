"""Everything `hwsim doctor` looks at, as one record."""

import json
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

from hwsim import __version__
from hwsim.doctor.caches import Cache, Kernels, kernels, other_caches
from hwsim.doctor.packages import Extra, Package, extras, required_packages
from hwsim.doctor.processor import Memory, Processor, memory, processor
from hwsim.doctor.programs import Program, programs
from hwsim.doctor.training import Torch, torch_here


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What this machine supports and what is installed on it.

    Attributes:
        version: of hwsim.
        folder: that it is imported from.
        python: version of the interpreter.
        system: operating system and its version.
        processor: what it offers the kernels.
        memory: how much there is.
        kernels: whether they work, and where their machine code is kept.
        torch: whether it works, and on what it can train.
        packages: that the program cannot do without.
        extras: what can be installed beside it.
        programs: that something here can use.
        caches: what else is kept on disk.
    """

    version: str
    folder: str
    python: str
    system: str
    processor: Processor
    memory: Memory
    kernels: Kernels
    torch: Torch
    packages: tuple[Package, ...]
    extras: tuple[Extra, ...]
    programs: tuple[Program, ...]
    caches: tuple[Cache, ...]

    def to_json(self) -> str:
        """The record as one JSON object."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False)

    def problems(self) -> tuple[str, ...]:
        """What keeps the program from working as it should, a sentence each."""
        found = [
            f"{need.name}: expected {need.required or 'any version'}, found {need.version}; "
            f"pip install '{need.name}{need.required}'"
            for need in self.packages
            if not need.fits
        ]
        if self.kernels.problem is not None:
            found.append(f"kernels: {self.kernels.problem}")
        if self.torch.problem is not None:
            found.append(f"torch: {self.torch.problem}")
        found += [
            f"{cache.path}: cannot be written to, so that {cache.content} cannot be kept there"
            for cache in (*self.kernels.caches, *self.caches)
            if not cache.writable
        ]
        return tuple(found)


def examine() -> Examination:
    """Look at this machine; takes seconds, for kernels and torch are imported."""
    working = kernels()
    return Examination(
        version=__version__,
        folder=str(Path(__file__).resolve().parents[1]),
        python=platform.python_version(),
        system=platform.platform(),
        processor=processor(kernels_work=working.compiled),
        memory=memory(),
        kernels=working,
        torch=torch_here(),
        packages=required_packages(),
        extras=extras(),
        programs=programs(),
        caches=other_caches(),
    )
