"""The table of commands and the parser made from it; nothing heavy is imported here."""

import re
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from hwsim import __version__
from hwsim.cli import export_options, options, search_options
from quant.common.errors import suggestion


class UsageError(Exception):
    """Arguments that no command takes.

    Attributes:
        program: the program or command that was given them, such as ``hwsim run``.
    """

    def __init__(self, program: str, message: str) -> None:
        super().__init__(message)
        self.program = program


@dataclass(frozen=True, slots=True)
class Command:
    """One sub-command.

    Attributes:
        help: what it does, in a line.
        options: adds its options to a parser.
        module: where its ``execute(arguments) -> int`` is; imported when the command is used.
        interrupted: what to say of the files after Ctrl-C.
        example: a command line to start from.
    """

    help: str
    options: Callable[[ArgumentParser], None]
    module: str
    example: str
    interrupted: str = "nothing was written"


COMMANDS: dict[str, Command] = {
    "run": Command(
        "super-resolve an image on the simulated accelerator, bit for bit, and price it",
        options.add_run_options,
        "hwsim.cli.commands.run",
        "hwsim run --image photo.png --out result",
    ),
    "estimate": Command(
        "cycles, energy and memory of one image, without running it",
        options.add_estimate_options,
        "hwsim.cli.commands.estimate",
        "hwsim estimate edsr_baseline_x2 --input-size 360x640 --bits w4a8",
    ),
    "verify": Command(
        "compare operators, schedules and networks with independent references, bit for bit",
        options.add_verify_options,
        "hwsim.cli.commands.verify",
        "hwsim verify",
    ),
    "search": Command(
        "bit policies with the best quality for their energy, cycles and memory",
        search_options.add_search_options,
        "hwsim.cli.commands.search",
        "hwsim search --max-energy 10mJ --out search",
        "what was measured is kept in --out DIR; repeat the command to go on from there",
    ),
    "codesign": Command(
        "which machine, with which method and which bits, does a job at the least cost",
        search_options.add_codesign_options,
        "hwsim.cli.commands.codesign",
        "hwsim codesign --vary array.rows=16,32 --vary sram.size_kib=256,512 --min-psnr 40 "
        "--out codesign",
        "what was measured is kept in --out DIR; repeat the command to go on from there",
    ),
    "compare": Command(
        "methods, networks and machines in one table: quality, bits, cycles, energy, memory",
        options.add_compare_options,
        "hwsim.cli.commands.compare",
        "hwsim compare edsr_tiny_x2 --method minmax omse --bits w8a8 w4a4 --data Set5 --out table",
        "what was measured is kept in --out DIR; repeat the command to go on from there",
    ),
    "report": Command(
        "the page of a run or an estimate, made again from its folder",
        options.add_report_options,
        "hwsim.cli.commands.report",
        "hwsim report result",
    ),
    "evaluate": Command(
        "PSNR and SSIM of a network on data sets, beside bicubic enlargement",
        options.add_evaluate_options,
        "hwsim.cli.commands.evaluate",
        "hwsim evaluate edsr_tiny_x2 --data Set5 --data Set14 --bits w8a8",
    ),
    "calibrate": Command(
        "relative energies and areas of processing elements, from synthesis with a cell library",
        options.add_calibrate_options,
        "hwsim.cli.commands.calibrate",
        "hwsim calibrate --liberty cells.lib --out calibration",
        "what was measured is kept in --out DIR; repeat the command to go on from there",
    ),
    "quantize": Command(
        "quantize a network and write the integer graph to a file",
        options.add_quantize_options,
        "hwsim.cli.commands.quantize",
        "hwsim quantize edsr_tiny_x2 --bits w4a8 --out edsr_w4a8.hwgraph",
    ),
    "export": Command(
        "write a network, what it costs or a machine as files for other tools",
        export_options.add_export_options,
        "hwsim.cli.commands.export",
        "hwsim export edsr_tiny_x2 --bits w4a8 --to qonnx --out edsr_w4a8.onnx",
    ),
    "train": Command(
        "train a float network on folders of pictures",
        options.add_train_options,
        "hwsim.cli.commands.train",
        "hwsim train edsr_tiny_x2 --images photos --out training",
        "what was trained up to the last checkpoint is kept; repeat the command to go on from it",
    ),
    "list": Command(
        "the names other commands take",
        options.add_list_options,
        "hwsim.cli.commands.list",
        "hwsim list accelerators",
    ),
    "doctor": Command(
        "what this machine supports, what is installed on it, and what is kept on disk",
        options.add_doctor_options,
        "hwsim.cli.commands.doctor",
        "hwsim doctor",
    ),
    "completion": Command(
        "the script that lets a shell complete commands, options and names",
        options.add_completion_options,
        "hwsim.cli.commands.completion",
        "hwsim completion bash > ~/.local/share/bash-completion/completions/hwsim",
    ),
}


def build_parser() -> ArgumentParser:
    """The parser of the whole command line; parsing raises `UsageError` for what it cannot take."""
    parser = _Parser(
        prog="hwsim",
        description="Run quantized super-resolution networks on a simulated integer accelerator.",
        epilog="Exit status: 0 success, 1 a check found a mismatch or an overflow, 2 bad input, "
        "130 interrupted.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"hwsim {__version__}")
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, title="commands", parser_class=_Parser
    )
    for name, command in COMMANDS.items():
        subparser = commands.add_parser(
            name,
            help=command.help,
            description=f"{command.help[0].upper()}{command.help[1:]}.",
            epilog=f"example:\n  {command.example}",
            formatter_class=RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.options(subparser)
        options.add_general_options(subparser)
    return parser


class _Parser(ArgumentParser):
    """Raises instead of printing usage and leaving, and suggests the nearest option."""

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Namespace | None = None
    ) -> tuple[Namespace, list[str]]:
        # A sub-command's parser reports what it cannot take itself: it knows its own options.
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            known = [option for action in self._actions for option in action.option_strings]
            given = unknown[0].split("=")[0]
            hint = suggestion(given, known) if given.startswith("-") else f"see {self.prog} --help"
            raise UsageError(self.prog, f"unknown argument '{unknown[0]}'; {hint}")
        return parsed, unknown

    def error(self, message: str) -> NoReturn:
        choice = re.match(r"argument COMMAND: invalid choice: '(.*)' \(", message)
        if choice:
            message = f"no command '{choice[1]}'; {suggestion(choice[1], COMMANDS)}"
        else:
            message = f"{message}; see {self.prog} --help"
        raise UsageError(self.prog, message)
