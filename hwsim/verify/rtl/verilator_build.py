"""Shared libraries of Verilog designs: translated to C++ by Verilator, compiled by g++.

Registers that no reset clears, and bits assigned x, begin at random (``--x-initial unique``,
``--x-assign unique`` with a fixed seed): Verilator has no unknown values, and its defaults would
let a design that reads an uninitialised register pass by finding 0 there.
"""

from functools import cache
from importlib import resources
from pathlib import Path

from hwsim.verify.rtl.build_cache import kept
from hwsim.verify.rtl.design import Design
from hwsim.verify.rtl.toolchain import run_tool
from hwsim.verify.rtl.verilator_ports import MODEL, WRAPPER, ports_header, wrapper
from quant.common.files import read_bytes

_OPTIONS = (
    *("--cc", "--top-module", WRAPPER, "--prefix", MODEL, "--Mdir", "translated"),
    *("-O3", "--x-assign", "unique", "--x-initial", "unique", "--no-timing", "-Wno-fatal"),
)
_COMPILER_OPTIONS = (
    *("-std=c++17", "-O2", "-fPIC", "-w"),
    *("-DVL_USER_FINISH", "-DVL_USER_STOP", "-DVL_USER_FATAL"),  # harness.cpp has these functions
    "-DVL_PRINTF(...)=fprintf(stderr, __VA_ARGS__)",  # stdout is for results
)
_RUNTIME = ("verilated", "verilated_threads")


def built_library(design: Design, kept_in: Path) -> Path:
    """The library of a design in the cache; whoever builds it first has it for all.

    Raises:
        UserError: Verilator or g++ is missing or refuses the sources, or a file cannot be read.
    """
    texts = {"bench.v": wrapper(design), "ports.h": ports_header(design), "harness.cpp": _harness()}
    sources = design.source_paths
    contents: list[str | bytes] = [
        repr(_OPTIONS),
        repr(_COMPILER_OPTIONS),
        *texts.values(),
        *map(_source, (*sources, *design.headers)),
    ]
    runtime = _runtime(kept_in)

    def build(folder: Path, target: Path) -> None:
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        task = f"building '{design.top}'"
        run_tool(
            "verilator", [*_OPTIONS, *design.include_options, "bench.v", *sources], folder, task
        )
        translated = sorted((folder / "translated").glob("*.cpp"))
        # One unit of everything: the headers, read for each file, take longer than a small design.
        parts = [*(f"translated/{path.name}" for path in translated), "harness.cpp"]
        (folder / "all.cpp").write_text("".join(f'#include "{part}"\n' for part in parts))
        paths = _include_paths(folder, folder / "translated")
        options = [*_COMPILER_OPTIONS, "-shared", "-pthread", *paths]
        run_tool("g++", [*options, "all.cpp", *runtime, "-o", target], folder, task)

    return kept(kept_in, f"{design.top}.so", contents, build)


def _runtime(kept_in: Path) -> list[Path]:
    """Verilator's own code, compiled once for all designs."""

    def compiled(name: str) -> Path:
        source = _include_folder() / f"{name}.cpp"

        def build(folder: Path, target: Path) -> None:
            options = [*_COMPILER_OPTIONS, *_include_paths()]
            run_tool(
                "g++",
                [*options, "-c", source, "-o", target],
                folder,
                "building Verilator's runtime",
            )

        return kept(kept_in, f"{name}.o", [repr(_COMPILER_OPTIONS), _source(source)], build)

    return [compiled(name) for name in _RUNTIME]


@cache
def _include_folder() -> Path:
    told = run_tool("verilator", ["--getenv", "VERILATOR_ROOT"], Path(), "looking for Verilator")
    return Path(told.strip()) / "include"


def _include_paths(*folders: Path) -> list[str]:
    include = _include_folder()
    return [f"-I{folder}" for folder in (*folders, include, include / "vltstd")]


def _source(path: Path) -> bytes:
    return read_bytes(path, "Verilog")


def _harness() -> str:
    return (resources.files("hwsim.verify.rtl") / "harness.cpp").read_text(encoding="utf-8")
