"""A search over methods whose bits the image chooses, and over layers that are tied."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from hwsim.adaptive import chosen_graph, estimate_adaptive
from hwsim.ledger import Ledger
from hwsim.machine import KERNELS, run_layerwise
from hwsim.search import LayerRules, SearchRequest, SearchResult, search
from hwsim.search.measurement import Meter
from quant.graph.adaptive import AdaptiveGraph, verify_adaptive
from quant.policy import BitPolicy, LayerBits
from tests.adaptive_graphs import adaptive_graph
from tests.edsr_graphs import edsr_graph, edsr_layers
from tests.unit.search.tiny_search import MACHINE, PICTURES, SIZE, TARGET

BODY = LayerRules(first_and_last=LayerBits(8, 8), tied=("block0",))
REQUEST = SearchRequest(
    SIZE, widths=(4, 6), base=LayerBits(6, 6), front_points=3, uniform_widths=(4, 6), rules=BODY
)


def build(policy: BitPolicy) -> AdaptiveGraph:
    """Three graphs with a bit less, as many, and one more in every feature map."""
    bits = policy.resolve(edsr_layers(1))
    low, middle, high = (
        replace(
            edsr_graph(
                1,
                4,
                bits={
                    name: (each.weight_bits, min(8, each.activation_bits + more))
                    for name, each in bits.items()
                },
                seed=3,
            ),
            name=f"edsr {more}",
        )
        for more in (-1, 0, 1)
    )
    return verify_adaptive(replace(adaptive_graph(), variants=(low, middle, high)))


@cache
def found() -> SearchResult:
    return search(REQUEST, build, PICTURES, TARGET)


def test_errors_are_of_what_each_picture_chooses() -> None:
    for point in found().points:
        adaptive = build(point.policy)
        squares, values = 0.0, 0
        for codes, reference in zip(PICTURES.codes, PICTURES.references, strict=True):
            graph = chosen_graph(adaptive, codes, KERNELS)
            encoding = graph.node(graph.output).output.encoding
            output = run_layerwise(graph, codes, KERNELS).astype(np.float64)
            decoded = encoding.scale * (output - np.array(encoding.zero_point))
            squares += float(np.square(decoded - reference).sum())
            values += decoded.size
        assert point.measured.mse == pytest.approx(squares / values, rel=1e-12)


def test_costs_are_what_is_expected_of_images() -> None:
    for point in found().points:
        adaptive = build(point.policy)
        cost = estimate_adaptive(adaptive, MACHINE, TARGET.energy, SIZE).expected(adaptive)
        assert point.measured.cycles == cost.cycles
        assert point.measured.energy_uj == pytest.approx(cost.energy_uj, rel=1e-9)
        assert point.measured.dram_bytes == cost.dram_read_bytes + cost.dram_write_bytes


def test_every_entry_is_an_estimate_of_all_graphs() -> None:
    (division,) = found().model.divisions
    for group in division.groups:
        for column in np.flatnonzero(division.cost.available[group[0]]):
            policy = REQUEST.base_policy
            bits = {layer: LayerBits(6, 6) for layer in division.layers}
            for layer in group:
                bits[division.layers[layer]] = division.choices[column]
            policy = REQUEST.policy(bits)
            meter = Meter(build, REQUEST.base_policy, PICTURES, TARGET, Ledger())
            predicted = found().model.predict(bits)
            if predicted is not None:
                assert predicted.cycles == meter.cost(policy).cycles


def test_the_machine_runs_what_each_picture_chooses() -> None:
    checks = [point.on_machine for point in found().points if point.on_machine is not None]
    assert checks
    assert all(check.mismatches == 0 for check in checks)


def test_tied_layers_are_measured_together() -> None:
    increase = found().model.quality.measured
    (tied,) = (list(group) for group in found().model.groups if len(group) > 1)
    assert increase[tied[0]].any()
    assert not increase[tied[1:]].any()
    meter = Meter(build, REQUEST.base_policy, PICTURES, TARGET, Ledger())
    column = found().model.choices.index(LayerBits(4, 4))
    changed = REQUEST.base_policy
    for layer in tied:
        changed = changed.with_layer(found().model.layers[layer], LayerBits(4, 4))
    error = meter.errors_of([changed])[0] - meter.errors_of([REQUEST.base_policy])[0]
    assert increase[tied[0], column] == pytest.approx(error * 1e9, abs=2)
