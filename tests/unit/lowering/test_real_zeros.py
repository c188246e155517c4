"""Codes that the real number 0 lies between: graphs against the float64 oracle, all of them.

Each feature map is compared from the graph's own operands; a code may differ only at a tie.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn import functional

from hwsim.fidelity import fidelity
from hwsim.machine import KERNELS, REFERENCE
from hwsim.simulation import compare, simulate
from quant.common.codes import CodeKind
from quant.graph import Add, Convolution, Graph, IntegerType, LookupTable, ParametricRelu
from quant.lowering import (
    Encodings,
    FloatNetwork,
    MapEncoding,
    lower,
    mid_rise_weights,
    with_whole_offsets,
)
from quant.lowering.encoded_execution import EncodedExecution, decoded, encoded
from quant.lowering.encodings import with_consecutive_codes
from quant.lowering.plan import Copy, plan
from quant.lowering.tables import nearest_codes
from quant.lowering.trace import trace
from quant.methods import Calibration
from quant.methods.ranges import range_encodings, whole_range
from quant.networks.build import build_network
from quant.networks.config import EDSRConfig, NetworkConfig, RDNConfig, SRResNetConfig
from quant.policy import BitPolicy
from tests.machines import machine, prices
from tests.unit.lowering.small_networks import edsr, picture

FAMILIES = (EDSRConfig(2, 8, 2), SRResNetConfig(1, 8, 2), RDNConfig(2, 2, 4, 8, 2))

NEAR = 1e-4
"""Of a code: what multipliers that are off by 2^-31 make of 16-bit sums, and much to spare."""


def real_zero_encodings(
    network: FloatNetwork, bits: int = 4, *, pads_exactly: bool = True, residual_bits: int = 12
) -> Encodings:
    """Every inner layer as AdaBM and ODM have it: ranges of any kind, mid-rise weights."""
    policy = replace(BitPolicy.parse(f"w{bits}a{bits}"), residual_bits=residual_bits)
    statistics = Calibration(network, [picture(seed=7)]).ranges
    base = range_encodings(network, policy, statistics, whole_range)
    inputs, weights = dict(base.inputs), dict(base.weights)
    by_name = network.by_name()
    for name in network.layer_names()[1:-1]:
        (source,) = by_name[name].inputs
        seen = statistics[source]
        low, high = 0.9 * seen.low - 0.043 * seen.high, 0.8 * seen.high
        integer = IntegerType(bits)
        scale = (high - low) / integer.high
        inputs[name] = MapEncoding(integer, scale, np.array([-low / scale]), pads_exactly)
        weight = by_name[name].operator.weight  # type: ignore[union-attr]
        weights[name] = mid_rise_weights(weight, bits, float(np.abs(weight).max()) * 0.9)
    return with_whole_offsets(network, replace(base, inputs=inputs, weights=weights))


def require_ties_only(
    network: FloatNetwork, encodings: Encodings, image: NDArray[np.uint8]
) -> Graph:
    graph = lower(network, encodings, "small", {})
    for found in fidelity(graph, EncodedExecution(network, encodings), image, REFERENCE):
        assert found.farthest < NEAR, found
        assert found.largest <= 1, found
        assert found.differing <= found.values // 20, found
    return graph


@pytest.mark.parametrize("pads_exactly", [True, False])
@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("config", FAMILIES, ids=lambda config: type(config).__name__)
def test_real_zeros_differ_from_the_oracle_at_ties_only(
    config: NetworkConfig, bits: int, pads_exactly: bool
) -> None:
    network = trace(build_network(config, seed=1).eval())
    encodings = real_zero_encodings(network, bits, pads_exactly=pads_exactly)
    graph = require_ties_only(network, encodings, picture(9, 10))
    offsets = [
        node.operator.tap_offset is not None
        for node in graph.nodes
        if isinstance(node.operator, Convolution) and node.operator.kernel != (1, 1)
    ]
    assert sum(offsets) == (len(offsets) - 2 if pads_exactly else 0)


@pytest.mark.parametrize("config", FAMILIES, ids=lambda config: type(config).__name__)
def test_the_machine_computes_real_zeros_as_the_reference_does(config: NetworkConfig) -> None:
    network = trace(build_network(config, seed=1).eval())
    graph = lower(network, real_zero_encodings(network), "small", {})
    accelerator, image = machine(), picture(12, 13).astype(np.int32)
    output = simulate(graph, accelerator, prices(accelerator), image).output
    assert compare(output, graph, image, REFERENCE).mismatches == 0
    assert compare(output, graph, image, KERNELS).mismatches == 0


def test_an_activation_that_takes_no_offset_writes_finer_codes_for_a_copy() -> None:
    network = trace(build_network(SRResNetConfig(1, 8, 2), seed=1).eval())
    encodings = real_zero_encodings(network, residual_bits=16)
    graph = require_ties_only(network, encodings, picture(9, 10))
    activations = [node for node in graph.nodes if isinstance(node.operator, ParametricRelu)]
    fine = {node.output.integer for node in activations[1:2]}
    assert fine == {IntegerType(16, CodeKind.SIGNED)}


def fqsr_like(network: FloatNetwork, alpha: float = 90.0) -> Encodings:
    """Every layer's result in 8-bit mid-rise codes, additions on a shared step, odd inputs."""
    base = real_zero_encodings(network)
    inputs, outputs, operands = dict(base.inputs), {}, {}
    for name in network.layer_names()[1:]:
        inputs[name] = MapEncoding(IntegerType(4, CodeKind.ODD), alpha / 15, np.zeros(1))
    for name in network.layer_names()[:-1]:
        outputs[name] = with_consecutive_codes(
            MapEncoding(IntegerType(8, CodeKind.ODD), alpha / 255, np.zeros(1))
        )
    for node in network.nodes:
        if node.name.endswith("add"):
            odd = MapEncoding(IntegerType(8, CodeKind.ODD), 2 * alpha / 255, np.zeros(1))
            operands[node.name] = with_consecutive_codes(odd)
            outputs[node.name] = MapEncoding(
                IntegerType(9, CodeKind.SIGNED), 4 * alpha / 255, np.zeros(1)
            )
    return replace(base, inputs=inputs, outputs=outputs, operands=operands)


def test_odd_codes_come_from_tables_and_additions_add_codes() -> None:
    network = trace(edsr(blocks=2))
    encodings = fqsr_like(network)
    graph = require_ties_only(network, encodings, picture(9, 10))
    for node in graph.nodes:
        if isinstance(node.operator, Add):
            first, second = node.operator.multipliers
            shift = int(node.operator.requantization.shift[0])
            assert first == second == 1 << shift
            assert node.operator.bias == -255 << shift
    copies = [node for node in graph.nodes if node.name.endswith("input")]
    assert all(isinstance(node.operator, LookupTable) for node in copies)
    inner = graph.node("body.0.body.2").operator
    assert isinstance(inner, Convolution)
    assert inner.pad_code.tolist() == [1]  # the odd code next to 0
    assert inner.tap_offset is None


def test_odd_codes_of_a_wide_feature_map_are_rounded_first() -> None:
    network = trace(edsr(blocks=1))
    base = real_zero_encodings(network)
    name = network.layer_names()[1]
    odd = MapEncoding(IntegerType(4, CodeKind.ODD), 5.0, np.zeros(1))
    encodings = replace(base, inputs={**base.inputs, name: odd})
    steps = {step.name: step for step in plan(network, encodings)}
    assert isinstance(steps[f"{name}.input.rounded"].operator, Copy)
    assert steps[f"{name}.input"].inputs == (f"{name}.input.rounded",)
    require_ties_only(network, encodings, picture(9, 10))


def test_consecutive_codes_have_the_values_of_odd_ones() -> None:
    odd = MapEncoding(IntegerType(3, CodeKind.ODD), 0.5, np.zeros(1))
    twin = with_consecutive_codes(odd)
    places = torch.arange(8, dtype=torch.float64)[None, None]
    expected = [-3.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5]
    assert decoded(places, twin).flatten().tolist() == expected
    assert decoded(2 * places - 7, odd).flatten().tolist() == expected
    assert odd.zero_codes.tolist() == [1]
    assert twin.zero_codes.tolist() == [4]
    assert with_consecutive_codes(twin) is twin


def test_nearest_codes_are_those_of_torch() -> None:
    values = np.linspace(-5, 5, 801)
    for encoding in (
        MapEncoding(IntegerType(3, CodeKind.ODD), 0.5, np.zeros(1)),
        MapEncoding(IntegerType(4), 0.5, np.array([7.5])),
        MapEncoding(IntegerType(4), 0.3, np.array([2.21])),
    ):
        expected = encoded(torch.from_numpy(values)[None, None], encoding).flatten()
        np.testing.assert_array_equal(nearest_codes(values, encoding), expected.numpy())


@pytest.mark.parametrize("kernel", [1, 3])
def test_decomposition_of_an_asymmetric_map_and_mid_rise_weights(kernel: int) -> None:
    """Specification 1.5 (a): y = u/N · (s · Σ q·o + l · Σ over taps inside of o)."""
    generator = np.random.default_rng(3)
    q = generator.integers(0, 16, (1, 5, 6, 7)).astype(np.float64)
    o = 2.0 * generator.integers(0, 16, (4, 5, kernel, kernel)) - 15
    s, low, step = 0.37, -1.83, 0.11
    real = functional.conv2d(
        torch.from_numpy(s * q + low), torch.from_numpy(step * o), padding=kernel // 2
    )
    products = functional.conv2d(torch.from_numpy(q), torch.from_numpy(o), padding=kernel // 2)
    inside = functional.conv2d(
        torch.ones(1, 5, 6, 7, dtype=torch.float64), torch.from_numpy(o), padding=kernel // 2
    )
    torch.testing.assert_close(real, step * (s * products + low * inside))
    assert len(torch.unique(inside[0, 0])) <= (9 if kernel == 3 else 1)


def test_mid_rise_weights_are_odd_and_as_near_as_can_be() -> None:
    weight = np.random.default_rng(0).normal(size=(3, 3, 3, 5))
    for bits in (1, 2, 4, 8):
        found = mid_rise_weights(weight, bits, 1.5)
        assert found.integer == IntegerType(bits, CodeKind.ODD)
        assert found.integer.contains(found.weight)
        grid = 1.5 * (2 * np.arange(1 << bits) - ((1 << bits) - 1)) / ((1 << bits) - 1)
        error = np.abs(found.weight * found.scale[:, None, None, None] - weight)
        np.testing.assert_allclose(error, np.abs(weight[..., None] - grid).min(-1), atol=1e-12)
