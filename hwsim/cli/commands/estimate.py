"""``hwsim estimate``: what one image of a size costs, without an image."""

import time
from argparse import Namespace
from contextlib import ExitStack
from dataclasses import replace

from accelerators import EnergyModel
from hwsim.adaptive import estimate_adaptive
from hwsim.cli.machine import load_energy_model, load_other_tables
from hwsim.cli.messages import Messages
from hwsim.cli.output_folder import output_folder
from hwsim.cli.picture_input import sample_input_size
from hwsim.cli.report_files import write_cost_files, write_explanation, write_result
from hwsim.cli.show import show
from hwsim.cli.subject import load_subject
from hwsim.cost import ProgramCost
from hwsim.cost.explanation import explain
from hwsim.report.energy_band import energy_band
from hwsim.report.explanation_record import explanation_record
from hwsim.report.image_run import result_from_adaptive_estimate
from hwsim.report.result import Result, result_from_cost
from hwsim.schedule.accumulators import all_as_computed
from hwsim.simulation import estimate
from quant.common.errors import UserError
from quant.graph import Graph, Size
from quant.graph.adaptive_file import AnyGraph


def execute(arguments: Namespace) -> int:
    """Run the command; returns the exit status."""
    started = time.monotonic()
    messages = Messages(quiet=arguments.quiet)
    with ExitStack() as stack:
        folder = stack.enter_context(output_folder(arguments.out)) if arguments.out else None
        energy = load_energy_model(arguments)
        others = load_other_tables(arguments, energy.accelerator)
        graph = load_subject(
            arguments, messages, accelerator=energy.accelerator, random_when_none_shipped=True
        ).graph
        graph = all_as_computed(graph, energy.accelerator, arguments.overflow)
        if arguments.explain and not isinstance(graph, Graph):
            raise UserError(
                "--explain: the image decides the bits of this network, so that an estimate is a "
                "mean over images, which no timeline has; explain a run (hwsim run --explain)"
            )
        size = Size(*(arguments.input_size or sample_input_size(int(graph.scale()))))
        with messages.stage(f"estimating {size.height}×{size.width}"):
            result, cost = _estimated(graph, energy, size, explained=arguments.explain)
        result = replace(
            result,
            energy_band=energy_band(cost, others),
            wall_seconds=time.monotonic() - started,
        )
        files = []
        if folder:
            write_cost_files(folder, graph, cost, result)
            write_explanation(folder, result)
            write_result(folder, result)
            files = folder.publish()
    show(result, files, as_json=arguments.json)
    return 0


def _estimated(
    graph: AnyGraph, energy: EnergyModel, size: Size, *, explained: bool
) -> tuple[Result, ProgramCost]:
    accelerator = energy.accelerator
    if isinstance(graph, Graph):
        estimated = estimate(graph, accelerator, energy, size)
        result = result_from_cost(graph, estimated.program, estimated.cost, energy)
        if explained:
            explanation = explanation_record(explain(estimated.program, accelerator))
            result = replace(result, explanation=explanation)
        return result, estimated.cost
    several = estimate_adaptive(graph, accelerator, energy, size)
    return result_from_adaptive_estimate(graph, several, size, energy), several.expected(graph)
