"""The event clock against schedules worked out by hand."""

import dataclasses

from hwsim.cost import Clock, timeline
from hwsim.cost.command_costs import command_cost
from hwsim.schedule import schedule
from hwsim.schedule.commands import Barrier, Command, Elementwise, LoadRows, StoreRows
from hwsim.schedule.storage import DramTensor, LineBuffer, Rows
from quant.graph import IntegerType, Requantize, Size
from tests.edsr_graphs import edsr_graph
from tests.machines import machine

U8 = IntegerType(8)
ACCELERATOR = machine()
LATENCY = ACCELERATOR.dram.latency_cycles
TENSOR = DramTensor("map", 0, Size(8, 128), 32, U8, 4096)
SOURCE = LineBuffer("map", 0, 2, 4096, 32, U8)
RESULT = LineBuffer("result", 8192, 2, 4096, 32, U8)


def _load(row: int) -> Command:
    return LoadRows(0, TENSOR, row, 0, Rows(SOURCE, row, 1, 128))


def _compute(row: int) -> Command:
    operator = next(
        node.operator for node in edsr_graph().nodes if isinstance(node.operator, Requantize)
    )
    source, result = Rows(SOURCE, row, 1, 128), Rows(RESULT, row, 1, 128)
    return Elementwise(0, "requantize", (source,), result, operator)


def _store(row: int) -> Command:
    return StoreRows(0, Rows(RESULT, row, 1, 128), TENSOR, row, 0)


LOAD, COMPUTE, STORE = (
    command_cost(command(0), ACCELERATOR).cycles for command in (_load, _compute, _store)
)


def _run(commands: list[Command]) -> list[tuple[int, int]]:
    clock = Clock(ACCELERATOR)
    events = [clock.advance(command) for command in commands]
    return [(event.start, event.end) for event in events if event is not None]


def test_a_row_costs_its_bytes_over_the_bandwidth() -> None:
    assert ACCELERATOR.dram_bytes_per_cycle == 16
    assert LOAD == STORE == 4096 // 16
    assert 128 * 32 // ACCELERATOR.vector_unit.lanes + 3 == COMPUTE


def test_a_result_waits_for_its_operand_and_the_latency() -> None:
    assert _run([_load(0), _compute(0)])[1][0] == LOAD + LATENCY


def test_loads_run_ahead_while_the_ring_has_room() -> None:
    (_, first), (second, _), *_ = _run([_load(0), _load(1), _compute(0), _compute(1)])
    assert second == first


def test_a_load_waits_until_the_row_it_overwrites_was_read() -> None:
    single = dataclasses.replace(SOURCE, capacity=1)
    load, compute = _load(1), _compute(0)
    assert isinstance(load, LoadRows)
    assert isinstance(compute, Elementwise)
    overwrite = dataclasses.replace(load, rows=Rows(single, 1, 1, 128))
    spans = _run([_load(0), compute, overwrite])
    assert spans[2][0] == spans[1][1] == LOAD + LATENCY + COMPUTE


def test_a_store_waits_for_the_result() -> None:
    spans = _run([_load(0), _compute(0), _store(0)])
    assert spans[2] == (spans[1][1], spans[1][1] + STORE)


def test_a_barrier_waits_for_everything() -> None:
    spans = _run([_load(0), _compute(0), _store(0), Barrier(1), _load(1)])
    assert spans[3][0] == spans[2][1]


def test_no_unit_does_two_things_at_once() -> None:
    accelerator = machine(16)
    program = schedule(edsr_graph(channels=16), accelerator, Size(13, 21))
    free: dict[str, int] = {}
    for event in timeline(program, accelerator):
        assert event.start >= free.get(event.unit, 0)
        assert event.end == event.start + command_cost(event.command, accelerator).cycles
        free[event.unit] = event.end
