"""Graphs that an image chooses among: the decision in integers, the rules, the file."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from quant.common.errors import UserError
from quant.graph import Convolution, Graph, GraphError, Size, load_graph, save_graph
from quant.graph.adaptive import AdaptiveGraph, normalizes_at_run_time, verify_adaptive
from quant.graph.adaptive_file import load_any_graph, save_any_graph
from quant.graph.records import graph_to_record
from quant.methods.adabm.complexity import UNIT
from tests.adaptive_graphs import FRACTION_BITS, adaptive_graph
from tests.unit.graph.small_graphs import convolution_graph

ADAPTIVE = adaptive_graph(20, 60)


def selected(total: int, pixels: Size, adaptive: AdaptiveGraph = ADAPTIVE) -> int:
    return adaptive.select(np.array([[[total - 3, 1, 2, 0]]]), pixels).offset


@pytest.mark.parametrize(
    ("excess", "offset"), [(-1, -1), (0, 0), (1, 0)], ids=["below", "on it", "above"]
)
def test_the_lower_threshold_itself_adds_no_bits(excess: int, offset: int) -> None:
    assert selected(20 * UNIT * 15 + excess, Size(3, 5)) == offset


@pytest.mark.parametrize(
    ("excess", "offset"), [(-1, 0), (0, 0), (1, 1)], ids=["below", "on it", "above"]
)
def test_the_upper_threshold_itself_adds_no_bits(excess: int, offset: int) -> None:
    assert selected(60 * UNIT * 15 + excess, Size(3, 5)) == offset


def test_a_threshold_between_integers_is_compared_exactly() -> None:
    step = 1 / (UNIT * 2**FRACTION_BITS)
    adaptive = adaptive_graph(10 + step, 60)
    # Of 257 pixels the threshold lies 257/256 units of the sum above 10 · 255 · 257.
    total = 10 * UNIT * 257
    assert [selected(total + n, Size(1, 257), adaptive) for n in (0, 1, 2)] == [-1, -1, 0]
    # Of 256 pixels it is a whole unit above, and that sum is no longer below it.
    total = 10 * UNIT * 256
    assert [selected(total + n, Size(16, 16), adaptive) for n in (0, 1)] == [-1, 0]


def test_the_complexity_is_the_sum_per_pixel_in_the_methods_unit() -> None:
    chosen = ADAPTIVE.select(np.array([UNIT * 12 * 30]), Size(3, 4))
    assert (chosen.complexity, chosen.total, chosen.pixels) == (30.0, UNIT * 360, 12)
    assert ADAPTIVE.threshold(ADAPTIVE.lower) == 20


def _other_weight(adaptive: AdaptiveGraph) -> AdaptiveGraph:
    low, middle, high = adaptive.variants
    node = low.convolutions()[1]
    assert isinstance(node.operator, Convolution)
    weight = node.operator.weight.copy()
    weight[0, 0, 0, 0] = 1 - weight[0, 0, 0, 0]
    changed = replace(node, operator=replace(node.operator, weight=weight))
    nodes = tuple(changed if other is node else other for other in low.nodes)
    return replace(adaptive, variants=(replace(low, nodes=nodes), middle, high))


BROKEN: dict[str, tuple[str, Callable[[AdaptiveGraph], AdaptiveGraph]]] = {
    "a selector without sums": (
        "expected a selector that ends in sums, found 'convolution'",
        lambda a: replace(a, selector=a.variants[0]),
    ),
    "another input": (
        "expected the input codes (3, ",
        lambda a: replace(a, variants=(convolution_graph(), *a.variants[1:])),
    ),
    "another weight": ("expected variants of the same weights, found others in ", _other_weight),
    "thresholds that fall": (
        "expected thresholds from 0 on, ascending, found 7, 6",
        lambda a: replace(a, lower=7, upper=6),
    ),
    "a unit of nothing": (
        "expected 0 to 24 fraction bits and a positive unit, found 8 and 0",
        lambda a: replace(a, complexity_unit=0),
    ),
    "nobody chose": (
        "expected images that chose a variant, found (0, 0, 0)",
        lambda a: replace(a, frequencies=(0, 0, 0)),
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_does_not_belong_together_is_refused(case: str) -> None:
    sentence, change = BROKEN[case]
    with pytest.raises(GraphError) as raised:
        verify_adaptive(change(ADAPTIVE))
    assert str(raised.value).startswith(f"adaptive graph 'adaptive_edsr': {sentence}")


def same(first: Graph, second: Graph) -> bool:
    arrays: list[dict[str, np.ndarray]] = [{}, {}]
    records = [
        graph_to_record(graph, into) for graph, into in zip((first, second), arrays, strict=True)
    ]
    equal = all(np.array_equal(arrays[0][name], arrays[1][name]) for name in arrays[0])
    return records[0] == records[1] and arrays[0].keys() == arrays[1].keys() and equal


def test_a_file_gives_back_what_was_saved_and_stores_weights_once(tmp_path: Path) -> None:
    save_any_graph(ADAPTIVE, tmp_path / "a.hwgraph")
    loaded = load_any_graph(tmp_path / "a.hwgraph")
    assert isinstance(loaded, AdaptiveGraph)
    pairs = zip(loaded.graphs(), ADAPTIVE.graphs(), strict=True)
    assert all(same(found, saved) for found, saved in pairs)
    for name in ("name", "lower", "upper", "fraction_bits", "complexity_unit", "frequencies"):
        assert getattr(loaded, name) == getattr(ADAPTIVE, name)
    assert dict(loaded.metadata) == dict(ADAPTIVE.metadata)
    save_graph(ADAPTIVE.variants[0], tmp_path / "one.hwgraph")
    weights = [graph.convolutions()[0].operator for graph in loaded.variants]
    assert all(
        isinstance(w, Convolution) and w.weight is weights[0].weight  # type: ignore[union-attr]
        for w in weights
    )


def test_the_same_graphs_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_any_graph(adaptive_graph(20, 60), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_one_graph_is_read_as_one(tmp_path: Path) -> None:
    save_any_graph(convolution_graph(), tmp_path / "one.hwgraph")
    assert isinstance(load_any_graph(tmp_path / "one.hwgraph"), Graph)


def test_who_wants_one_graph_is_told_that_there_are_several(tmp_path: Path) -> None:
    path = tmp_path / "a.hwgraph"
    save_any_graph(ADAPTIVE, path)
    with pytest.raises(UserError) as raised:
        load_graph(path)
    assert str(raised.value) == (
        f"{path}: expected one graph, found several of which each image chooses one; "
        "give a graph of fixed bits"
    )


@pytest.mark.parametrize("seed", range(3))
def test_damage_ends_in_one_sentence(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "a.hwgraph"
    save_any_graph(ADAPTIVE, path)
    content = path.read_bytes()
    random = np.random.default_rng(seed)
    for position in random.integers(len(content), size=40):
        damaged = bytearray(content)
        damaged[position] ^= 1 << int(random.integers(8))
        path.write_bytes(damaged)
        assert outcome_of(path).startswith(("loaded", str(path)))


def outcome_of(path: Path) -> str:
    """``loaded``, or the sentence of the refusal."""
    try:
        load_any_graph(path)
    except UserError as error:
        return str(error)
    return "loaded"


def test_graphs_of_fixed_channels_do_not_normalize_at_run_time() -> None:
    assert not normalizes_at_run_time(ADAPTIVE)
    assert not normalizes_at_run_time(ADAPTIVE.variants[0])
