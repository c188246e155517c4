"""Graphs whose convolutions declare accumulators: overflows are counted, located, or refused."""

from dataclasses import replace

import numpy as np
import pytest

from hwsim.machine import KERNELS, REFERENCE, AccumulatorOverflow, Arithmetic, execute_layerwise
from quant.common.errors import CheckError
from quant.graph import Accumulator, Convolution, Graph, with_accumulators
from tests.edsr_graphs import edsr_graph

BITS = 9
IMAGE = np.random.default_rng(0).integers(0, 256, (9, 11, 3)).astype(np.int32)


def _narrow(overflow: str, bits: int = BITS) -> Graph:
    return with_accumulators(edsr_graph(channels=8, bits=(4, 4)), Accumulator(bits, overflow))


@pytest.mark.parametrize("overflow", ["wrap", "saturate_final", "saturate_step"])
def test_both_arithmetics_find_the_same_overflows(overflow: str) -> None:
    graph = _narrow(overflow)
    reference, kernels = (
        execute_layerwise(graph, IMAGE, arithmetic) for arithmetic in (REFERENCE, KERNELS)
    )
    assert (kernels.output == reference.output).all()
    assert kernels.overflows == reference.overflows
    declared = {
        node.name
        for node in graph.convolutions()
        if isinstance(node.operator, Convolution) and node.operator.accumulator is not None
    }
    assert {layer.operator for layer in kernels.overflows} == declared
    assert len(declared) > 1
    assert sum(layer.overflows.count for layer in kernels.overflows) > 0
    exact = execute_layerwise(edsr_graph(channels=8, bits=(4, 4)), IMAGE, KERNELS)
    assert exact.overflows == ()
    assert (kernels.output != exact.output).any()


@pytest.mark.parametrize("arithmetic", [REFERENCE, KERNELS], ids=lambda a: a.name)
def test_an_overflow_that_must_not_be_ends_the_run(arithmetic: Arithmetic) -> None:
    stepped = execute_layerwise(_narrow("saturate_step"), IMAGE, arithmetic)
    first = next(layer for layer in stepped.overflows if layer.overflows.count)
    row, column, channel = first.overflows.first or ()
    with pytest.raises(AccumulatorOverflow) as refusal:
        execute_layerwise(_narrow("error"), IMAGE, arithmetic)
    assert isinstance(refusal.value, CheckError)
    assert str(refusal.value) == (
        f"operator '{first.operator}', row {row}, column {column}, channel {channel}: expected "
        "sums of -256 to 255, what an accumulator of 9 bits holds, found "
        f"{first.overflows.sum} ({first.overflows.count} of {first.outputs} sums overflow); use a "
        "wider accumulator, fewer bits for this layer or another overflow than error"
    )


def test_what_cannot_overflow_computes_what_it_did() -> None:
    graph = edsr_graph(channels=8, bits=(4, 4))
    nodes = tuple(
        replace(node, operator=replace(node.operator, accumulator=Accumulator(32, "wrap")))
        if isinstance(node.operator, Convolution)
        else node
        for node in graph.nodes
    )
    found = execute_layerwise(replace(graph, nodes=nodes), IMAGE, KERNELS)
    assert (found.output == execute_layerwise(graph, IMAGE, REFERENCE).output).all()
    assert [layer.overflows.count for layer in found.overflows] == [0] * len(graph.convolutions())
