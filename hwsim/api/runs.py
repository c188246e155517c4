"""One image on the simulated machine."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from hwsim.api.machines import Machine, Table, energy_model
from hwsim.api.networks import FloatNetwork, Quantization, integer_graph
from hwsim.api.picture_input import PictureInput
from hwsim.image_run import ImageRun, compare_image, explain_run, run_image
from hwsim.machine import KERNELS, REFERENCE
from hwsim.report.explanation_record import explanation_record
from hwsim.report.html import picture_html, result_html
from hwsim.report.image_run import result_from_run
from hwsim.report.judgement import Judgement, judged
from hwsim.report.pictures import draw_comparison, png_bytes
from hwsim.report.result import Output, Result
from hwsim.schedule.accumulators import all_as_computed
from hwsim.simulation import Comparison
from quant.common.errors import UserError, suggestion
from quant.graph.adaptive_file import AnyGraph
from quant.imaging import (
    DEFAULT_SAMPLE,
    bicubic_upscale,
    read_image,
    sample_photograph,
)

if TYPE_CHECKING:
    from hwsim.api.networks import Network

Pixels = NDArray[np.uint8]
Picture = str | Path | NDArray[Any]
"""A file, or uint8 [height, width, 3]."""

SAMPLE = "sample"
"""The word for the photograph that comes along, reduced and judged by the original."""

_ARITHMETICS = {"reference": REFERENCE, "kernels": KERNELS, "none": None}


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """An image that ran.

    Attributes:
        result: its figures.
        pictures: uint8 [height, width, 3] by what made them: ``input``, ``bicubic``, ``float``
            where there is a float network, ``output``, and ``original`` where there is one.
        comparison: uint8 [height, width, 3], the pictures side by side with a detail.
    """

    result: Result
    pictures: Mapping[str, Pixels]
    comparison: Pixels

    @property
    def output(self) -> Pixels:
        """The picture that the machine made."""
        return self.pictures["output"]

    def _repr_html_(self) -> str:
        return result_html(self.result) + picture_html(self.comparison, "pictures side by side")


def run(
    network: "Network",
    accelerator: Machine = "edge_npu",
    *,
    image: Picture | None = None,
    hr: Picture | None = None,
    patch: int | None = None,
    check: str = "kernels",
    energy_table: Table | None = None,
    explain: bool = False,
    **quantization: Unpack[Quantization],
) -> Run:
    """Run an image bit for bit, compare every integer, and price every event.

    Args:
        network: a name of ``names("networks")``, a file, a network in torch, or a graph.
        accelerator: the machine.
        image: what to enlarge; without it, ``hr`` reduced, and without that a photograph that comes
            along, reduced.
        hr: the original to judge by.
        patch: side of patches that run one after the other; without it, the image runs whole.
        check: what computes the integers layer by layer to compare with: ``kernels``, the slow
            ``reference``, or ``none``.
        energy_table: prices; without it, the machine's own.
        explain: whether to say of every layer what bounds it.
        quantization: see `Quantization`; not for graphs.

    Raises:
        AccumulatorOverflow: a sum left an accumulator that must not overflow.
        ScheduleError: the machine has no room for the network.
        UserError: there is no such network, machine, table or picture, or they do not fit together.
    """
    if check not in _ARITHMETICS:
        raise UserError(f"check '{check}': no such arithmetic; {suggestion(check, _ARITHMETICS)}")
    energy = energy_model(accelerator, energy_table)
    machine = energy.accelerator
    graph, source = integer_graph(network, machine, **quantization)
    graph = all_as_computed(graph, machine)
    low, high = _given(image, hr).for_scale(int(graph.scale()))
    ran = run_image(graph, machine, energy, low.astype(np.int32), patch)
    compared = _compared(ran, graph, low, check)
    judgement = _judgement(ran, low, high, source, int(graph.scale()))
    png = png_bytes(judgement.output)
    result = replace(
        judged(result_from_run(graph, ran, energy), compared, judgement),
        output=Output(path=None, sha256=hashlib.sha256(png).hexdigest()),
    )
    if explain:
        result = replace(result, explanation=explanation_record(explain_run(ran, machine)))
    given = {
        "input": low,
        "bicubic": judgement.bicubic,
        "float": judgement.floating,
        "output": judgement.output,
        "original": judgement.original,
    }
    pictures = {name: pixels for name, pixels in given.items() if pixels is not None}
    return Run(result, pictures, draw_comparison(judgement.panels(result)))


def _given(image: Picture | None, hr: Picture | None) -> PictureInput:
    if hr is None and (image is None or (isinstance(image, str) and image == SAMPLE)):
        return PictureInput(None, sample_photograph(DEFAULT_SAMPLE), SAMPLE)
    original = None if hr is None else _pixels(hr, "hr")
    return PictureInput(None if image is None else _pixels(image, "image"), original, "hr")


def _pixels(picture: Picture, argument: str) -> Pixels:
    if isinstance(picture, str | Path):
        return read_image(Path(picture))
    pixels = np.asarray(picture)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise UserError(
            f"{argument}: expected uint8 [height, width, 3], given {pixels.dtype} "
            f"{list(pixels.shape)}; convert it to 8-bit RGB"
        )
    return pixels


def _compared(ran: ImageRun, graph: AnyGraph, image: Pixels, check: str) -> Comparison | None:
    arithmetic = _ARITHMETICS[check]
    if arithmetic is None:
        return None
    return compare_image(ran, graph, image.astype(np.int32), arithmetic)


def _judgement(
    ran: ImageRun, image: Pixels, original: Pixels | None, source: FloatNetwork | None, scale: int
) -> Judgement:
    floating = None if source is None else source.picture(image)
    output = ran.output.astype(np.uint8)
    return Judgement(bicubic_upscale(image, scale), output, floating, original, scale)
