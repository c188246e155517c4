"""A larger memory or a faster DRAM never costs more of what the schedule is chosen for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelerators import Accelerator, resized
from hwsim.cost import program_cost
from hwsim.machine import KERNELS, execute, run_layerwise
from hwsim.schedule import ScheduleError, schedule
from quant.common.errors import UserError
from quant.graph import Graph, Size
from tests.edsr_graphs import edsr_graph
from tests.machines import machine, prices
from tests.property.effort import effort

SIDES = st.integers(32, 56)
CYCLES_TOLERANCE = 0.03
"""Schedules are chosen by estimated cycles, which lie within 3 % of the clock's where layers take
thousands of steps; bytes are exact."""


def _with_bandwidth(accelerator: Accelerator, gb_per_s: float) -> Accelerator:
    dram = accelerator.dram.model_copy(update={"bandwidth_gb_per_s": gb_per_s})
    return accelerator.model_copy(update={"dram": dram})


def _cost(graph: Graph, accelerator: Accelerator, image: Size) -> tuple[int, int]:
    program = schedule(graph, accelerator, image)
    cost = program_cost(program, accelerator, prices(accelerator))
    return cost.dram_read_bytes + cost.dram_write_bytes, cost.cycles


@effort(10)
@given(
    st.sampled_from((2, 4, 8)),
    st.sampled_from((16, 32)),
    st.tuples(SIDES, SIDES),
    st.sampled_from((32, 64, 128)),
    st.sampled_from((2, 4)),
)
def test_more_sram(
    bits: int, channels: int, size: tuple[int, int], sram_kib: int, times: int
) -> None:
    graph = edsr_graph(2, channels, 2, (bits, bits), residual_bits=max(bits, 4))
    for objective in ("dram", "cycles"):
        small = machine(sram_kib, objective=objective)
        try:
            bytes_small, cycles_small = _cost(graph, small, Size(*size))
        except ScheduleError:
            return
        large = resized(small, sram_kib=times * sram_kib)
        bytes_large, cycles_large = _cost(graph, large, Size(*size))
        if objective == "dram":
            assert bytes_large <= bytes_small
        else:
            assert cycles_large <= cycles_small * (1 + CYCLES_TOLERANCE)


@effort(10)
@given(
    st.sampled_from((2, 4, 8)),
    st.sampled_from((16, 32)),
    st.tuples(SIDES, SIDES),
    st.sampled_from((1.6, 3.2, 6.4)),
    st.sampled_from((2, 8)),
)
def test_more_bandwidth(
    bits: int, channels: int, size: tuple[int, int], gb_per_s: float, times: int
) -> None:
    graph = edsr_graph(2, channels, 2, (bits, bits), residual_bits=max(bits, 4))
    for objective in ("dram", "cycles"):
        base = machine(64, objective=objective)
        bytes_slow, cycles_slow = _cost(graph, _with_bandwidth(base, gb_per_s), Size(*size))
        faster = _with_bandwidth(base, times * gb_per_s)
        bytes_fast, cycles_fast = _cost(graph, faster, Size(*size))
        if objective == "dram":
            assert bytes_fast <= bytes_slow
        else:
            assert cycles_fast <= cycles_slow * (1 + CYCLES_TOLERANCE)


@pytest.mark.parametrize("change", [{"rows": 0}, {"columns": 0}, {"sram_kib": 0}])
def test_machines_of_nothing_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(UserError, match="at least 1"):
        resized(machine(), **change)


def test_a_thousand_times_slower_dram_only_takes_longer() -> None:
    graph, image = edsr_graph(1, 8), Size(12, 16)
    slow = _with_bandwidth(machine(), 0.0001)  # a bit in a cycle and a half
    bytes_slow, cycles_slow = _cost(graph, slow, image)
    assert bytes_slow > 0
    # All of it has to pass at this rate, and hardly anything else takes any time.
    assert cycles_slow == pytest.approx(bytes_slow / float(slow.dram_bytes_per_cycle), rel=0.01)


def test_an_array_larger_than_the_network_is_right() -> None:
    graph, image = edsr_graph(1, 8), Size(12, 16)
    base = machine()
    array = base.array.model_copy(update={"rows": 256, "columns": 256})
    sram = base.sram.model_copy(update={"banks": 32})
    large = base.model_copy(update={"array": array, "sram": sram})
    picture = np.random.default_rng(1).integers(0, 256, (12, 16, 3), np.int32)
    program = schedule(graph, large, image)
    assert program_cost(program, large, prices(large)).cycles > 0
    output = execute(program, large, picture).output
    np.testing.assert_array_equal(output, run_layerwise(graph, picture, KERNELS))
