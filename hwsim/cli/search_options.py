"""What ``hwsim search`` is asked for: an aim, limits, and rules for single layers."""

from argparse import ArgumentParser, ArgumentTypeError
from typing import TYPE_CHECKING

from hwsim.cli import layer_choices, quantities
from quant.common.errors import UserError

if TYPE_CHECKING:
    from hwsim.executors import Address

RESOURCES = ("energy", "latency", "dram", "sram")

_MOST_WORKERS = 1024


def add_aim(parser: ArgumentParser) -> None:
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
        choices=("error", *RESOURCES),
        help="what the recommended policy has least of (default: energy with --min-psnr, else the "
        "error)",
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


def add_limits(parser: ArgumentParser) -> None:
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


def add_layer_rules(parser: ArgumentParser) -> None:
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


def add_workers(parser: ArgumentParser) -> None:
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
