"""What one image costs."""

from dataclasses import replace
from typing import TYPE_CHECKING, Unpack

from hwsim.adaptive import estimate_adaptive
from hwsim.api.machines import Machine, Table, energy_model
from hwsim.api.networks import Quantization, integer_graph
from hwsim.cost.explanation import explain as explain_program
from hwsim.report.explanation_record import explanation_record
from hwsim.report.image_run import result_from_adaptive_estimate
from hwsim.report.result import Result, result_from_cost
from hwsim.schedule.accumulators import all_as_computed
from hwsim.simulation import estimate as estimate_graph
from quant.common.errors import UserError
from quant.graph import Graph, Size

if TYPE_CHECKING:
    from hwsim.api.networks import Network

DEFAULT_SIZE = (180, 320)


def estimate(
    network: "Network",
    accelerator: Machine = "edge_npu",
    *,
    input_size: tuple[int, int] = DEFAULT_SIZE,
    energy_table: Table | None = None,
    explain: bool = False,
    **quantization: Unpack[Quantization],
) -> Result:
    """Cycles, energy and memory of one image, without running it.

    Args:
        network: a name of ``names("networks")``, a file, a network in torch, or a graph.
        accelerator: the machine.
        input_size: height and width of the input image in pixels.
        energy_table: prices; without it, the machine's own.
        explain: whether to say of every layer what bounds it.
        quantization: see `Quantization`; not for graphs.

    Raises:
        UserError: there is no such network, machine or table, or they do not fit together.
        ScheduleError: the machine has no room for the network.
    """
    energy = energy_model(accelerator, energy_table)
    machine, size = energy.accelerator, Size(*input_size)
    graph, _ = integer_graph(network, machine, costs_only=True, **quantization)
    graph = all_as_computed(graph, machine)
    if not isinstance(graph, Graph):
        if explain:
            raise UserError(
                "explain: the image decides the bits of this network, so that an estimate is a "
                "mean over images, which no timeline has; explain a run"
            )
        several = estimate_adaptive(graph, machine, energy, size)
        return result_from_adaptive_estimate(graph, several, size, energy)
    found = estimate_graph(graph, machine, energy, size)
    result = result_from_cost(graph, found.program, found.cost, energy)
    if not explain:
        return result
    return replace(result, explanation=explanation_record(explain_program(found.program, machine)))
