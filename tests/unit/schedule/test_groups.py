from hwsim.schedule.groups import Group, form_groups
from quant.common.codes import CodeKind
from quant.graph import Graph, IntegerType, Node, Size, Statistics, TensorType
from tests.edsr_graphs import edsr_graph


def _groups(graph: Graph) -> tuple[Group, ...]:
    return form_groups(graph, graph.sizes(Size(9, 11)))


def _names(graph: Graph) -> list[tuple[str, ...]]:
    return [tuple(node.name for node in group.nodes) for group in _groups(graph)]


def test_elementwise_operators_join_the_convolution_before_them() -> None:
    assert _names(edsr_graph(blocks=1)) == [
        ("head.input",),
        ("head", "block0.conv1.input"),
        ("block0.conv1",),
        ("block0.conv2", "block0.add", "body_end.input"),
        ("body_end", "global_add", "upsampler.input"),
        ("upsampler", "shuffle"),
        ("tail",),
    ]


def test_only_what_others_read_is_stored() -> None:
    stored = {
        group.anchor.name: [node.name for node in group.stored]
        for group in _groups(edsr_graph(blocks=1))
    }
    assert stored == {
        "head.input": ["head.input"],
        "head": ["head", "block0.conv1.input"],
        "block0.conv1": ["block0.conv1"],
        "block0.conv2": ["body_end.input"],
        "body_end": ["upsampler.input"],
        "upsampler": ["shuffle"],
        "tail": ["tail"],
    }


def test_a_skip_is_loaded_by_the_group_that_adds_it() -> None:
    loaded = {group.anchor.name: group.streamed for group in _groups(edsr_graph(blocks=2))}
    assert loaded["block0.conv2"] == ("head",)
    assert loaded["block1.conv2"] == ("block0.add",)
    assert loaded["body_end"] == ("head",)
    assert loaded["tail"] == ()


def test_a_statistic_joins_the_group_that_makes_its_map_and_nothing_there_reads_it() -> None:
    plain = edsr_graph(blocks=1)
    sums = TensorType(plain.node("head").output.channels, IntegerType(40, CodeKind.SIGNED))
    nodes = (*plain.nodes, Node("head.sum", Statistics("sum"), ("head",), sums))
    graph = Graph("statistics", nodes, plain.output)
    by_anchor = {group.anchor.name: group for group in _groups(graph)}
    head = by_anchor["head"]
    assert [node.name for node in head.nodes] == ["head", "block0.conv1.input", "head.sum"]
    assert [node.name for node in head.stored] == ["head", "block0.conv1.input", "head.sum"]
