"""The pages about accelerators say what the code does."""

import re
from pathlib import Path

import pytest

from accelerators import (
    ACTION_UNITS,
    Action,
    EnergyModel,
    accelerator_names,
    energy_table_names,
    load_accelerator,
    load_energy_table,
)
from accelerators.catalog import load_sram_table
from accelerators.energy import NOT_MODELLED
from accelerators.energy_tables import SramTable
from quant.common.errors import UserError
from tests.unit.accelerators.document_tables import energy_table, factor_table, field_table

DOCS = Path(__file__).parents[3] / "docs"
ACCELERATORS = (DOCS / "accelerators.md").read_text(encoding="utf-8")
ENERGY = (DOCS / "energy-tables.md").read_text(encoding="utf-8")
VECTOR = (DOCS / "datapaths" / "vector_unit.md").read_text(encoding="utf-8")
REGENERATE = "python -m tests.unit.accelerators.document_tables prints what should stand there"


def words(text: str) -> str:
    """A page's text whatever its line breaks."""
    return re.sub(r"\s+", " ", text)


def test_the_table_of_keys_is_the_schema() -> None:
    assert field_table() in ACCELERATORS, REGENERATE


def test_the_table_of_prices_is_the_tables() -> None:
    assert energy_table() in ENERGY, REGENERATE


def test_the_table_of_factors_is_the_study() -> None:
    assert factor_table() in ENERGY, REGENERATE


def example() -> str:
    return ACCELERATORS.split("```yaml\n")[1].split("```")[0]


def test_the_example_loads(tmp_path: Path) -> None:
    path = tmp_path / "my_npu.yaml"
    path.write_text(example(), encoding="utf-8")
    machine = load_accelerator(path)
    EnergyModel(machine, load_energy_table(machine.energy_table))


def test_the_example_of_messages_is_what_is_told(tmp_path: Path) -> None:
    path = tmp_path / "my_npu.yaml"
    text = example().replace("rows: 8", "rows: 0").replace("size_kib", "size_kb")
    path.write_text(text, encoding="utf-8")
    shown = ACCELERATORS.split("```\nmy_npu.yaml")[1].split("```")[0]
    with pytest.raises(UserError) as caught:
        load_accelerator(path)
    told = str(caught.value).replace(f"{tmp_path}/", "")
    assert sorted(f"my_npu.yaml{shown}".strip().splitlines()) == sorted(told.splitlines())


def test_the_pages_name_every_shipped_file() -> None:
    assert all(f"| `{name}`" in ACCELERATORS for name in accelerator_names())
    assert all(f"| `{name}` |" in ENERGY for name in energy_table_names())


def test_the_page_lists_every_action_and_everything_left_out() -> None:
    listed = re.findall(r"^\| `(\w+)` (`.*?) \|", ENERGY.split("## What is charged")[1], re.M)
    pairs = {(component, name) for component, names in listed for name in re.findall(r"\w+", names)}
    assert pairs == set(ACTION_UNITS)
    assert all(f"- {item}" in words(ENERGY) for item in NOT_MODELLED)


def test_the_ratios_quoted_for_the_requantizer() -> None:
    machine = load_accelerator("tiny_npu")
    for name, quoted in (("horowitz45", "13.0"), ("accelergy45", "14.3")):
        model = EnergyModel(machine, load_energy_table(name))
        output = model.energy_pj(Action("requantizer", "output"))
        ratio = output / model.energy_pj(Action("mac_array", "mac", 8, 8))
        assert f"{ratio:.1f}" == quoted
        assert f"{quoted} under `{name}`" in words(ENERGY)


def test_the_worked_prices() -> None:
    edge = EnergyModel(load_accelerator("edge_npu"), load_energy_table("horowitz45"))
    assert edge.energy_pj(Action("mac_array", "mac", 16, 16)) == pytest.approx(1.3)
    assert "4 x (0.2 + 0.125) = 1.3 pJ under `horowitz45`" in words(ENERGY)
    assert edge.energy_pj(Action("vector_unit", "requantize")) == pytest.approx(3.9)
    assert "3.1 + 4 x 0.1 + 2 x 0.2 = 3.9 pJ" in VECTOR


def test_the_quoted_error_of_the_sram_interpolation() -> None:
    table = load_sram_table("cacti45")
    worst = {"read_pj": 0.0, "write_pj": 0.0, "leakage_mw": 0.0}
    for size in table.sizes_kib[1:-1]:
        rows = [row.model_dump() for row in table.rows if row.size_kib != size]
        without = SramTable.model_validate({**table.model_dump(), "rows": rows})
        for width in table.widths_bits:
            true, guess = table.macro(size, width), without.macro(size, width)
            for price, error in worst.items():
                missed = abs(getattr(guess, price) / getattr(true, price) - 1)
                worst[price] = max(error, missed)
    assert [round(100 * error) for error in worst.values()] == [24, 18, 6]
    assert "a read by at most 24 %, a write by at most 18 % and leakage by at most 6 %" in words(
        ENERGY
    )
