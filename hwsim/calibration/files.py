"""What a calibration writes: the factors as YAML, and every measured point as a table."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from accelerators.datapath_factors import DatapathFactors
from hwsim.calibration.campaign import Measured
from hwsim.calibration.factors import Document
from quant.common.files import atomic_output

_HEAD = """\
# Energy and area of processing elements, from synthesis and gate-level simulation. Written by
# `hwsim calibrate`, which docs/synthesis.md explains; provenance below says how to write it again.
#
# Energies are in the library's picojoules, at its supply. A reader divides them by reference_pj and
# multiplies by one absolute anchor that the energy table names (docs/energy-tables.md).
"""


def write_factors(path: Path, document: Document) -> None:
    """Write the file that an energy table names as ``datapath_factors``.

    Raises:
        UserError: it cannot be written.
    """
    DatapathFactors.model_validate(document)
    text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    with atomic_output(path) as target:
        target.write_text(f"{_HEAD}\n{text}")


class _Dumper(yaml.SafeDumper):
    """Numbers side by side, everything else on a line of its own."""

    def represent_sequence(
        self, tag: str, sequence: Any, flow_style: bool | None = None
    ) -> yaml.SequenceNode:
        return super().represent_sequence(tag, sequence, _are_numbers(sequence))

    def represent_mapping(
        self, tag: str, mapping: Any, flow_style: bool | None = None
    ) -> yaml.MappingNode:
        return super().represent_mapping(tag, mapping, _are_numbers(mapping.values()))


def _are_numbers(values: Iterable[object]) -> bool:
    return all(isinstance(value, int | float) for value in values)


COLUMNS = (
    "datapath",
    "weight_bits",
    "activation_bits",
    "operands",
    "unit",
    "area_ge",
    "cells",
    "flip_flops",
    "leakage_nw",
    "settled_pj",
    "calibrated_pj",
    "delayed_pj",
    "clock_pj",
)
"""Of the table of points."""


def write_points(path: Path, measured: Sequence[Measured]) -> None:
    """Write every measured point, a line each.

    Raises:
        UserError: it cannot be written.
    """
    with atomic_output(path) as target, target.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for point in measured:
            writer.writerow([_cell(point, column) for column in COLUMNS])


def _cell(point: Measured, column: str) -> object:
    for part in (point, point.energy, point.hardware):  # both have a clock: that of an operation
        if hasattr(part, column):
            value = getattr(part, column)
            return f"{value:.5g}" if isinstance(value, float) else value
    raise AssertionError(column)
