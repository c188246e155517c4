"""Commands that run side by side: each finds what it would find if they ran one by one."""

import random
import time
from collections.abc import Callable
from threading import Lock

import pytest

from hwsim.machine.overlap import run_overlapped
from hwsim.schedule import Program, schedule
from hwsim.schedule.commands import Barrier, Command, LoadRows, StoreRows
from hwsim.schedule.storage import DramTensor, LineBuffer, Rows
from quant.graph import IntegerType, Size
from tests.edsr_graphs import edsr_graph
from tests.machines import machine

Place = tuple[str, int]
Seen = dict[int, list[int]]


@pytest.fixture(scope="module")
def program() -> Program:
    return schedule(edsr_graph(blocks=1, channels=16), machine(8, array=8), Size(9, 14))


class _Witness:
    """Notes, for each command, which command had written each place it touches."""

    def __init__(self, program: Program, pause: Callable[[], float]) -> None:
        self.numbers = {id(command): n for n, command in enumerate(program.commands)}
        self.pause = pause
        self.written: dict[Place, int] = {}
        self.seen: Seen = {}
        self.lock = Lock()
        self.running = 0
        self.most_running = 0

    def run(self, command: Command) -> None:
        number = self.numbers[id(command)]
        with self.lock:
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            reads, writes = _touched(command)
            self.seen[number] = [self.written.get(place, -1) for place in (*reads, *writes)]
        time.sleep(self.pause())
        with self.lock:
            self.seen[number] += [self.written.get(place, -1) for place in reads]
            if isinstance(command, Barrier):
                assert self.running == 1
                self.written = {k: n for k, n in self.written.items() if k[0] == "dram"}
            self.written.update(dict.fromkeys(writes, number))
            self.running -= 1


def _touched(command: Command) -> tuple[list[Place], list[Place]]:
    reads = [("sram", address) for piece in command.reads for address in piece.addresses()]
    writes = [("sram", address) for piece in command.writes for address in piece.addresses()]
    if isinstance(command, LoadRows | StoreRows):
        factor = command.factor if isinstance(command, StoreRows) else 1
        pixels = [
            ("dram", command.tensor.pixel_address(row, column))
            for row in range(command.row, command.row + command.rows.count * factor)
            for column in range(command.column, command.column + command.rows.columns * factor)
        ]
        (reads if isinstance(command, LoadRows) else writes).extend(pixels)
    return reads, writes


@pytest.mark.parametrize("threads", [2, 3, 5])
def test_every_command_finds_what_it_finds_in_issue_order(program: Program, threads: int) -> None:
    in_order = _Witness(program, lambda: 0)
    for command in program.commands:
        in_order.run(command)
    pauses = random.Random(threads)
    together = _Witness(program, lambda: pauses.choice((0, 0, 1e-5, 2e-3)))
    run_overlapped(program.commands, [together.run] * threads)
    assert together.seen == in_order.seen
    assert together.most_running > 1


def test_a_load_waits_for_the_store_of_its_row() -> None:
    u8 = IntegerType(8)
    tensor = DramTensor("map", 0, Size(8, 4), 1, u8, 32)
    rings = [LineBuffer(name, 64 * n, 8, 8, 1, u8) for n, name in enumerate(("from", "to"))]
    commands: list[Command] = []
    for row in range(8):
        commands.append(StoreRows(0, Rows(rings[0], row, 1, 4), tensor, row, 0))
        commands.append(LoadRows(0, tensor, row, 0, Rows(rings[1], row, 1, 4)))
    finished: list[Command] = []

    def run(command: Command) -> None:
        time.sleep(2e-3 if isinstance(command, StoreRows) else 0)
        finished.append(command)

    run_overlapped(commands, [run] * 3)
    for store, load in zip(commands[::2], commands[1::2], strict=True):
        assert finished.index(store) < finished.index(load)


@pytest.mark.parametrize("threads", [1, 3])
def test_the_first_failure_in_issue_order_is_raised(program: Program, threads: int) -> None:
    failing = {200: 5e-3, 203: 0, 230: 0}

    def run(command: Command) -> None:
        number = numbers[id(command)]
        if number in failing:
            time.sleep(failing[number])
            raise ValueError(number)

    numbers = {id(command): n for n, command in enumerate(program.commands)}
    with pytest.raises(ValueError, match=r"^200$"):
        run_overlapped(program.commands, [run] * threads)


def test_an_interrupted_run_stops_its_threads(program: Program) -> None:
    done: list[Command] = []

    def stop(_: int, __: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_overlapped(program.commands, [done.append] * 2, stop)
    ran = len(done)
    time.sleep(0.02)
    assert len(done) == ran
