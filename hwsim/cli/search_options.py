"""What searches are asked for: an aim, limits, rules for single layers, variants of machines."""

from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import TYPE_CHECKING

from hwsim.cli import layer_choices, options, quantities
from quant.common.errors import UserError

if TYPE_CHECKING:
    from hwsim.executors import Address

RESOURCES = ("energy", "latency", "dram", "sram")
AREA = "area"

_OF_MACHINES = "; with area, the machine: the bits are then those of least energy"

_MOST_WORKERS = 1024


def add_search_options(parser: ArgumentParser) -> None:
    """What ``hwsim search`` takes."""
    _add_what_is_searched(parser, ("error", *RESOURCES))
    options.add_quantization(parser, with_bits=False)
    options.add_machine(parser)
    _add_workers(parser)
    options.add_output(
        parser, "folder for the policy, the chart and the result; what was measured is kept there"
    )


def add_codesign_options(parser: ArgumentParser) -> None:
    """What ``hwsim codesign`` takes."""
    _add_what_is_searched(parser, ("error", *RESOURCES, AREA))
    options.add_quantization(parser, with_bits=False, several=True)
    options.add_machine(parser, several=True)
    group = parser.add_argument_group("variants of the machines")
    group.add_argument(
        "--vary",
        type=_variation,
        action="append",
        default=[],
        metavar="PATH=VALUE,VALUE,…",
        help="values of a key of the accelerators' files, such as array.rows=16,32 or "
        "scheduling.fusion=true,false; may be repeated: every combination is searched",
    )
    group.add_argument(
        "--max-area",
        type=quantities.square_millimetres,
        metavar="AREA",
        help="such as 3mm2: larger machines are left out",
    )
    _add_workers(parser)
    options.add_output(
        parser,
        "folder for the result, its page, and a folder for each variant; what was measured is kept "
        "there",
    )


def _add_what_is_searched(parser: ArgumentParser, aims: tuple[str, ...]) -> None:
    """The network, what is asked of its bits, and what fidelity is judged on."""
    options.add_network(parser, "network name")
    options.add_input_size(parser)
    _add_aim(parser, aims)
    _add_limits(parser)
    _add_layer_rules(parser)
    group = parser.add_argument_group("fidelity")
    group.add_argument(
        "--pictures",
        type=Path,
        metavar="DIR",
        help="low-resolution pictures to judge fidelity on (default: parts of the photographs "
        "that come with the program)",
    )


def _add_aim(parser: ArgumentParser, aims: tuple[str, ...]) -> None:
    """What is sought, and among which widths."""
    group = parser.add_argument_group("search")
    group.add_argument(
        "--widths",
        type=layer_choices.widths,
        metavar="N,N,…",
        help="widths a layer may have, in bits (default: 2,3,4,6,8)",
    )
    group.add_argument(
        "--minimize",
        choices=aims,
        help="what the recommended policy has least of (default: energy with --min-psnr, else the "
        "error)" + (_OF_MACHINES if AREA in aims else ""),
    )
    group.add_argument(
        "--against",
        choices=RESOURCES,
        help="what the front trades fidelity against (default: what is minimized, else what is "
        "limited, else energy)",
    )
    group.add_argument(
        "--front-points", type=int, metavar="N", help="policies of the front to measure"
    )
    group.add_argument(
        "--refine",
        type=int,
        metavar="N",
        dest="local_search_evaluations",
        help="local search: measure up to N policies more near the best (default: 0)",
    )


def _add_limits(parser: ArgumentParser) -> None:
    """What the recommended policy must keep to."""
    group = parser.add_argument_group("limits of the recommended policy, for one image")
    group.add_argument(
        "--min-psnr",
        type=quantities.decibels,
        metavar="DB",
        help="least fidelity to the float network",
    )
    group.add_argument(
        "--max-energy", type=quantities.energy_uj, metavar="ENERGY", help="such as 5mJ"
    )
    group.add_argument(
        "--max-latency",
        type=quantities.latency,
        metavar="TIME",
        help="such as 33ms, or 900000cycles",
    )
    group.add_argument(
        "--min-fps",
        type=quantities.frame_time,
        metavar="N",
        help="images per second, one after the other",
    )
    group.add_argument(
        "--max-dram",
        type=quantities.whole_bytes,
        metavar="DATA",
        help="bytes read and written, such as 100MB",
    )
    group.add_argument(
        "--max-sram",
        type=quantities.whole_bytes,
        metavar="DATA",
        help="SRAM in use at the most, such as 512KiB",
    )


def _add_layer_rules(parser: ArgumentParser) -> None:
    """What single layers may have."""
    group = parser.add_argument_group("layers")
    group.add_argument(
        "--allow",
        type=layer_choices.allowed,
        action="append",
        default=[],
        metavar="LAYER=BITS",
        help="what layers that fit a pattern may have instead: widths (body.*=4,8) or pairs "
        "(head=w8a8); may be repeated, the last that fits counts",
    )
    group.add_argument(
        "--first-and-last",
        type=layer_choices.layer_bits,
        metavar="BITS",
        help="fixed bits of the first and last layer, such as w8a8",
    )
    group.add_argument(
        "--tie",
        action="append",
        default=[],
        metavar="LAYER",
        help="layers that fit this pattern get the same bits; may be repeated",
    )


def _add_workers(parser: ArgumentParser) -> None:
    """Who measures."""
    group = parser.add_argument_group("workers")
    group.add_argument(
        "--workers",
        type=_processes,
        metavar="N",
        help="processes that measure; 1 is this one alone (default: one for each processor)",
    )
    group.add_argument(
        "--executor",
        type=_cluster,
        metavar="dask://HOST:PORT",
        help="measure on this Dask cluster instead",
    )


def _variation(text: str) -> tuple[str, tuple[str, ...]]:
    path, equals, listed = text.partition("=")
    values = tuple(value.strip() for value in listed.split(","))
    if not path or not equals or not all(values):
        raise ArgumentTypeError(
            f"expected PATH=VALUE,VALUE,… such as array.rows=16,32, got '{text}'"
        )
    return path, values


def _processes(text: str) -> int:
    fits = text.isascii() and text.isdecimal() and len(text) <= len(str(_MOST_WORKERS))
    if not (fits and 0 < int(text) <= _MOST_WORKERS):
        raise ArgumentTypeError(
            f"expected a number of processes from 1 to {_MOST_WORKERS}, got '{text}'"
        )
    return int(text)


def _cluster(text: str) -> "Address":
    from hwsim.executors import Address

    try:
        return Address.parse(text)
    except UserError as error:
        raise ArgumentTypeError(str(error)) from error
