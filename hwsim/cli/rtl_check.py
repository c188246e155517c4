"""``hwsim verify --rtl-top``: tiles of a network through a Verilog design of the user's."""

from argparse import Namespace
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from accelerators import Accelerator, load_accelerator
from hwsim.adaptive import chosen_graph
from hwsim.cli.input_codes import input_codes
from hwsim.cli.messages import Messages
from hwsim.cli.options import DEFAULT_ACCELERATOR
from hwsim.cli.output_folder import output_folder
from hwsim.cli.subject import load_subject
from hwsim.machine import KERNELS
from hwsim.schedule.accumulators import as_computed_by
from hwsim.verify import Check
from hwsim.verify.rtl.bench import Bench, bench_of
from hwsim.verify.rtl.bench_folder import bench_folder
from hwsim.verify.rtl.bench_results import parse_results
from hwsim.verify.rtl.outcome import Outcome
from hwsim.verify.rtl.port_file import PortFile, read_port_file
from hwsim.verify.rtl.protocol import PortProtocol
from hwsim.verify.rtl.tile_checks import TileCase, check_tiles, tile_cases
from hwsim.verify.rtl.tiles import Tile, tiles_of
from hwsim.verify.rtl.toolchain import missing_packages
from quant.common.errors import UserError
from quant.common.files import read_bytes
from quant.graph import Graph

SUFFIXES = (".v", ".sv")
SIMULATORS = {"verilator": ("verilator", "g++"), "icarus": ("iverilog", "vvp")}
"""What each needs."""

_OPTIONS = ("rtl", "rtl_ports", "rtl_simulator", "rtl_results", "rtl_tiles", "out", "accelerator")
_TILES = 20


def wants_rtl(arguments: Namespace) -> bool:
    """Whether the arguments ask for a design to be checked.

    Raises:
        UserError: they say something about one, but not which module it is.
    """
    if arguments.rtl_top is not None:
        return True
    for name in _OPTIONS:
        if getattr(arguments, name) is not None:
            raise UserError(
                f"--{name.replace('_', '-')}: expected --rtl-top NAME beside it, the module to "
                "check; add it"
            )
    return False


def check_rtl(arguments: Namespace, messages: Messages) -> list[Check]:
    """Make vectors of a network's tiles; run them, or read what somebody ran; compare.

    Args:
        arguments: of ``hwsim verify``.
        messages: told what takes time, and what is left out.

    Returns:
        The checks; none if the vectors are only written.

    Raises:
        UserError: a file is missing or wrong, or no tile passes the ports.
    """
    accelerator = load_accelerator(arguments.accelerator or DEFAULT_ACCELERATOR)
    ports = None if arguments.rtl_ports is None else read_port_file(arguments.rtl_ports)
    sources = _sources(arguments.rtl or [])
    simulator = _simulator(arguments)
    graph, tiles = _tiles(arguments, accelerator, ports, messages)
    protocol = _protocol(arguments.rtl_top, sources, ports, accelerator, tiles)
    cases = _cases(protocol, tiles, messages)
    bench = bench_of(
        protocol.design, [case.job for case in cases], [case.expected for case in cases]
    )
    if arguments.out is not None:
        _write(bench, cases, arguments, messages)
    outcomes = _outcomes(bench, cases, arguments, simulator, messages)
    oracle = f"{graph.name} on {accelerator.name}"
    return check_tiles(arguments.rtl_top, oracle, cases, outcomes) if outcomes else []


def _sources(given: Sequence[Path]) -> list[Path]:
    """The Verilog files of paths; those of a folder by name."""
    found: list[Path] = []
    for path in given:
        if not path.is_dir():
            read_bytes(path, "Verilog")  # refused before the slow part
            found.append(path)
            continue
        files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES)
        if not files:
            raise UserError(f"--rtl {path}: expected Verilog files ({', '.join(SUFFIXES)}) in it")
        found += files
    return found


def _simulator(arguments: Namespace) -> str | None:
    """What runs the vectors: as asked, else what is installed; None if somebody else does.

    Raises:
        UserError: nothing is installed and nothing is written for others, or there are no sources.
    """
    if arguments.rtl_results is not None:
        return None
    if not arguments.rtl:
        if arguments.out is None or arguments.rtl_simulator is not None:
            raise UserError(
                f"--rtl-top {arguments.rtl_top}: expected its sources (--rtl FILE), results of a "
                "run (--rtl-results FILE) or a folder for the vectors (--out DIR); add one"
            )
        return None
    if arguments.rtl_simulator is not None:
        return str(arguments.rtl_simulator)
    installed = [name for name, needed in SIMULATORS.items() if not missing_packages(*needed)]
    if not installed and arguments.out is None:
        raise UserError(
            "--rtl: expected Verilator or Icarus Verilog to be installed, found neither; install "
            "one (Debian: apt install verilator g++), or add --out DIR and run the vectors yourself"
        )
    return installed[0] if installed else None


def _tiles(
    arguments: Namespace, accelerator: Accelerator, ports: PortFile | None, messages: Messages
) -> tuple[Graph, list[Tile]]:
    subject = load_subject(
        arguments, messages, accelerator=accelerator, random_when_none_shipped=True
    ).graph
    first = subject if isinstance(subject, Graph) else subject.variants[1]
    image = input_codes(arguments.input, first)
    graph = as_computed_by(chosen_graph(subject, image, KERNELS), accelerator)
    most = None
    if ports is not None and ports.tile is not None:
        most = ports.tile.pixels, ports.tile.channels
    with messages.stage("running the network for its tiles"):
        count = arguments.rtl_tiles or _TILES
        tiles = tiles_of(graph, accelerator, count, image=image, seed=arguments.seed, most=most)
    if not tiles:
        raise UserError(
            f"{graph.name}: expected layers that multiply integers and rescale them by integers, "
            "found none; choose another network, method or --rounding"
        )
    return graph, tiles


def _protocol(
    top: str,
    sources: Sequence[Path],
    ports: PortFile | None,
    accelerator: Accelerator,
    tiles: Sequence[Tile],
) -> PortProtocol:
    if ports is not None:
        from hwsim.verify.rtl.described_ports import DescribedPorts

        return DescribedPorts.of_module(top, sources, ports, accelerator)
    from hwsim.verify.rtl.array_ports import ArrayPorts

    return ArrayPorts.of_module(top, sources, accelerator, tiles[0].rounding)


def _cases(protocol: PortProtocol, tiles: Sequence[Tile], messages: Messages) -> Sequence[TileCase]:
    """Tiles that pass the ports; the others are told, each reason once."""
    cases, misfits = tile_cases(protocol, tiles)
    reasons = list(dict.fromkeys(misfits))
    if not cases:
        raise UserError(
            f"--rtl-top {protocol.design.top}: no tile passes its ports ({reasons[0]}); quantize "
            "the network to fewer bits or describe wider ports"
        )
    for reason in reasons:
        messages.say(f"left out: {reason}")
    return cases


def _write(
    bench: Bench, cases: Sequence[TileCase], arguments: Namespace, messages: Messages
) -> None:
    files = bench_folder(bench, cases, arguments.command_line, arguments.out)
    with output_folder(arguments.out) as folder:
        for name, text in files.items():
            folder.write(name, partial(Path.write_text, data=text, encoding="utf-8"))
        folder.publish()
    messages.say(f"wrote a bench with {len(cases)} tiles to {arguments.out}; see its README.md")


def _outcomes(
    bench: Bench,
    cases: Sequence[TileCase],
    arguments: Namespace,
    simulator: str | None,
    messages: Messages,
) -> list[Outcome]:
    results: Path | None = arguments.rtl_results
    if results is not None:
        text = read_bytes(results, "result").decode("ascii", errors="replace")
        return parse_results(bench, text, str(results))
    if simulator is None:
        return []
    with messages.stage(f"simulating {bench.design.top} in {simulator}"):
        if simulator == "icarus":
            from hwsim.verify.rtl.icarus import run_bench

            return run_bench(bench)
        from hwsim.verify.rtl.verilator import VerilatorSimulation

        return VerilatorSimulation(bench.design).run_many([case.job for case in cases])
