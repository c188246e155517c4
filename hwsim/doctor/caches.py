"""What is kept on disk from one run to the next."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from hwsim.verify.rtl.build_cache import default_folder

_KERNEL_MODULES = (
    "hwsim.arithmetic._kernels_packing",
    "hwsim.search._kernels",
    "hwsim.verify.stepped._kernels",
    "hwsim.verify.rtl.words",
)
"""One of each package with compiled kernels; Numba keeps those of a folder together."""

_KERNEL_SUFFIXES = (".nbi", ".nbc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """A folder in which something is kept.

    Attributes:
        content: what is kept there.
        path: the folder, which need not exist yet.
        files: kept there now.
        size_bytes: of them together.
        writable: whether more can be kept there.
    """

    content: str
    path: str
    files: int
    size_bytes: int
    writable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernels:
    """Whether compiled kernels work here.

    Attributes:
        compiled: whether they are machine code; else Python, which takes a thousand times as long.
        problem: why they cannot be used at all, or are not compiled; None where all is well.
        caches: where machine code is kept.
    """

    compiled: bool
    problem: str | None
    caches: tuple[Cache, ...]


def kernels() -> Kernels:
    """Whether kernels work, and where their machine code is kept."""
    folders: dict[Path, None] = {}
    try:
        for name in _KERNEL_MODULES:
            folders |= dict.fromkeys(_numba_folders(name))
    except Exception as error:  # whatever Numba or the system has against it is the finding
        return Kernels(compiled=False, problem=f"{type(error).__name__}: {error}", caches=())
    if not folders:
        problem = "NUMBA_DISABLE_JIT is set; unset it"
        return Kernels(compiled=False, problem=problem, caches=())
    caches = tuple(_cache("machine code of kernels", f, _KERNEL_SUFFIXES) for f in folders)
    return Kernels(compiled=True, problem=None, caches=caches)


def other_caches() -> tuple[Cache, ...]:
    """What is kept beside machine code."""
    return (_cache("simulators built of Verilog", default_folder()),)


def _numba_folders(module: str) -> Iterator[Path]:
    """Where Numba keeps the first kernel of a module; nothing where kernels are not compiled."""
    for function in vars(import_module(module)).values():
        if hasattr(function, "stats"):
            yield Path(function.stats.cache_path)
            return


def _cache(content: str, folder: Path, suffixes: tuple[str, ...] = ()) -> Cache:
    files = [
        file
        for file in (folder.rglob("*") if folder.is_dir() else ())
        if file.is_file() and (not suffixes or file.suffix in suffixes)
    ]
    return Cache(
        content=content,
        path=str(folder),
        files=len(files),
        size_bytes=sum(file.stat().st_size for file in files),
        writable=_is_writable(folder),
    )


def _is_writable(folder: Path) -> bool:
    """Whether files can be made in a folder, which is made where it can be."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return os.access(existing, os.W_OK | os.X_OK)
