"""A small image on a small machine; layers have names that no page must believe."""

from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from accelerators import EnergyModel
from hwsim.image_run import ImageRun, explain_run, run_image
from hwsim.report.explanation_record import explanation_record
from hwsim.report.image_run import result_from_run
from hwsim.report.judgement import Judgement
from hwsim.report.provenance import IMAGE_PIXELS, Provenance
from hwsim.report.recorded_run import RecordedRun, RunRecord
from hwsim.report.result import BitExact, Output
from quant.graph import Graph
from quant.imaging import bicubic_upscale
from tests.edsr_graphs import edsr_graph
from tests.machines import machine, prices

Pixels = NDArray[np.uint8]

HOSTILE_NAMES = {
    "head": "</script><script>alert('head')</script>",
    "tail": '<img src="x" onerror="alert(1)"> & "tail" %{y}',
}
SCALE = 2
BITS = {"head": (8, 8), "block0.conv1": (4, 6), "block0.conv2": (2, 4), "body_end": (8, 3),
        "upsampler": (1, 1), "tail": (8, 8)}  # fmt: skip


def small_graph() -> Graph:
    """An EDSR of one block with widths of all kinds, its layers renamed."""
    graph = edsr_graph(1, 4, bits=BITS)
    nodes = [
        replace(
            node,
            name=HOSTILE_NAMES.get(node.name, node.name),
            inputs=tuple(HOSTILE_NAMES.get(name, name) for name in node.inputs),
        )
        for node in graph.nodes
    ]
    output = HOSTILE_NAMES.get(graph.output, graph.output)
    return replace(graph, nodes=tuple(nodes), output=output, metadata={"network": "<b>network</b>"})


def small_image(height: int = 12, width: int = 17) -> Pixels:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)


@cache
def small_run(sram_kib: int = 16) -> RecordedRun:
    """Judged by an original of noise; on memories of different sizes, of different cost."""
    energy, image, run = _ran(sram_kib)
    height, width = (SCALE * side for side in image.shape[:2])
    judgement = Judgement(
        bicubic_upscale(image, SCALE),
        run.output.astype(np.uint8),
        None,
        small_image(height, width),
        SCALE,
    )
    result = replace(
        result_from_run(small_graph(), run, energy),
        psnr_db=judgement.psnr_db(judgement.output),
        psnr_bicubic_db=judgement.psnr_db(judgement.bicubic),
        ssim=judgement.ssim(),
        output=Output(path=None, sha256="0" * 64),
        bit_exact=BitExact(reference="reference", values=3, mismatches=0),
    )
    provenance = Provenance(
        "<b>network</b>",
        {"command": f"hwsim run --out '<i>folder {sram_kib}</i>'"},
        {"graph": "1" * 64, IMAGE_PIXELS: "2" * 64},
        ("<u>control</u>",),
    )
    explanation = explanation_record(explain_run(run, energy.accelerator))
    return RecordedRun(
        result=result,
        record=RunRecord(provenance=provenance, explanation=explanation),
        panels=judgement.panels(result),
        output=judgement.place_of_output(),
    )


def _ran(sram_kib: int) -> tuple[EnergyModel, Pixels, ImageRun]:
    accelerator = machine(sram_kib, 8)
    energy, image = prices(accelerator), small_image()
    return energy, image, run_image(small_graph(), accelerator, energy, image.astype(np.int32))
