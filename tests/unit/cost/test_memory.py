"""What lies inside bursts and pages, and what a memory costs while time passes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelerators import Accelerator, EnergyModel, load_accelerator, load_energy_table
from hwsim.cost import ProgramCost
from hwsim.cost.charges import ACTIVATE, READ_BIT, STANDBY, WRITE_BIT
from hwsim.estimation import Estimator
from hwsim.schedule import schedule
from hwsim.schedule.commands import LoadConstants, LoadRows, StoreRows
from hwsim.schedule.storage import Block, DramTensor, LineBuffer, Rows, round_up
from hwsim.schedule.traffic import bus_bytes, dram_bytes, opened_pages, start_address
from hwsim.simulation import estimate
from quant.common.errors import UserError
from quant.graph import CodeKind, IntegerType, Size
from tests.edsr_graphs import edsr_graph
from tests.machines import machine

GRAPH = edsr_graph(2, 12, 2, (4, 6))
IMAGE = Size(30, 50)
TINY = (Path(__file__).parents[3] / "configs" / "accelerators" / "tiny_npu.yaml").read_text("utf-8")


def with_memory(**changes: object) -> Accelerator:
    data = machine(8).model_dump()
    data["dram"].update(changes)
    return Accelerator.model_validate(data)


def cost(accelerator: Accelerator) -> ProgramCost:
    model = EnergyModel(accelerator, load_energy_table("horowitz45"))
    return estimate(GRAPH, accelerator, model, IMAGE).cost


def total(found: ProgramCost, *actions: object) -> int:
    return sum(
        count for group in found.groups for a, count in group.charges.items() if a in actions
    )


def touched(command: LoadConstants | LoadRows | StoreRows, burst_bytes: int) -> int:
    """Bytes of all bursts that hold a byte of the transfer, byte by byte."""
    if isinstance(command, LoadConstants):
        runs = [(command.address, command.block.size_bytes)]
    else:
        factor = command.factor if isinstance(command, StoreRows) else 1
        run_bytes = command.rows.columns * factor * command.tensor.pixel_bytes
        runs = [
            (command.tensor.pixel_address(command.row + row, command.column), run_bytes)
            for row in range(command.rows.count * factor)
        ]
    return sum(
        burst_bytes * len({byte // burst_bytes for byte in range(start, start + size)})
        for start, size in runs
    )


def test_exact_bursts_are_those_that_hold_a_byte() -> None:
    exact = with_memory(exact_bursts=True)
    program = schedule(GRAPH, exact, IMAGE)
    transfers = [
        command
        for command in program.commands
        if isinstance(command, LoadConstants | LoadRows | StoreRows)
    ]
    burst = exact.dram.burst_bytes
    inside = [command for command in transfers if start_address(command) % burst]
    assert inside, "some run has to start inside a burst, or nothing is tested"
    for command in transfers:
        assert bus_bytes(command, exact.dram) == touched(command, burst)
        assert bus_bytes(command, exact.dram) - dram_bytes(command, burst) >= 0
    assert any(bus_bytes(command, exact.dram) > dram_bytes(command, burst) for command in inside)


def test_exact_bursts_are_charged_and_timed() -> None:
    assumed, exact = cost(with_memory()), cost(with_memory(exact_bursts=True))
    program = schedule(GRAPH, with_memory(), IMAGE)
    expected = sum(
        touched(command, 32)
        for command in program.commands
        if isinstance(command, LoadConstants | LoadRows | StoreRows)
    )
    assert total(exact, READ_BIT, WRITE_BIT) == 8 * expected > total(assumed, READ_BIT, WRITE_BIT)
    assert exact.cycles >= assumed.cycles
    assert exact.energy_uj > assumed.energy_uj


@given(
    runs=st.integers(1, 9),
    columns=st.integers(1, 40),
    width=st.integers(40, 60),
    start=st.integers(0, 5),
)
def test_pages_of_a_transfer(runs: int, columns: int, width: int, start: int) -> None:
    dram = with_memory(page_bytes=1024).dram
    integer = IntegerType(8, CodeKind.SIGNED)
    tensor = DramTensor("x", 0, Size(20, width), 16, integer, round_up(16 * width, 32))
    buffer = LineBuffer("x", 0, 20, 16 * width, 16, integer)
    command = LoadRows(0, tensor, 0, start, Rows(buffer, 0, runs, columns))
    pages = opened_pages(command, dram)
    moved = bus_bytes(command, dram)
    # never fewer than the bytes need, never more than every run in the worst place
    assert moved / 1024 <= pages + 1
    assert pages <= runs * (moved // runs // 1024 + 2)
    if columns < width - 2:
        assert pages >= runs


def test_whole_rows_are_one_run() -> None:
    dram = with_memory(page_bytes=1024).dram
    integer = IntegerType(8, CodeKind.SIGNED)
    tensor = DramTensor("x", 0, Size(20, 32), 16, integer, 512)
    buffer = LineBuffer("x", 0, 20, 512, 16, integer)
    whole = LoadRows(0, tensor, 0, 0, Rows(buffer, 0, 8, 32))
    part = LoadRows(0, tensor, 0, 0, Rows(buffer, 0, 8, 16))
    assert opened_pages(whole, dram) == 1 + (8 * 512 - 32) // 1024
    assert opened_pages(part, dram) == 8 + 8 * (256 - 32) // 1024
    constants = LoadConstants(0, 0, Block("w", 0, 2048))
    assert opened_pages(constants, dram) == 1 + (2048 - 32) // 1024
    assert opened_pages(whole, with_memory().dram) == 0


def test_pages_and_standby_are_charged_where_the_machine_has_figures() -> None:
    plain = cost(with_memory())
    assert total(plain, ACTIVATE) == 0
    paged = with_memory(page_bytes=1024, activate_pj=1000, standby_mw=40)
    found = cost(paged)
    assert total(found, ACTIVATE) > 0
    assert total(found, STANDBY) == found.cycles
    # 1000 pJ a page; 40 mW for the latency are 40 uJ a millisecond
    more_uj = total(found, ACTIVATE) / 1000 + 40 * found.latency_ms
    assert found.energy_uj - plain.energy_uj == pytest.approx(more_uj)
    model = EnergyModel(paged, load_energy_table("horowitz45"))
    assert not any("row activation" in text or "standby" in text for text in model.not_modelled)


def test_an_estimator_counts_the_same_bursts_and_pages() -> None:
    accelerator = with_memory(exact_bursts=True, page_bytes=1024, activate_pj=1000)
    model = EnergyModel(accelerator, load_energy_table("horowitz45"))
    found = Estimator(accelerator, model).cost(GRAPH, IMAGE)
    expected = estimate(GRAPH, accelerator, model, IMAGE).cost
    assert [group.charges for group in found.groups] == [group.charges for group in expected.groups]
    assert found.cycles == expected.cycles


def load(folder: Path, old: str, new: str) -> Accelerator:
    assert old in TINY
    path = folder / "mine.yaml"
    path.write_text(TINY.replace(old, new), encoding="utf-8")
    return load_accelerator(path)


ENERGY = "  energy_pj_per_bit: 8       # 512 pJ for 64 bits\n"


def test_a_memory_from_a_table(tmp_path: Path) -> None:
    dram = load(tmp_path, ENERGY, "  energy_table: lpddr3\n").dram
    figures = (dram.energy_pj_per_bit, dram.activate_pj, dram.page_bytes, dram.standby_mw)
    assert figures == (5.61, 1415, 4096, 33.0)
    own = load(tmp_path, ENERGY, "  energy_table: lpddr3\n  energy_pj_per_bit: 7\n").dram
    assert (own.energy_pj_per_bit, own.activate_pj) == (7, 1415)


def test_a_memory_table_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text(
        "name: ours\ndescription: a test\nsource: a test\nenergy_pj_per_bit: 3\n", encoding="utf-8"
    )
    dram = load(tmp_path, ENERGY, "  energy_table: ./ours.yaml\n").dram
    assert (dram.energy_pj_per_bit, dram.activate_pj) == (3, None)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            ENERGY,
            "",
            "dram.energy_pj_per_bit: missing; add 'energy_pj_per_bit: …' or 'energy_table: …'",
        ),
        (
            ENERGY,
            "  energy_table: lpddr5\n",
            "dram.energy_table: DRAM table 'lpddr5': no such name, did you mean 'lpddr' or "
            "'lpddr4' or 'lpddr3'? (the path of a .yaml file works too)",
        ),
        (
            ENERGY,
            f"{ENERGY}  activate_pj: 900\n",
            "dram.activate_pj: no pages are counted that it could be charged for; add "
            "'page_bytes: …'",
        ),
        (
            ENERGY,
            f"{ENERGY}  page_bytes: 1000\n",
            "dram.page_bytes: expected a multiple of burst_bytes (32), got 1000; use the page size "
            "of the memory's data sheet",
        ),
    ],
)
def test_memories_that_are_refused(tmp_path: Path, old: str, new: str, expected: str) -> None:
    with pytest.raises(UserError) as caught:
        load(tmp_path, old, new)
    assert str(caught.value).split(": ", 1)[1] == expected
