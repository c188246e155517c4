"""The per-layer CSV."""

import csv
import io
from collections import Counter

import pytest

from hwsim.report.table import layers_csv
from tests.unit.report.conftest import Priced


def test_columns_add_up_to_the_totals(priced: Priced) -> None:
    rows = list(csv.DictReader(io.StringIO(layers_csv(priced.cost))))

    assert [row["layer"] for row in rows] == [layer.name for layer in priced.result.layers]
    for column, total in {
        "macs": priced.cost.macs,
        "cycles": priced.cost.cycles,
        "dram_read_bytes": priced.cost.dram_read_bytes,
        "dram_write_bytes": priced.cost.dram_write_bytes,
    }.items():
        assert sum(int(row[column]) for row in rows) == total
    for component, energy_uj in priced.cost.energy_by_component_uj.items():
        total = sum(float(row[f"{component}_energy_uj"]) for row in rows)
        assert total == pytest.approx(energy_uj)


def test_no_unit_is_busy_longer_than_its_cascade_lasts(priced: Priced) -> None:
    cycles: Counter[str] = Counter()
    busy: Counter[tuple[str, str]] = Counter()
    for row in csv.DictReader(io.StringIO(layers_csv(priced.cost))):
        cycles[row["cascade"]] += int(row["cycles"])
        for column, value in row.items():
            if column.endswith("_busy_cycles"):
                busy[row["cascade"], column] += int(value)
    assert all(held <= cycles[cascade] for (cascade, _), held in busy.items())


def test_only_what_has_no_weights_has_an_empty_cell_for_their_width(priced: Priced) -> None:
    rows = csv.DictReader(io.StringIO(layers_csv(priced.cost)))

    for row in rows:
        assert (row["weight_bits"] == "") == ("convolution" not in row["operator"])
