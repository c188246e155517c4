"""What of a graph a machine's kind of array can run, and what its weights are to such an array."""

from functools import lru_cache

from accelerators import Accelerator
from accelerators.datapaths.kinds import datapath_of
from accelerators.datapaths.shift_add import code_terms
from hwsim.schedule.groups import ScheduleError
from quant.common.codes import CodeKind
from quant.graph import Graph, IntegerType, ScaledConvolution


def check_datapath(graph: Graph, accelerator: Accelerator) -> None:
    """Refuse what the array's kind cannot do.

    Raises:
        ScheduleError: a convolution's channels are scaled at run time, beside another kind of array
            than that scaling is described for.
    """
    array = accelerator.array
    if datapath_of(array).scales_at_run_time:
        return
    for node in graph.nodes:
        if isinstance(node.operator, ScaledConvolution):
            raise ScheduleError(
                f"operator '{node.name}' ({node.operator.kind}): its channels are scaled at run "
                "time, for which an array must have dataflow output_stationary and lanes 1; that "
                f"of accelerator '{accelerator.name}' has {array.dataflow} and {array.lanes}; "
                "choose another accelerator or a method with constant scales"
            )


@lru_cache(maxsize=1024)
def weight_terms(weight_type: IntegerType) -> int:
    """The most powers of two, added or subtracted, in a weight of a type."""
    if weight_type.kind is CodeKind.TABLE:
        return code_terms(weight_type.values)
    if weight_type.kind is CodeKind.SIGNED:
        return (weight_type.bits + 1) // 2
    return weight_type.bits // 2 + 1
