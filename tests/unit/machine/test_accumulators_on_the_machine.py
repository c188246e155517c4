"""Narrow accumulators on the machine: the same integers and overflows as layer by layer."""

import numpy as np
import pytest

from accelerators import Accelerator, load_accelerator, resized
from hwsim.machine import KERNELS, REFERENCE, AccumulatorOverflow, execute, execute_layerwise
from hwsim.schedule import ScheduleError, schedule
from hwsim.schedule.accumulators import as_computed_by
from hwsim.simulation import compare, simulate
from hwsim.verify.first_wrong_node import ending_at
from quant.graph import (
    Accumulator,
    CodeKind,
    Graph,
    Input,
    IntegerType,
    Node,
    Padding,
    Requantization,
    Size,
    TensorType,
    TransposedConvolution,
    with_accumulators,
)
from tests.edsr_graphs import edsr_graph
from tests.machines import prices

BITS = 12
BEYOND = ["wrap", "saturate_final", "saturate_step"]


def _machine(overflow: str, sram_kib: int = 4) -> Accelerator:
    """A small array of 4-bit multipliers, which 12-bit accumulators can hold products of."""
    tiny = resized(load_accelerator("tiny_npu"), rows=8, columns=8, sram_kib=sram_kib)
    array = {
        "weight_bits": 4,
        "activation_bits": 8,
        "accumulator_bits": BITS,
        "accumulator_overflow": overflow,
    }
    return tiny.model_copy(update={"array": tiny.array.model_copy(update=array)})


def _graph() -> Graph:
    return edsr_graph(channels=12, bits=(4, 8))


def _image(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (17, 14, 3)).astype(np.int32)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("sram_kib", [4, 64])
@pytest.mark.parametrize("overflow", BEYOND)
def test_the_machine_equals_the_reference(overflow: str, sram_kib: int, threads: int) -> None:
    machine = _machine(overflow, sram_kib)
    graph = with_accumulators(_graph(), machine.array.accumulator)
    expected = execute_layerwise(graph, _image(), REFERENCE)
    program = schedule(graph, machine, Size(17, 14))
    found = execute(program, machine, _image(), threads=threads)
    assert (found.output == expected.output).all()
    assert found.overflows == expected.overflows
    assert sum(layer.overflows.count for layer in found.overflows) > 100
    assert len({layer.operator for layer in found.overflows if layer.overflows.count}) > 1
    exact = execute_layerwise(_graph(), _image(), KERNELS).output
    assert (found.output != exact).any()


def test_a_simulation_and_its_comparison_tell_of_overflows() -> None:
    machine = _machine("wrap")
    graph = with_accumulators(_graph(), machine.array.accumulator)
    simulation = simulate(graph, machine, prices(machine), _image())
    comparison = compare(simulation.output, graph, _image(), KERNELS)
    assert comparison.mismatches == 0
    assert comparison.overflows == simulation.overflows != ()


def test_an_overflow_that_must_not_be_ends_the_run_as_layer_by_layer() -> None:
    machine = _machine("error")
    graph = with_accumulators(_graph(), machine.array.accumulator)
    program = schedule(graph, machine, Size(17, 14))
    with pytest.raises(AccumulatorOverflow) as by_machine:
        execute(program, machine, _image())
    with pytest.raises(AccumulatorOverflow) as layerwise:
        execute_layerwise(graph, _image(), REFERENCE)
    assert str(by_machine.value) == str(layerwise.value)


def test_the_last_group_is_watched_too() -> None:
    machine = _machine("error")
    only = with_accumulators(ending_at(_graph(), "head"), machine.array.accumulator)
    program = schedule(only, machine, Size(17, 14))
    assert program.groups[-1].name == "head"
    with pytest.raises(AccumulatorOverflow, match=r"^operator 'head', row 0, column \d+, channel"):
        execute(program, machine, _image())


@pytest.mark.parametrize("overflow", BEYOND)
def test_a_graph_that_does_not_say_is_refused(overflow: str) -> None:
    machine = _machine(overflow)
    with pytest.raises(ScheduleError) as refusal:
        schedule(_graph(), machine, Size(17, 14))
    assert str(refusal.value) == (
        f"operator 'head': its sums can leave the accumulator of accelerator '{machine.name}' "
        f"(12 bits, {overflow}), and the graph says nothing of it; give what "
        "quant.graph.with_accumulators makes of the graph"
    )


def test_a_graph_that_says_otherwise_is_refused() -> None:
    machine = _machine("wrap")
    for other in (Accumulator(12, "saturate_step"), Accumulator(11, "wrap")):
        with pytest.raises(ScheduleError) as refusal:
            schedule(with_accumulators(_graph(), other), machine, Size(17, 14))
        assert str(refusal.value) == (
            f"operator 'head': declares an accumulator of {other}, accelerator '{machine.name}' "
            "has one of 12 bits, wrap; give a machine whose array.accumulator_bits and "
            "accumulator_overflow are these"
        )


def test_a_transposed_convolution_overflows_as_the_convolution_it_becomes() -> None:
    random = np.random.default_rng(0)
    integer = IntegerType(8, CodeKind.SIGNED)
    up = TransposedConvolution(
        random.integers(-128, 128, (4, 4, 4, 8)),
        integer,
        np.zeros(4, np.int64),
        (2, 2),
        Padding(2, 2, 2, 2),
        np.zeros(1, np.int64),
        Requantization(np.array([1]), np.array([8]), 0, -128, 127),
    )
    image = Node("image", Input(), (), TensorType(8, integer))
    plain = Graph("up", (image, Node("up", up, ("image",), TensorType(4, integer))), "up")
    tiny = load_accelerator("tiny_npu")
    machine = resized(tiny, accumulator_bits=16, accumulator_overflow="saturate_step")
    graph = as_computed_by(plain, machine)
    codes = random.integers(-128, 128, (9, 7, 8)).astype(np.int32)
    found = execute(schedule(graph, machine, Size(9, 7)), machine, codes)
    expected = execute_layerwise(graph, codes, REFERENCE)
    assert (found.output == expected.output).all()
    assert found.overflows == expected.overflows
    assert sum(layer.overflows.count for layer in found.overflows) > 0
