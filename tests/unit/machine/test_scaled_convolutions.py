"""Channels normalized at run time, on the machine: integers, commands, charges, refusals."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from accelerators import Accelerator, Action, area_of
from hwsim.cost import program_cost
from hwsim.machine import REFERENCE, run_layerwise
from hwsim.report.result import result_from_cost
from hwsim.schedule import ScheduleError, schedule
from hwsim.schedule.commands import ConvolutionSettings, Convolve
from hwsim.simulation import estimate, simulate
from quant.common.codes import CodeKind
from quant.common.run_time_scaling import PLACEMENTS, nearest_point_thresholds
from quant.graph import (
    Encode,
    Graph,
    Input,
    IntegerType,
    Node,
    Normalization,
    Padding,
    Requantization,
    ScaledConvolution,
    Size,
    Statistics,
    TensorType,
    scaled_sum_bits,
    verify,
)
from quant.graph.adaptive import normalizes_at_run_time
from quant.graph.run_time_scaling_rules import FACTORS, SUMS
from tests.machines import machine, prices

INPUTS, OUTPUTS, BITS = 12, 40, 3
IMAGE = Size(19, 31)
STREAMED_KIB = {"partial_sums": 5, "activations": 3, "weights": 10}
"""Too little SRAM for all weights at once."""


def normalized(placement: str, *, is_centred: bool = True, outputs: int = OUTPUTS) -> Graph:
    """An image of 12 channels, normalized and convolved."""
    random = np.random.default_rng(7)
    points = np.sort(random.integers(-1024, 1025, (INPUTS, 1 << BITS)), axis=1)
    convolution = ScaledConvolution(
        random.integers(-15, 16, (outputs, 3, 3, INPUTS)),
        IntegerType(5, CodeKind.SIGNED),
        random.integers(-(2**20), 2**20, outputs),
        Padding.even(1, 1),
        np.zeros(1, np.int64),
        Requantization(np.array([21]), np.array([22]), 0, -128, 127),
        points=points,
        is_centred=is_centred,
        placement=placement,
    )
    codes = TensorType(INPUTS, IntegerType(BITS))
    output = TensorType(outputs, IntegerType(8, CodeKind.SIGNED))
    nodes = (
        Node("image", Input(), (), TensorType(INPUTS, IntegerType(8))),
        Node("sums", Statistics("summary"), ("image",), TensorType(3 * INPUTS + 1, SUMS)),
        Node("factors", Normalization(is_centred), ("sums",), TensorType(3 * INPUTS, FACTORS)),
        Node("codes", Encode(nearest_point_thresholds(points)), ("image", "factors"), codes),
        Node("it", convolution, ("codes", "factors"), output),
    )
    return verify(Graph.build("normalized", nodes, "it"))


def image_of(size: Size) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (size.height, size.width, INPUTS), np.int32)


def convolutions(graph: Graph, accelerator: Accelerator, size: Size = IMAGE) -> list[Convolve]:
    program = schedule(graph, accelerator, size)
    return [command for command in program.commands if isinstance(command, Convolve)]


@pytest.mark.parametrize("is_centred", [True, False])
@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("sram_kib", [10, 16, 64])
def test_the_machine_computes_the_graph(placement: str, is_centred: bool, sram_kib: int) -> None:
    graph, accelerator = normalized(placement, is_centred=is_centred), machine(sram_kib, array=8)
    energy, image = prices(accelerator), image_of(IMAGE)
    simulation = simulate(graph, accelerator, energy, image)
    np.testing.assert_array_equal(simulation.output, run_layerwise(graph, image, REFERENCE))
    assert len(np.unique(simulation.output)) > 100
    assert simulation.cost == estimate(graph, accelerator, energy, IMAGE).cost


def test_placements_share_their_integers_and_nothing_else() -> None:
    image, accelerator = image_of(IMAGE), machine(64)
    runs = [
        simulate(normalized(placement), accelerator, prices(accelerator), image)
        for placement in PLACEMENTS
    ]
    assert all((run.output == runs[0].output).all() for run in runs)
    assert len({run.cost.cycles for run in runs}) == len({run.cost.energy_uj for run in runs}) == 3


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_weights_that_take_turns_are_prepared_anew_and_tables_are_not(placement: str) -> None:
    resident = convolutions(normalized(placement), machine(64, array=8))
    streamed = convolutions(normalized(placement), machine(STREAMED_KIB[placement], array=8))
    assert len({command.first_channel for command in streamed}) > 1
    for commands, anew in ((resident, False), (streamed, placement != "activations")):
        prepares = [c.scaling is not None and c.scaling.prepares for c in commands]
        assert prepares == [anew or position == 0 for position in range(len(commands))]


def test_nothing_is_prepared_where_there_is_nothing_to_prepare() -> None:
    commands = convolutions(normalized("partial_sums", is_centred=False), machine(64))
    assert all(c.scaling is not None and c.scaling.prepared is None for c in commands)
    assert not any(c.scaling is not None and c.scaling.prepares for c in commands)


def test_counts_by_hand() -> None:
    """All channels in one fold, all rows of a fold in use: 32 pixels, 32 outputs."""
    size, outputs, taps = Size(4, 8), 32, 9
    accelerator = machine(64)
    found: dict[str, Counter[Action]] = {}
    for placement in PLACEMENTS:
        graph = normalized(placement, outputs=outputs)
        cost = program_cost(schedule(graph, accelerator, size), accelerator, prices(accelerator))
        found[placement] = sum((group.charges for group in cost.groups), Counter())
    pixels, weights = size.pixels, outputs * INPUTS * taps
    macs = pixels * weights
    statistics = {
        Action("statistics", "accumulate"): 3 * pixels * INPUTS,
        Action("statistics", "divide_step"): 24 * 3 * INPUTS,
        Action("encoder", "normalize"): pixels * INPUTS,
        Action("encoder", "compare"): BITS * pixels * INPUTS,
        Action("table_decode", "lookup"): pixels * INPUTS * taps,
    }
    border = {
        Action("border_correction", "mac"): weights,
        Action("border_correction", "add"): 9 * taps * outputs,
    }
    expected: dict[str, dict[Action, int]] = {
        "partial_sums": {
            **border,
            Action("channel_scale", "partial_sum"): pixels * outputs * INPUTS,
            Action("mac_array", "mac", 5, 8): macs,
            Action("mac_array", "mac", 5, 4): macs,
        },
        "activations": {
            Action("channel_scale", "table_entry"): INPUTS << BITS,
            Action("channel_scale", "wide_sum"): 4 * macs,
            Action("mac_array", "mac", 5, 8): 3 * macs,
            Action("mac_array", "mac", 5, 4): macs,
        },
        "weights": {
            **border,
            Action("channel_scale", "weight"): weights,
            Action("channel_scale", "wide_sum"): 6 * macs,
            Action("mac_array", "mac", 8, 8): 2 * macs,
            Action("mac_array", "mac", 8, 4): 2 * macs,
            Action("mac_array", "mac", 5, 8): macs,
            Action("mac_array", "mac", 5, 4): macs,
        },
    }
    counted = {"statistics", "encoder", "table_decode", "channel_scale", "border_correction"}
    for placement, charges in found.items():
        own = {
            action: count
            for action, count in charges.items()
            if action.component in counted or action.name == "mac"
        }
        assert {k: v for k, v in own.items() if v} == {**statistics, **expected[placement]}


def test_cycles_by_hand() -> None:
    """One fold: passes, or the scaler's time, and the preparation before."""
    size, outputs = Size(4, 8), 32
    accelerator = machine(64)
    reduction, ends = 9 * INPUTS, (32 + 32 - 2) + 32 + 2
    # Sums of means: 9 taps for pixels, 12 products of 5 × 17 bits in three passes.
    border = 3 * INPUTS + ends
    expected = {
        "partial_sums": max(2 * reduction, 32 * 32 * INPUTS // 32) + ends + border,
        "activations": 4 * reduction + ends + (INPUTS << BITS) // 32,
        "weights": 6 * reduction + ends + border + outputs * reduction // 32,
    }
    for placement, cycles in expected.items():
        convolution = normalized(placement, outputs=outputs).node("it").operator
        assert isinstance(convolution, ScaledConvolution)
        settings = ConvolutionSettings.of(convolution)
        work = settings.work(size.pixels, outputs, BITS, prepares=True)
        assert work.cycles(accelerator) == cycles


def test_sums_too_wide_for_the_scaler_are_refused() -> None:
    graph = normalized("partial_sums")
    convolution = graph.node("it").operator
    assert isinstance(convolution, ScaledConvolution)
    wide = replace(
        convolution, weight=convolution.weight << 4, weight_type=IntegerType(9, CodeKind.SIGNED)
    )
    needed = scaled_sum_bits(wide)
    nodes = [replace(n, operator=wide) if n.name == "it" else n for n in graph.nodes]
    data = machine().model_dump()
    data["channel_scaler"]["accumulator_bits"] = needed - 1
    narrow = Accelerator.model_validate(data)
    refused = Graph.build("wide", nodes, "it")
    with pytest.raises(ScheduleError) as raised:
        schedule(refused, narrow, IMAGE)
    assert str(raised.value) == (
        f"operator 'it': its sums of scaled channels need an accumulator of {needed} bits, "
        f"accelerator 'edge_npu' has {needed - 1}; use fewer bits for this layer or a larger "
        "channel_scaler.accumulator_bits"
    )
    data["channel_scaler"]["accumulator_bits"] = needed
    assert schedule(refused, Accelerator.model_validate(data), IMAGE)


@pytest.mark.parametrize("kind", ["weight_stationary", "bit_serial", "composable"])
def test_other_kinds_of_array_do_not_scale_channels(kind: str) -> None:
    data = machine().model_dump()
    data["array"]["dataflow"] = kind
    data["sram"]["banks"] = 64
    other = Accelerator.model_validate(data)
    with pytest.raises(ScheduleError) as caught:
        schedule(normalized("weights"), other, IMAGE)
    assert str(caught.value) == (
        "operator 'it' (scaled_convolution): its channels are scaled at run time, for which an "
        "array must have dataflow output_stationary and lanes 1; that of accelerator 'edge_npu' "
        f"has {kind} and 1; choose another accelerator or a method with constant scales"
    )


def test_what_it_needs_is_part_of_the_machines_area() -> None:
    array = machine()
    graph = normalized("partial_sums")
    estimated = estimate(graph, array, prices(array), IMAGE)

    result = result_from_cost(graph, estimated.program, estimated.cost, prices(array))

    assert normalizes_at_run_time(graph)
    plain = area_of(array, prices(array).table).area_mm2
    assert result.area_mm2 is not None
    assert plain is not None
    extra = result.area_mm2 - plain
    added = [result.area_by_component_mm2[name] for name in ("statistics", "channel_scale")]
    assert extra == pytest.approx(sum(part for part in added if part is not None))
    assert extra > 0
