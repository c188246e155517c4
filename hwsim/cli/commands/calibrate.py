"""``hwsim calibrate``: relative energies and areas from synthesis with a cell library."""

from argparse import Namespace
from pathlib import Path

import numpy as np

from accelerators.synthesis.liberty import Library
from hwsim.calibration.campaign import Campaign
from hwsim.calibration.points import WIDTHS, points
from hwsim.calibration.records import NetworkRecords
from hwsim.cli.messages import Messages
from hwsim.cli.options import OSU018
from hwsim.cli.picture_input import read_picture_input
from hwsim.cli.subject import load_float_subject
from quant.common.errors import UserError
from quant.policy import BitPolicy


def execute(arguments: Namespace) -> int:
    """Run the command; returns the exit status."""
    messages = Messages(quiet=arguments.quiet)
    library = Library(_liberty(arguments.liberty))
    campaign = Campaign(library, arguments.out)
    subject = load_float_subject(arguments, messages)
    image, _ = read_picture_input(arguments).for_scale(subject.scale)
    records = NetworkRecords(
        lambda bits: subject.quantize(BitPolicy.load(bits)), image.astype(np.int32)
    )
    wanted = points(arguments.widths or WIDTHS, records)
    with messages.stage(f"measuring units of {library.name}") as progress:
        measured = list(campaign.measure(wanted, progress))
    print(len(measured))
    return 0


def _liberty(given: Path | None) -> Path:
    if given is not None:
        return given
    if not OSU018.exists():
        raise UserError(
            f"no cell library: {OSU018} is not there; install it (Debian: apt install "
            "qflow-tech-osu018) or name a Liberty file with --liberty"
        )
    return OSU018
