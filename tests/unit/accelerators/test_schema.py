"""Accelerator files: what loads, what is refused and in which words."""

from pathlib import Path

import pytest

from accelerators import (
    Accelerator,
    accelerator_names,
    energy_table_names,
    load_accelerator,
    load_energy_table,
    resized,
)
from quant.common.accumulators import OVERFLOWS, Accumulator
from quant.common.errors import UserError

CONFIGS = Path(__file__).parents[3] / "configs"
TINY = (CONFIGS / "accelerators" / "tiny_npu.yaml").read_text(encoding="utf-8")


def line_of(text: str, start: str) -> int:
    return next(i for i, line in enumerate(text.splitlines(), 1) if line.strip().startswith(start))


def message(folder: Path, *changes: tuple[str, str]) -> str:
    """What the user is told about tiny_npu.yaml after some changes to its text."""
    text = TINY
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "my.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        load_accelerator(path)
    return str(caught.value).replace(f"{folder}/", "")


def test_every_shipped_machine_loads_under_its_own_name() -> None:
    assert {"edge_npu", "tiny_npu", "bit_fusion", "edge_tpu", "unpu"} < set(accelerator_names())
    for name in accelerator_names():
        assert load_accelerator(name).name == name


def test_the_default_machine() -> None:
    machine = load_accelerator("edge_npu")
    assert machine.array.processing_elements == 1024
    assert machine.sram.words == 512 * 1024 * 8 // 128
    assert machine.sram.bank_kib == 32
    assert machine.dram_bytes_per_cycle == 16


def test_a_machine_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(TINY, encoding="utf-8")
    assert load_accelerator(path) == load_accelerator(str(path)) == load_accelerator("tiny_npu")


def test_an_energy_table_beside_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = (CONFIGS / "energy_tables" / "horowitz45.yaml").read_text(encoding="utf-8")
    sram = (CONFIGS / "energy_tables" / "sram" / "cacti45.yaml").read_text(encoding="utf-8")
    (tmp_path / "machines" / "tables").mkdir(parents=True)
    (tmp_path / "machines" / "my.yaml").write_text(
        TINY.replace("energy_table: horowitz45", "energy_table: tables/mine.yaml")
    )
    (tmp_path / "machines" / "tables" / "mine.yaml").write_text(
        table.replace("name: horowitz45", "name: mine").replace("cacti45", "sram.yaml")
    )
    (tmp_path / "machines" / "tables" / "sram.yaml").write_text(sram)
    monkeypatch.chdir(tmp_path)
    machine = load_accelerator("machines/my.yaml")
    assert load_energy_table(machine.energy_table).name == "mine"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            "edge_mpu",
            "accelerator 'edge_mpu': no such name, did you mean 'edge_tpu' or 'edge_npu' or "
            "'edge_sr_npu'? (the path of a .yaml file works too)",
        ),
        (
            "x",
            f"accelerator 'x': no such name, known: {', '.join(accelerator_names())} (the path of "
            "a .yaml file works too)",
        ),
        ("gone.yaml", "gone.yaml: no such accelerator file; check the path"),
        (Path("gone"), "gone: no such accelerator file; check the path"),
    ],
)
def test_an_unknown_machine(given: str | Path, expected: str) -> None:
    with pytest.raises(UserError) as caught:
        load_accelerator(given)
    assert str(caught.value) == expected


def test_an_unknown_energy_table_is_told_with_its_line(tmp_path: Path) -> None:
    change = ("energy_table: horowitz45", "energy_table: horowitz54")
    assert message(tmp_path, change) == (
        f"my.yaml:{line_of(TINY, 'energy_table:')}: energy_table: energy table 'horowitz54': no "
        "such name, did you mean 'horowitz45'? (the path of a .yaml file works too)"
    )


def test_a_table_of_another_node_is_refused(tmp_path: Path) -> None:
    assert message(tmp_path, ("technology_nm: 45", "technology_nm: 22")) == (
        f"my.yaml:{line_of(TINY, 'energy_table:')}: energy_table: energy table 'horowitz45' is for "
        "45 nm, but accelerator 'tiny_npu' has technology_nm 22; choose a table of the same node, "
        "or add 'energy_scaling: stillmaker_baas' to have it scaled"
    )


def test_several_mistakes_at_once(tmp_path: Path) -> None:
    told = message(
        tmp_path,
        ("rows: 16", "rows: 0"),
        ("columns: 16", "columns: 100000"),
        ("size_kib: 128", "size_kb: 128"),
    )
    assert told.splitlines() == [
        f"my.yaml:{line_of(TINY, 'rows:')}: array.rows: expected at least 1, got 0",
        f"my.yaml:{line_of(TINY, 'columns:')}: array.columns: expected at most 1024, got 100000",
        f"my.yaml:{line_of(TINY, 'sram:')}: sram.size_kib: missing; add 'size_kib: …'",
        f"my.yaml:{line_of(TINY, 'size_kib:')}: sram.size_kb: unknown key; did you mean "
        "'size_kib'?",
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "expected"),
    [
        (
            "accumulator_bits: 32",
            "accumulator_bits: 15",
            "accumulator_bits:",
            "array.accumulator_bits: expected at least 16, the width of one product (weight_bits + "
            "activation_bits), got 15; widen the accumulator",
        ),
        (
            "banks: 8",
            "banks: 3",
            "sram:",
            "sram: expected banks x word_bits of at least 256 bits a cycle, what the array "
            "consumes (rows x activation_bits + columns x weight_bits), got 192; add banks, widen "
            "the word or shrink the array",
        ),
        (
            "size_kib: 128     # NVDLA",
            "size_kib: 1       # NVDLA",
            None,
            None,
        ),
        (
            "burst_bytes: 32",
            "burst_bytes: 48",
            "burst_bytes:",
            "dram.burst_bytes: expected a power of two, got 48; use the burst length of the "
            "memory's data sheet times its width in bytes",
        ),
        (
            "word_bits: 64",
            "word_bits: 60",
            "word_bits:",
            "sram.word_bits: expected a multiple of 8, got 60",
        ),
        (
            "rounding: half_up",
            "rounding: half_upp",
            "rounding:",
            "requantizer.rounding: 'half_upp' is no requantization mode; did you mean 'half_up'?",
        ),
        (
            "dataflow: output_stationary",
            "dataflow: row_stationary",
            "dataflow:",
            "array.dataflow: expected 'output_stationary', 'weight_stationary', "
            "'input_stationary', 'activation_serial', 'weight_serial', 'bit_serial', 'composable' "
            "or 'shift_add', got the text 'row_stationary'",
        ),
    ],
)
def test_contradictions(
    tmp_path: Path, old: str, new: str, line: str | None, expected: str | None
) -> None:
    if line is None:  # a very small memory is no contradiction
        path = tmp_path / "small.yaml"
        path.write_text(TINY.replace(old, new), encoding="utf-8")
        assert load_accelerator(path).sram.size_kib == 1
    else:
        assert message(tmp_path, (old, new)) == f"my.yaml:{line_of(TINY, line)}: {expected}"


def test_an_accumulator_too_wide_to_overflow_in_any_way(tmp_path: Path) -> None:
    change = ("accumulator_bits: 32", "accumulator_overflow: wrap\n  accumulator_bits: 49")
    assert message(tmp_path, change) == (
        f"my.yaml:{line_of(TINY, 'accumulator_bits:') + 1}: array.accumulator_bits: expected at "
        "most 48 where accumulator_overflow is wrap, got 49; narrow the accumulator or let an "
        "overflow be an error"
    )


def test_what_an_overflow_becomes(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    assert load_accelerator("tiny_npu").array.accumulator == Accumulator(32, "error")
    for overflow in OVERFLOWS:
        line = f"accumulator_bits: 20\n  accumulator_overflow: {overflow}"
        path.write_text(TINY.replace("accumulator_bits: 32", line), encoding="utf-8")
        assert load_accelerator(path).array.accumulator == Accumulator(20, overflow)
    change = ("accumulator_bits: 32", "accumulator_bits: 32\n  accumulator_overflow: warp")
    assert message(tmp_path, change) == (
        f"my.yaml:{line_of(TINY, 'accumulator_bits:') + 1}: array.accumulator_overflow: expected "
        "'error', 'wrap', 'saturate_final' or 'saturate_step', got the text 'warp'"
    )


def test_more_banks_than_words(tmp_path: Path) -> None:
    changes = (("size_kib: 128", "size_kib: 1"), ("banks: 8", "banks: 129"))
    assert message(tmp_path, *changes) == (
        f"my.yaml:{line_of(TINY, 'banks:')}: sram.banks: expected at most 128, the words in 1 KiB, "
        "got 129; use fewer banks or a larger memory"
    )


def test_resized_machines_are_checked_and_named() -> None:
    machine = load_accelerator("tiny_npu")
    small = resized(machine, rows=8, columns=4, sram_kib=1)
    assert small.name == "tiny_npu (rows=8, columns=4, size_kib=1)"
    assert (small.array.rows, small.array.columns, small.sram.size_kib) == (8, 4, 1)
    assert small.dram == machine.dram
    assert resized(machine) is machine
    narrow = resized(machine, accumulator_bits=16, accumulator_overflow="wrap")
    assert narrow.name == "tiny_npu (accumulator_bits=16, accumulator_overflow=wrap)"
    assert narrow.array.accumulator == Accumulator(16, "wrap")
    with pytest.raises(
        UserError, match=r"^accelerator 'tiny_npu \(rows=0\)': array\.rows: expected at least 1, "
    ):
        resized(machine, rows=0)
    with pytest.raises(UserError, match=r"sram: expected banks x word_bits of at least 640 bits"):
        resized(machine, rows=64)


def test_shipped_configs_name_their_own_file() -> None:
    for name in energy_table_names():
        assert load_energy_table(name).name == name
    for file in (CONFIGS / "energy_tables" / "sram").glob("*.yaml"):
        assert f"\nname: {file.stem}\n" in file.read_text(encoding="utf-8")


def test_a_record_survives_its_own_dump() -> None:
    machine = load_accelerator("edge_npu")
    assert Accelerator.model_validate(machine.model_dump()) == machine


@pytest.mark.parametrize(
    ("key", "line", "expected"),
    [
        (
            "lanes",
            "dataflow: weight_stationary\n  lanes: 4",
            "an array of dataflow weight_stationary has none, those of output_stationary, "
            "activation_serial, weight_serial, bit_serial, shift_add do; leave it out",
        ),
        (
            "lanes_at_one_bit",
            "dataflow: bit_serial\n  lanes_at_one_bit: 4",
            "an array of dataflow bit_serial has none, those of weight_serial do; leave it out",
        ),
        (
            "accumulator_entries",
            "dataflow: output_stationary\n  accumulator_entries: 4",
            "an array of dataflow output_stationary has none, those of weight_stationary, "
            "input_stationary, composable do; leave it out",
        ),
        (
            "accumulator_overflow",
            "dataflow: input_stationary\n  accumulator_overflow: saturate_step",
            "saturate_step is defined by the order in which single products are added, which only "
            "output_stationary arrays of one lane keep; choose error, wrap or saturate_final",
        ),
        (
            "weight_bits",
            "dataflow: composable\n  weight_bits: 6",
            "expected weight_bits and activation_bits of 2, 4, 8 or 16, which bricks of 2 bits can "
            "make up, got 6 and 8; choose such widths",
        ),
        (
            "lanes_at_one_bit",
            "dataflow: weight_serial\n  lanes: 4\n  lanes_at_one_bit: 3",
            "expected 0 or at least 4, the lanes for wider weights, got 3; narrower weights take "
            "no more room",
        ),
        (
            "accumulator_entries",
            "dataflow: weight_stationary\n  accumulator_entries: 0",
            "expected at least 1, got 0",
        ),
        (
            "kernel_taps",
            "dataflow: output_stationary\n  kernel_taps: alone",
            "expected 'together' or 'apart', got the text 'alone'",
        ),
    ],
)
def test_keys_that_do_not_fit_the_kind_of_array(
    tmp_path: Path, key: str, line: str, expected: str
) -> None:
    changes = [("dataflow: output_stationary", line)]
    if key == "weight_bits":
        changes = [("  weight_bits: 8\n", ""), *changes]
    told = message(tmp_path, *changes)
    text = TINY
    for change in changes:
        text = text.replace(*change)
    place = line_of(text, f"{key}:")
    assert told.splitlines()[0] == f"my.yaml:{place}: array.{key}: {expected}"


def test_a_kind_that_consumes_more_than_the_memory_delivers(tmp_path: Path) -> None:
    told = message(tmp_path, ("dataflow: output_stationary", "dataflow: composable"))
    assert told == (
        f"my.yaml:{line_of(TINY, 'sram:')}: sram: expected banks x word_bits of at least 1024 bits "
        "a cycle, what the array consumes (composable), got 512; add banks, widen the word or "
        "shrink the array"
    )
