"""A comparison as CSV: one line a row, every column with its unit."""

import csv
import io

from hwsim.compare import Cell, CompareResult, Spread
from hwsim.compare.result import FIGURES, MEANS, finite


def comparison_csv(found: CompareResult) -> str:
    """One line for each network, method, policy and machine, under a line of column names.

    Figures over images have three columns: ``_mean``, ``_p5`` and ``_p95``. What does not apply is
    empty.
    """
    text = io.StringIO()
    rows = [_row(found, cell) for cell in found.cells]
    classes = dict.fromkeys(name for row in rows for name in row if name.startswith("class_"))
    names = [name for name in rows[0] if name not in classes] if rows else []
    writer = csv.DictWriter(text, [*names, *classes], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _row(found: CompareResult, cell: Cell) -> dict[str, object]:
    combination = cell.combination
    row: dict[str, object] = {
        "network": combination.network,
        "method": combination.method,
        "policy": combination.policy,
        "weights": cell.weights,
        "accelerator": cell.accelerator,
        "energy_table": cell.energy_table,
        "input_height": found.size.height,
        "input_width": found.size.width,
    }
    for name in found.data_sets:
        for means in MEANS:
            quality = found.quality(cell, name, means)
            row[f"{name}_{means}_psnr_db"] = quality and finite(quality.psnr_db)
            row[f"{name}_{means}_ssim"] = quality and quality.ssim
    row |= _spread("feature_average_bits", cell.feature_average_bits)
    row |= _spread("counted_feature_average_bits", cell.counted_feature_average_bits)
    row["weight_average_bits"] = cell.weight_average_bits
    for figure in FIGURES:
        row |= _spread(figure, cell.spread(figure))
    row |= _spread("latency_ms", cell.latency_ms)
    row["sram_peak_kib"] = cell.sram_peak_kib
    row["bit_exact_mismatches"] = cell.bit_exact and cell.bit_exact.mismatches
    row["fidelity_values"] = cell.fidelity and cell.fidelity.values
    row["fidelity_differing"] = cell.fidelity and cell.fidelity.differing
    row["error"] = cell.error
    classes = cell.costs.classes() if cell.costs else {}
    row |= {f"class_{name}_energy_uj": part.energy_uj for name, part in classes.items()}
    return row


def _spread(name: str, spread: Spread | None) -> dict[str, object]:
    return {
        f"{name}_mean": spread and spread.mean,
        f"{name}_p5": spread and spread.p5,
        f"{name}_p95": spread and spread.p95,
    }
