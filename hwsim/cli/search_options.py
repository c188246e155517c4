"""What ``hwsim search`` is asked for: an aim, limits, and rules for single layers."""

from argparse import ArgumentParser

from hwsim.cli import layer_choices, quantities

RESOURCES = ("energy", "latency", "dram", "sram")


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
