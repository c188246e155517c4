"""Machines that differ from a file's in a few values."""

from pathlib import Path

import pytest

from accelerators import accelerator_names, load_accelerator
from accelerators.catalog import accelerator_yaml
from accelerators.variation import value_at, variable_paths
from quant.common.errors import UserError


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        ("array.rows", "16", 16),
        ("dram.bandwidth_gb_per_s", "6.4", 6.4),
        ("dram.bandwidth_gb_per_s", "6", 6),
        ("scheduling.fusion", "false", False),
        ("array.dataflow", "weight_stationary", "weight_stationary"),
        ("clock_mhz", "1e3", 1000.0),
    ],
)
def test_values_are_what_they_are_in_a_file(path: str, text: str, value: object) -> None:
    found = value_at(path, text)

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("path", "text", "sentence"),
    [
        ("array.row", "16", "array.row: expected the path of a key of an accelerator; did you mean "
         "'array.rows'"),
        ("array", "16", "array: expected the path of a key of an accelerator"),
        ("name", "other", "name: expected the path of a key of an accelerator"),
        ("array.rows", "0", "array.rows: expected at least 1, got 0"),
        ("array.rows", "many", "array.rows: expected a whole number, got the text 'many'"),
        ("array.rows", "1.5", "array.rows: expected a whole number, got 1.5"),
        ("clock_mhz", "inf", "clock_mhz: expected a number, got the text 'inf'"),
        ("scheduling.fusion", "on", "scheduling.fusion: expected true or false, got the text 'on'"),
        ("array.dataflow", "systolic", "array.dataflow: expected 'output_stationary', "),
    ],
)  # fmt: skip
def test_keys_and_values_no_machine_has_are_refused(path: str, text: str, sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        value_at(path, text)

    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_every_key_that_figures_depend_on_can_be_varied() -> None:
    paths = variable_paths()

    assert {"clock_mhz", "array.lanes", "sram.size_kib", "scheduling.fusion"} < set(paths)
    assert not {"name", "description", "source", "dram.source", "array"} & set(paths)


def test_a_varied_machine_differs_in_what_its_name_tells_alone() -> None:
    base = load_accelerator("edge_npu")
    varied = load_accelerator("edge_npu", {"array.rows": 16, "scheduling.fusion": False})

    assert varied.name == "edge_npu[array.rows=16, scheduling.fusion=false]"
    assert (varied.array.rows, varied.scheduling.fusion) == (16, False)
    expected = base.model_dump() | {"name": varied.name}
    expected["array"]["rows"] = 16
    expected["scheduling"]["fusion"] = False
    assert varied.model_dump() == expected


def test_a_dram_table_counts_although_it_is_varied(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "configs/accelerators/tiny_npu.yaml").read_text("utf-8")
    lines = [line for line in text.splitlines() if "energy_pj_per_bit" not in line]
    (tmp_path / "my.yaml").write_text(
        "\n".join(lines).replace("  burst_bytes", "  energy_table: lpddr4\n  burst_bytes")
    )

    machines = [
        load_accelerator(tmp_path / "my.yaml", {"dram.energy_table": table})
        for table in ("lpddr4", "ddr3")
    ]

    assert len({machine.dram.energy_pj_per_bit for machine in machines}) == 2


def test_values_that_contradict_one_another_are_told_under_the_machines_name() -> None:
    with pytest.raises(UserError) as caught:
        load_accelerator("edge_npu", {"array.rows": 256})

    assert str(caught.value).startswith(
        "accelerator 'edge_npu[array.rows=256]': sram: expected banks x word_bits of at least 2304 "
    )


@pytest.mark.parametrize("name", accelerator_names())
def test_a_machine_can_be_written_and_read(name: str, tmp_path: Path) -> None:
    machine = load_accelerator(name, {"vector_unit.lanes": 7})
    (tmp_path / "machine.yaml").write_text(accelerator_yaml(machine), encoding="utf-8")

    assert load_accelerator(tmp_path / "machine.yaml") == machine


def test_a_written_machine_finds_its_tables_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configs = Path(__file__).parents[3] / "configs"
    (tmp_path / "here").mkdir()
    for name, source in (
        ("machine.yaml", "accelerators/tiny_npu.yaml"),
        ("prices.yaml", "energy_tables/horowitz45.yaml"),
        ("dram.yaml", "energy_tables/dram/lpddr4.yaml"),
    ):
        text = (configs / source).read_text(encoding="utf-8")
        text = text.replace("energy_table: horowitz45", "energy_table: ./prices.yaml")
        text = text.replace("  burst_bytes", "  energy_table: ./dram.yaml\n  burst_bytes")
        (tmp_path / "here" / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path / "here")
    machine = load_accelerator("machine.yaml")

    (tmp_path / "elsewhere.yaml").write_text(accelerator_yaml(machine), encoding="utf-8")
    monkeypatch.chdir("/")

    found = load_accelerator(tmp_path / "elsewhere.yaml")
    assert found.energy_table == str(tmp_path / "here" / "prices.yaml")
    assert found.dram.energy_table == str(tmp_path / "here" / "dram.yaml")
    assert found.dram.standby_mw == machine.dram.standby_mw
    other = accelerator_yaml(load_accelerator("edge_npu"), "synth45")
    assert "energy_table: synth45" in other
