"""``hwsim run``: an image through the simulated accelerator, checked, priced and judged."""

import hashlib
import time
from argparse import Namespace
from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from accelerators import EnergyModel
from hwsim.cli.machine import load_energy_model
from hwsim.cli.messages import Messages
from hwsim.cli.output_folder import OutputFolder, output_folder
from hwsim.cli.picture_codes import decode_picture, encode_picture
from hwsim.cli.picture_input import read_picture_input
from hwsim.cli.report_files import write_cost_files, write_pictures, write_result
from hwsim.cli.show import show
from hwsim.cli.subject import Subject, load_subject
from hwsim.machine import KERNELS, REFERENCE
from hwsim.report.pictures import Panel, png_bytes
from hwsim.report.result import BitExact, Output, Result, result_from_cost
from hwsim.simulation import Comparison, Simulation, compare, simulate
from quant.imaging import bicubic_upscale, luma_psnr_db, luma_ssim

Pixels = NDArray[np.uint8]

_ARITHMETICS = {"reference": REFERENCE, "kernels": KERNELS}
_SSIM_PIXELS = 11  # side of the window SSIM is defined on


@dataclass(frozen=True, slots=True, eq=False)
class _Pictures:
    """What the image became, and what it should have become.

    Attributes:
        bicubic: the image enlarged without a network.
        output: what the machine made of it.
        floating: what the float network makes of it; None without one.
        original: what it was reduced from; None when unknown.
        border: pixels left out on each side when pictures are judged.
    """

    bicubic: Pixels
    output: Pixels
    floating: Pixels | None
    original: Pixels | None
    border: int

    def psnr_db(self, image: Pixels | None) -> float | None:
        if self.original is None or image is None:
            return None
        return luma_psnr_db(self.original, image, self.border)

    def ssim(self) -> float | None:
        """None also where the picture is smaller than one window of SSIM."""
        inside = min(self.output.shape[:2]) - 2 * self.border
        if self.original is None or inside < _SSIM_PIXELS:
            return None
        return luma_ssim(self.original, self.output, self.border)


def execute(arguments: Namespace) -> int:
    """Run the command; returns the exit status, 1 when the output is not bit-exact."""
    started = time.monotonic()
    messages = Messages(quiet=arguments.quiet)
    with ExitStack() as stack:
        folder = stack.enter_context(output_folder(arguments.out)) if arguments.out else None
        energy = load_energy_model(arguments)
        given = read_picture_input(arguments)
        subject = load_subject(arguments, messages)
        scale = int(subject.graph.scale())
        image, original = given.for_scale(scale)
        bicubic = bicubic_upscale(image, scale)
        if original is not None:
            luma_psnr_db(original, bicubic, scale)  # refuses what is too small before the long part
        codes = encode_picture(subject.graph, image)
        simulation = _simulate(subject, energy, codes, messages)
        comparison = _compare(subject, simulation, codes, arguments.check, messages)
        pictures = _Pictures(
            bicubic,
            decode_picture(subject.graph, simulation.output),
            _float_picture(subject, image) if folder or original is not None else None,
            original,
            scale,
        )
        png = png_bytes(pictures.output)
        result = replace(
            _judged(subject, energy, simulation, comparison, pictures),
            output=Output(
                path=str(folder.path / "output.png") if folder else None,
                sha256=hashlib.sha256(png).hexdigest(),
            ),
            wall_seconds=time.monotonic() - started,
        )
        files = []
        if folder:
            _write(folder, subject, simulation, result, pictures, png)
            files = folder.publish()
    show(result, files, as_json=arguments.json)
    if comparison is not None and comparison.mismatches:
        messages.say(_mismatch(comparison))
        return 1
    return 0


def _simulate(
    subject: Subject, energy: EnergyModel, codes: NDArray[np.int32], messages: Messages
) -> Simulation:
    with messages.stage("simulating") as progress:
        return simulate(subject.graph, energy.accelerator, energy, codes, progress)


def _compare(
    subject: Subject,
    simulation: Simulation,
    codes: NDArray[np.int32],
    check: str,
    messages: Messages,
) -> Comparison | None:
    if check == "none":
        return None
    arithmetic = _ARITHMETICS[check]
    with messages.stage(f"checking against the {arithmetic.name}") as progress:
        return compare(simulation.output, subject.graph, codes, arithmetic, progress)


def _float_picture(subject: Subject, image: Pixels) -> Pixels | None:
    if subject.network is None:
        return None
    from quant.networks.inference import super_resolve

    return super_resolve(subject.network, image)


def _judged(
    subject: Subject,
    energy: EnergyModel,
    simulation: Simulation,
    comparison: Comparison | None,
    pictures: _Pictures,
) -> Result:
    bit_exact = comparison and BitExact(
        reference=comparison.reference,
        values=comparison.values,
        mismatches=comparison.mismatches,
    )
    return replace(
        result_from_cost(subject.graph, simulation.program, simulation.cost, energy),
        psnr_db=pictures.psnr_db(pictures.output),
        psnr_float_db=pictures.psnr_db(pictures.floating),
        psnr_bicubic_db=pictures.psnr_db(pictures.bicubic),
        ssim=pictures.ssim(),
        bit_exact=bit_exact,
    )


def _write(
    folder: OutputFolder,
    subject: Subject,
    simulation: Simulation,
    result: Result,
    pictures: _Pictures,
    png: bytes,
) -> None:
    integer = " ".join(filter(None, ("integer", result.method, result.policy)))
    candidates = (
        ("bicubic", pictures.bicubic),
        (f"float {result.network}", pictures.floating),
        (integer, pictures.output),
        ("original", pictures.original),
    )
    panels = [
        Panel(title, image, _note(pictures, image))
        for title, image in candidates
        if image is not None
    ]
    write_pictures(folder, png, panels)
    write_cost_files(folder, subject.graph, simulation.cost, result)
    write_result(folder, result)


def _note(pictures: _Pictures, image: Pixels) -> str:
    psnr_db = None if image is pictures.original else pictures.psnr_db(image)
    return "" if psnr_db is None else f"{psnr_db:.2f} dB"


def _mismatch(comparison: Comparison) -> str:
    row, column, channel = comparison.first or (0, 0, 0)
    return (
        f"not bit-exact: {comparison.mismatches} of {comparison.values} output integers differ "
        f"from the {comparison.reference}; the first at row {row}, column {column}, channel "
        f"{channel}: found {comparison.found}, expected {comparison.expected}"
    )
