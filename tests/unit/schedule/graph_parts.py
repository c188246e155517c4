"""What the scheduler decides from, made for a graph as `hwsim.schedule.plan` makes it."""

from accelerators import Accelerator
from hwsim.schedule.cascade import Cascade, can_be_stage, form_cascade
from hwsim.schedule.groups import form_groups
from hwsim.schedule.optimizer import Network
from hwsim.schedule.plan import prepare
from hwsim.schedule.shapes import Memory, Shapes
from quant.graph import Graph, Size


def network_of(graph: Graph, accelerator: Accelerator, image: Size) -> Network:
    """What is divided into cascades, copies apart."""
    return prepare(graph, accelerator, image, Memory())[0]


def shapes_of(graph: Graph, network: Network, memory: Memory) -> Shapes:
    """The shapes of the runs of a graph's groups."""
    return Shapes(graph, network.groups, network.sizes, memory)


def cascade_of(graph: Graph, image: Size, first: int = 0, last: int | None = None) -> Cascade:
    """Groups of a graph, from one to before another, as one cascade."""
    sizes = graph.sizes(image)
    groups = form_groups(graph, sizes)
    chosen = groups[first:last]
    assert all(can_be_stage(group, sizes) for group in chosen)
    inside = {node.name for group in chosen for node in group.nodes}
    others = {name for node in graph.nodes if node.name not in inside for name in node.inputs} | {
        graph.output
    }
    cascade = form_cascade(chosen, {name: name in others for name in inside}, sizes)
    assert cascade is not None
    return cascade
