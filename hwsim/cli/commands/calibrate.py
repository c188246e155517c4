"""``hwsim calibrate``: relative energies and areas from synthesis with a cell library."""

from argparse import Namespace
from pathlib import Path

import numpy as np

from accelerators.synthesis.liberty import Library
from hwsim import __version__
from hwsim.calibration.campaign import Campaign
from hwsim.calibration.factors import Study, factors_document
from hwsim.calibration.files import write_factors, write_points
from hwsim.calibration.points import WIDTHS, points
from hwsim.calibration.records import NetworkRecords
from hwsim.cli.messages import Messages
from hwsim.cli.options import OSU018, SAMPLE
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
    name = arguments.name or library.name
    study = Study(
        name,
        library,
        arguments.technology_nm,
        (campaign.yosys, f"hwsim {__version__}"),
        f"{arguments.network} on {arguments.image or SAMPLE}",
        _command(arguments),
    )
    files = [arguments.out / f"{name}.yaml", arguments.out / f"{name}.csv"]
    write_factors(files[0], factors_document(measured, study))
    write_points(files[1], measured)
    for file in files:
        print(file)
    return 0


def _command(arguments: Namespace) -> str:
    """The command that writes the files again; its folder does not matter."""
    given = ["hwsim calibrate", arguments.network]
    for option in ("widths", "name", "technology_nm"):
        value = getattr(arguments, option)
        if value is not None:
            text = ",".join(map(str, value)) if option == "widths" else str(value)
            given += [f"--{option.replace('_', '-')}", text]
    if arguments.liberty is not None:
        given += ["--liberty", arguments.liberty.name]
    return " ".join(given)


def _liberty(given: Path | None) -> Path:
    if given is not None:
        return given
    if not OSU018.exists():
        raise UserError(
            f"no cell library: {OSU018} is not there; install it (Debian: apt install "
            "qflow-tech-osu018) or name a Liberty file with --liberty"
        )
    return OSU018
