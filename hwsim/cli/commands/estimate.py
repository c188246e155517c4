"""``hwsim estimate``: what one image of a size costs, without an image."""

import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

from accelerators import Accelerator, EnergyModel
from hwsim.adaptive import estimate_adaptive
from hwsim.cli.machine import load_energy_model, load_other_tables
from hwsim.cli.messages import Messages
from hwsim.cli.output_folder import output_folder
from hwsim.cli.picture_input import sample_input_size
from hwsim.cli.report_files import write_cost_files, write_explanation, write_report
from hwsim.cli.run_provenance import run_provenance
from hwsim.cli.show import show
from hwsim.cli.subject import load_subject
from hwsim.cli.trace_file import trace_file
from hwsim.cost import ProgramCost
from hwsim.cost.explanation import explain
from hwsim.report.energy_band import energy_band
from hwsim.report.explanation_record import ExplanationRecord, explanation_record
from hwsim.report.image_run import result_from_adaptive_estimate
from hwsim.report.labels import subject_label
from hwsim.report.recorded_run import RecordedRun, RunRecord
from hwsim.report.result import Result, result_from_cost
from hwsim.report.trace import TracedCascade, trace_subject, traced_program
from hwsim.schedule import Program
from hwsim.schedule.accumulators import all_as_computed
from hwsim.simulation import estimate
from quant.common.errors import UserError
from quant.graph import Graph, Size
from quant.graph.adaptive_file import AnyGraph


@dataclass(frozen=True, slots=True)
class _Estimated:
    """What an image of a size costs.

    Attributes:
        result: its figures.
        cost: the account.
        program: what was priced; None where the image chooses among several.
    """

    result: Result
    cost: ProgramCost
    program: Program | None

    def explanation(self, accelerator: Accelerator) -> ExplanationRecord | None:
        """What bounds each layer; None of an expectation."""
        if self.program is None:
            return None
        return explanation_record(explain(self.program, accelerator))

    def timeline(self, accelerator: Accelerator) -> Iterator[TracedCascade]:
        """What every unit does when, of what is no expectation."""
        assert self.program is not None
        return traced_program(self.program, accelerator)


def execute(arguments: Namespace) -> int:
    """Run the command; returns the exit status."""
    started = time.monotonic()
    messages = Messages(quiet=arguments.quiet)
    with ExitStack() as stack:
        folder = stack.enter_context(output_folder(arguments.out)) if arguments.out else None
        trace = stack.enter_context(trace_file(arguments.trace)) if arguments.trace else None
        energy = load_energy_model(arguments)
        accelerator = energy.accelerator
        others = load_other_tables(arguments, accelerator)
        subject = load_subject(
            arguments, messages, accelerator=accelerator, random_when_none_shipped=True
        )
        graph = all_as_computed(subject.graph, accelerator, arguments.overflow)
        if not isinstance(graph, Graph):
            _refuse_timelines(arguments)
        size = Size(*(arguments.input_size or sample_input_size(int(graph.scale()))))
        with messages.stage(f"estimating {size.height}×{size.width}"):
            estimated = _estimated(graph, energy, size)
            wanted = folder or arguments.explain
            explanation = estimated.explanation(accelerator) if wanted else None
        result = replace(
            estimated.result,
            explanation=explanation if arguments.explain else None,
            energy_band=energy_band(estimated.cost, others),
            wall_seconds=time.monotonic() - started,
        )
        files = []
        if trace:
            about = trace_subject(subject_label(result), estimated.cost, accelerator)
            trace.write(estimated.timeline(accelerator), about, messages)
        if folder:
            with messages.stage("writing"):
                provenance = run_provenance(
                    arguments, graph, energy, {}, {}, quantized_here=subject.enlarge is not None
                )
                record = RunRecord(provenance=provenance, explanation=explanation)
                write_cost_files(folder, graph, estimated.cost, result)
                write_explanation(folder, result)
                write_report(folder, RecordedRun(result=result, record=record))
            files += folder.publish()
        if trace:
            files += trace.publish()
    show(result, files, as_json=arguments.json)
    return 0


def _estimated(graph: AnyGraph, energy: EnergyModel, size: Size) -> _Estimated:
    accelerator = energy.accelerator
    if isinstance(graph, Graph):
        found = estimate(graph, accelerator, energy, size)
        result = result_from_cost(graph, found.program, found.cost, energy)
        return _Estimated(result, found.cost, found.program)
    several = estimate_adaptive(graph, accelerator, energy, size)
    result = result_from_adaptive_estimate(graph, several, size, energy)
    return _Estimated(result, several.expected(graph), None)


def _refuse_timelines(arguments: Namespace) -> None:
    """An expectation has no timeline.

    Raises:
        UserError: what only a timeline gives is asked for.
    """
    asked = {"explain": ("--explain", "explain"), "trace": ("--trace FILE", "trace")}
    for name, (option, verb) in asked.items():
        if getattr(arguments, name):
            raise UserError(
                f"{option.split()[0]}: the image decides the bits of this network, so that an "
                "estimate is a mean over images, which no timeline has; "
                f"{verb} a run (hwsim run {option})"
            )
