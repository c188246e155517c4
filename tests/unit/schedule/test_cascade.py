"""How far stages of a cascade are ahead, and the rows that SRAM holds, worked out by hand.

An EDSR of two blocks: every convolution is 3 x 3, so reads a row below and a column beside its
own. Counted from the last stage, each convolution adds one to what those before it are ahead.
"""

import numpy as np
import pytest

from hwsim.machine import REFERENCE, execute, run_layerwise
from hwsim.schedule import schedule
from hwsim.schedule.cascade import Cascade, Reaches, can_be_stage, form_cascade
from hwsim.schedule.cascade_places import (
    Columns,
    ring_rows,
    ring_widths,
    stage_columns,
    strips,
    tensor_columns,
)
from hwsim.schedule.commands import Convolve, StoreRows
from hwsim.schedule.groups import form_groups
from quant.common.codes import CodeKind
from quant.graph import (
    Convolution,
    Graph,
    IntegerType,
    Node,
    Operator,
    Padding,
    Size,
    Statistics,
    TensorType,
)
from tests.edsr_graphs import edsr_graph
from tests.machines import machine
from tests.unit.schedule.graph_parts import cascade_of

IMAGE = Size(40, 48)
STAGES = (
    "head.input", "head", "block0.conv1", "block0.conv2", "block1.conv1", "block1.conv2",
    "body_end", "upsampler", "tail",
)  # fmt: skip


@pytest.fixture(scope="module")
def graph() -> Graph:
    return edsr_graph(blocks=2)


@pytest.fixture(scope="module")
def cascade(graph: Graph) -> Cascade:
    return cascade_of(graph, IMAGE)


def _shuffle(graph: Graph) -> Operator:
    return next(node.operator for node in graph.nodes if node.name == "shuffle")


def test_a_whole_network_is_a_cascade_on_the_grid_of_the_image(
    graph: Graph, cascade: Cascade
) -> None:
    assert tuple(group.anchor.name for group in cascade.groups) == STAGES
    assert cascade.unit == IMAGE
    assert cascade.ratios == (1, 1, 1, 1, 1, 1, 1, 1, 2)
    assert cascade.sources == ("image",)
    assert [(store.tensor, store.held) for store in cascade.stores] == [("tail", "tail")]
    assert cascade.shuffles == {"shuffle": _shuffle(graph)}
    assert "upsampler" not in cascade.made  # it is in SRAM only as what the shuffle makes of it


def test_each_convolution_is_a_row_ahead_of_the_next(cascade: Cascade) -> None:
    reaches = Reaches(cascade, rows=2, ahead=False)
    # The tail needs a row of the fine grid below its own: half a row of the upsampler's, so one.
    assert reaches.leads == [8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert reaches.left == reaches.right == [8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert reaches.tensor_leads["shuffle"] == 1
    assert reaches.tensor_leads["image"] == 8
    # The skip over a block is read without a window, but made with what has one.
    assert reaches.tensor_leads["block0.add"] == 3
    assert reaches.tensor_sides["image"] == (8, 8)


def test_behind_the_vector_unit_stages_run_a_step_later(cascade: Cascade) -> None:
    # Copies for the next convolution come from the vector unit: a step of two rows more. What the
    # array made is read in the same step.
    assert Reaches(cascade, rows=2, ahead=True).leads == [18, 15, 12, 11, 8, 7, 4, 1, 0]


def test_rings_reach_from_the_oldest_row_that_is_read_to_the_newest(cascade: Cascade) -> None:
    rows = dict(ring_rows(cascade, Reaches(cascade, rows=2, ahead=False), rows=2))
    # Of the image the step's own rows and the next step's.
    assert rows["image"] == 2 + 2
    # A step, the row below it and the row above.
    assert rows["head.input"] == rows["block0.conv1"] == 2 + 1 + 1
    # Of the first skip as many as convolutions lie between, which end five rows behind.
    assert rows["head"] == 2 + (7 - 2)
    assert rows["block0.add"] == 2 + (5 - 3)
    # Read within its stage only.
    assert rows["block0.conv2"] == 2
    # Steps of four fine rows, two rows ahead of the tail, which reads one above its own.
    assert rows["shuffle"] == 4 + 2 + 1
    # One step leaves while the next is computed.
    assert rows["tail"] == 2 * 4
    low = Size(3, 48)
    short = cascade_of(edsr_graph(blocks=2), low)
    held = dict(ring_rows(short, Reaches(short, rows=2, ahead=False), rows=2))
    assert held["head"] == 3
    assert held["tail"] == 6


def test_strips_of_a_stage_are_wider_by_its_reach_but_end_at_the_image(cascade: Cascade) -> None:
    reaches = Reaches(cascade, rows=2, ahead=False)
    cut = strips(IMAGE, 20)
    assert cut == [Columns(0, 20), Columns(20, 40), Columns(40, 48)]
    head, tail = STAGES.index("head"), STAGES.index("tail")
    assert [stage_columns(cascade, reaches, head, strip) for strip in cut] == [
        Columns(0, 27), Columns(13, 47), Columns(33, 48),
    ]  # fmt: skip
    assert [stage_columns(cascade, reaches, tail, strip) for strip in cut] == [
        Columns(0, 40), Columns(40, 80), Columns(80, 96),
    ]  # fmt: skip
    # The shuffle holds what the upsampler makes, a column of the coarse grid more on each side.
    assert tensor_columns(cascade, reaches, "shuffle", cut[1]) == Columns(38, 82)
    assert tensor_columns(cascade, reaches, "image", cut[1]) == Columns(12, 48)
    assert ring_widths(cascade, reaches, 20)["head"] == 34


def test_the_last_stage_may_be_stored_through_a_shuffle(graph: Graph) -> None:
    cascade = cascade_of(graph, IMAGE, 7, 8)
    (store,) = cascade.stores
    assert (store.tensor, store.held, store.remap) == (
        "shuffle", "upsampler", _shuffle(graph),
    )  # fmt: skip
    assert not cascade.shuffles


def test_what_is_shuffled_may_have_no_other_reader(graph: Graph) -> None:
    """The array writes its results once, so it cannot write them shuffled and as they are."""
    sizes = graph.sizes(IMAGE)
    groups = form_groups(graph, sizes)[7:]
    outside = {"shuffle": False, "tail": True, "upsampler": True}
    assert form_cascade(groups, outside, sizes) is not None
    stored = [groups[0].anchor, *groups[0].stored]
    read = type(groups[0])(groups[0].nodes, tuple(stored), groups[0].grid, groups[0].streamed, ())
    assert form_cascade([read, groups[1]], outside, sizes) is None


def test_strided_convolutions_and_statistics_are_no_stages(graph: Graph) -> None:
    sizes = graph.sizes(IMAGE)
    groups = form_groups(graph, sizes)
    assert all(can_be_stage(group, sizes) for group in groups)
    head = groups[1]
    operator = head.anchor.operator
    assert isinstance(operator, Convolution)

    def with_first(node: Node, *behind: Node) -> bool:
        nodes = (node, *behind)
        other = type(head)(nodes, nodes, head.grid, head.streamed, head.pixels)
        return can_be_stage(other, sizes)

    def convolution(padding: Padding, stride: tuple[int, int]) -> Node:
        changed = Convolution(
            operator.weight, operator.weight_type, operator.bias, padding, operator.pad_code,
            operator.requantization, stride=stride,
        )  # fmt: skip
        return Node(head.anchor.name, changed, head.anchor.inputs, head.anchor.output)

    assert with_first(convolution(Padding.even(1, 1), (1, 1)))
    assert not with_first(convolution(Padding.even(1, 1), (2, 2)))
    total = TensorType(8, IntegerType(40, CodeKind.SIGNED))
    mean = Node("sums", Statistics("sum"), (head.anchor.name,), total)
    assert not with_first(head.anchor, mean)


def test_a_shuffle_inside_a_cascade_is_where_the_array_writes(graph: Graph) -> None:
    accelerator = machine()
    program = schedule(graph, accelerator, Size(17, 21))
    assert {group.cascade for group in program.groups} == {0}
    assert set(program.tensors) == {"image", "tail"}
    remaps = {c.node: c.remap for c in program.commands if isinstance(c, Convolve)}
    assert remaps.pop("upsampler") is _shuffle(graph)
    assert set(remaps.values()) == {None}
    assert all(c.remap is None for c in program.commands if isinstance(c, StoreRows))
    image = np.random.default_rng(5).integers(0, 256, (17, 21, 3)).astype(np.int32)
    output = execute(program, accelerator, image).output
    np.testing.assert_array_equal(output, run_layerwise(graph, image, REFERENCE))
