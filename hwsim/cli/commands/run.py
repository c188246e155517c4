"""``hwsim run``: an image through the simulated accelerator, checked, priced and judged."""

import hashlib
import time
from argparse import Namespace
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accelerators import EnergyModel
from accelerators.activity import require_covered
from hwsim.cli.machine import load_energy_model, load_other_tables
from hwsim.cli.messages import Messages
from hwsim.cli.output_folder import OutputFolder, output_folder
from hwsim.cli.picture_graph import require_picture_graph
from hwsim.cli.picture_input import read_picture_input
from hwsim.cli.report_files import (
    OUTPUT,
    write_cost_files,
    write_explanation,
    write_pictures,
    write_report,
)
from hwsim.cli.run_provenance import image_words, run_provenance
from hwsim.cli.show import show
from hwsim.cli.subject import Subject, load_subject
from hwsim.cli.trace_file import trace_file
from hwsim.identity import arrays_identity
from hwsim.image_run import ImageRun, compare_image, explain_run, run_image
from hwsim.machine import KERNELS, REFERENCE
from hwsim.report.activity import Activity, measured_activity
from hwsim.report.energy_band import energy_band
from hwsim.report.explanation_record import ExplanationRecord, explanation_record
from hwsim.report.image_run import result_from_run
from hwsim.report.judgement import Judgement, judged
from hwsim.report.labels import subject_label
from hwsim.report.pictures import png_bytes
from hwsim.report.provenance import IMAGE_PIXELS
from hwsim.report.recorded_run import RecordedRun, RunRecord
from hwsim.report.result import Output
from hwsim.report.trace import trace_subject, traced_run
from hwsim.schedule.accumulators import all_as_computed
from hwsim.simulation import Comparison
from quant.imaging import bicubic_upscale, luma_psnr_db

Pixels = NDArray[np.uint8]

_ARITHMETICS = {"reference": REFERENCE, "kernels": KERNELS}


@dataclass(frozen=True, slots=True, eq=False)
class _Ran:
    """An image that ran, with all that is told of it.

    Attributes:
        subject: what ran.
        energy: the machine and its prices.
        image: uint8 [height, width, 3], the image.
        run: on the machine.
        comparison: with the same computed layer by layer; None where that was not wanted.
        judgement: the pictures.
        png: the picture as the content of a PNG file.
        recorded: the result, what it rests on, and the pictures to be shown.
    """

    subject: Subject
    energy: EnergyModel
    image: Pixels
    run: ImageRun
    comparison: Comparison | None
    judgement: Judgement
    png: bytes
    recorded: RecordedRun


def execute(arguments: Namespace) -> int:
    """Run the command; returns the exit status, 1 when the output is not bit-exact."""
    messages = Messages(quiet=arguments.quiet)
    with ExitStack() as stack:
        folder = stack.enter_context(output_folder(arguments.out)) if arguments.out else None
        trace = stack.enter_context(trace_file(arguments.trace)) if arguments.trace else None
        ran = _ran(arguments, messages)
        result, accelerator = ran.recorded.result, ran.energy.accelerator
        files = []
        if trace:
            about = trace_subject(subject_label(result), ran.run.cost, accelerator)
            trace.write(traced_run(ran.run, accelerator), about, messages)
        if folder:
            with messages.stage("writing"):
                _write(folder, ran)
            files += folder.publish()
        if trace:
            files += trace.publish()
    show(result, files, as_json=arguments.json)
    return _status(ran.run, ran.comparison, messages)


def _ran(arguments: Namespace, messages: Messages) -> _Ran:
    """Everything up to the result; what can be wrong is found wrong before the long part."""
    started = time.monotonic()
    energy = load_energy_model(arguments)
    others = load_other_tables(arguments, energy.accelerator)
    if arguments.energy_activity == "measured":
        require_covered(energy.accelerator.array.dataflow, energy.accelerator.name)
    given = read_picture_input(arguments)
    subject = load_subject(arguments, messages, accelerator=energy.accelerator)
    require_picture_graph(subject.graph)
    computed = all_as_computed(subject.graph, energy.accelerator, arguments.overflow)
    subject = replace(subject, graph=computed)
    scale = int(subject.graph.scale())
    image, original = given.for_scale(scale)
    bicubic = bicubic_upscale(image, scale)
    if original is not None:
        luma_psnr_db(original, bicubic, scale)  # refuses what is too small
    codes = image.astype(np.int32)
    run = _run(subject, energy, codes, arguments.patch, messages)
    comparison = _compare(subject, run, codes, arguments.check, messages)
    activity = _activity(run, energy, codes, arguments.energy_activity, messages)
    floating = subject.float_picture(image) if arguments.out or original is not None else None
    judgement = Judgement(bicubic, run.output.astype(np.uint8), floating, original, scale)
    png = png_bytes(judgement.output)
    explanation = _explanation(arguments, run, energy, messages)
    result = replace(
        judged(result_from_run(subject.graph, run, energy), comparison, judgement),
        output=_output(arguments.out, png),
        explanation=explanation if arguments.explain else None,
        energy_band=energy_band(run.cost, others),
        activity=activity,
        wall_seconds=time.monotonic() - started,
    )
    recorded = RecordedRun(
        result=result,
        record=_record(arguments, subject, energy, (image, original, png), explanation),
        panels=judgement.panels(result),
        output=judgement.place_of_output(),
    )
    return _Ran(subject, energy, image, run, comparison, judgement, png, recorded)


def _record(
    arguments: Namespace,
    subject: Subject,
    energy: EnergyModel,
    pictures: tuple[Pixels, Pixels | None, bytes],
    explanation: ExplanationRecord | None,
) -> RunRecord | None:
    """What a report has beside the result; None where none is written."""
    if not arguments.out:
        return None
    image, original, png = pictures
    hashes = {
        IMAGE_PIXELS: arrays_identity((image,)),
        **({} if original is None else {"original, its pixels": arrays_identity((original,))}),
        "picture made, its PNG file": hashlib.sha256(png).hexdigest(),
    }
    words = image_words(arguments)
    provenance = run_provenance(
        arguments,
        subject.graph,
        energy,
        words,
        hashes,
        quantized_here=subject.enlarge is not None,
    )
    return RunRecord(provenance=provenance, explanation=explanation)


def _write(folder: OutputFolder, ran: _Ran) -> None:
    result, graph = ran.recorded.result, ran.subject.graph
    write_pictures(folder, ran.png, ran.image, ran.judgement, ran.recorded.panels)
    write_cost_files(folder, graph, ran.run.cost, result)
    write_explanation(folder, result)
    write_report(folder, ran.recorded)


def _status(run: ImageRun, comparison: Comparison | None, messages: Messages) -> int:
    """The exit status, having said what is not bit-exact."""
    if comparison is not None and comparison.mismatches:
        messages.say(_mismatch(comparison))
        return 1
    if comparison is not None and comparison.overflows != run.overflows:
        messages.say(f"not bit-exact: other sums overflowed than in the {comparison.reference}")
        return 1
    return 0


def _run(
    subject: Subject,
    energy: EnergyModel,
    codes: NDArray[np.int32],
    patch: int | None,
    messages: Messages,
) -> ImageRun:
    with messages.stage("simulating") as progress:
        return run_image(subject.graph, energy.accelerator, energy, codes, patch, progress)


def _compare(
    subject: Subject,
    run: ImageRun,
    codes: NDArray[np.int32],
    check: str,
    messages: Messages,
) -> Comparison | None:
    if check == "none":
        return None
    arithmetic = _ARITHMETICS[check]
    with messages.stage(f"checking against the {arithmetic.name}") as progress:
        return compare_image(run, subject.graph, codes, arithmetic, progress)


def _activity(
    run: ImageRun,
    energy: EnergyModel,
    codes: NDArray[np.int32],
    wanted: str,
    messages: Messages,
) -> Activity | None:
    if wanted != "measured":
        return None
    with messages.stage("measuring switching"):
        return measured_activity(run, codes, energy)


def _explanation(
    arguments: Namespace, run: ImageRun, energy: EnergyModel, messages: Messages
) -> ExplanationRecord | None:
    """What bounds each layer, where it is asked for or goes into a report."""
    if not arguments.explain and not arguments.out:
        return None
    with messages.stage("explaining"):
        return explanation_record(explain_run(run, energy.accelerator))


def _output(folder: Path | None, png: bytes) -> Output:
    path = str(folder / OUTPUT) if folder else None
    return Output(path=path, sha256=hashlib.sha256(png).hexdigest())


def _mismatch(comparison: Comparison) -> str:
    row, column, channel = comparison.first or (0, 0, 0)
    return (
        f"not bit-exact: {comparison.mismatches} of {comparison.values} output integers differ "
        f"from the {comparison.reference}; the first at row {row}, column {column}, channel "
        f"{channel}: found {comparison.found}, expected {comparison.expected}"
    )
