"""Runs and estimates read back from what they wrote."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwsim.cli.report_files import FLOAT, INPUT, ORIGINAL, OUTPUT, RECORD, RESULT
from hwsim.report.explanation_record import ExplanationRecord
from hwsim.report.json_records import as_record, read_json_object
from hwsim.report.judgement import Judgement
from hwsim.report.recorded_run import RecordedRun, RunRecord
from hwsim.report.result import Result
from quant.common.errors import UserError
from quant.common.files import read_bytes
from quant.imaging import bicubic_upscale, read_image

Pixels = NDArray[np.uint8]

_PAGES = {"search.json": "search.html", "codesign.json": "codesign.html"}
"""Results that have pages of their own."""


def is_recorded_run(path: Path) -> bool:
    """Whether a path is meant as a run: a folder, or a JSON file."""
    return path.is_dir() or path.suffix == ".json"


def read_run(path: Path) -> RecordedRun:
    """A run, or an estimate, from its folder or its ``result.json``.

    What lies beside the JSON file is taken as its own: ``report.json`` and pictures, if there are
    any.

    Args:
        path: a folder that ``--out`` wrote, or a file that holds what ``--json`` prints.

    Raises:
        UserError: there is no such result, it is of another kind or version, or a picture is not
            the one it names.
    """
    file = path / RESULT if path.is_dir() else path
    folder = file.parent
    if path.is_dir() and not file.exists():
        raise UserError(_no_result(path))
    found = read_json_object(file, "result")
    if "layers" not in found or "energy_uj" not in found:
        raise UserError(
            f"{file}: expected what hwsim run or hwsim estimate writes to {RESULT}, found another "
            "JSON file; name the folder of a run"
        )
    result = as_record(found, Result, file, "result")
    _require_positive(_figures_of_image(result) | _figures_of_machine(result.explanation), file)
    if file.name != RESULT:
        return RecordedRun(result=result)
    record = _read_record(folder / RECORD)
    judgement = None if result.output is None else _read_pictures(folder, result)
    if judgement is None:
        return RecordedRun(result=result, record=record)
    return RecordedRun(
        result=result,
        record=record,
        panels=judgement.panels(result),
        output=judgement.place_of_output(),
    )


def _require_positive(figures: Mapping[str, float], file: Path) -> None:
    """Make sure of what every image, and every machine, has.

    Raises:
        UserError: a figure is zero or less.
    """
    for key, value in figures.items():
        if value <= 0:
            raise UserError(
                f"{file}: expected a '{key}' above zero, found {value}; write the result again"
            )


def _figures_of_image(result: Result) -> dict[str, float]:
    return {
        "input_size": min(result.input_size),
        "output_size": min(result.output_size),
        "cycles": result.cycles,
        "latency_ms": result.latency_ms,
        "energy_uj": result.energy_uj,
    }


def _figures_of_machine(explanation: ExplanationRecord | None) -> dict[str, float]:
    if explanation is None:
        return {}
    return {
        "peak_macs_per_cycle": explanation.peak_macs_per_cycle,
        "dram_bytes_per_cycle": explanation.dram_bytes_per_cycle,
    }


def _no_result(folder: Path) -> str:
    for name, page in _PAGES.items():
        if (folder / name).exists():
            return (
                f"{folder}: expected the folder of a run or an estimate, found a search, whose "
                f"page is {folder / page}"
            )
    return (
        f"{folder}: expected the folder of a run or an estimate, found no {RESULT} in it; write "
        f"one with hwsim run --out {folder}"
    )


def _read_record(path: Path) -> RunRecord | None:
    if not path.exists():
        return None
    record = as_record(read_json_object(path, "report"), RunRecord, path, "report")
    _require_positive(_figures_of_machine(record.explanation), path)
    return record


def _read_pictures(folder: Path, result: Result) -> Judgement | None:
    """The pictures beside a result; None where there are none.

    Raises:
        UserError: one is not that of the result, or of another size than it should be.
    """
    output = folder / OUTPUT
    if not output.exists() or not (folder / INPUT).exists():
        return None
    assert result.output is not None
    found = hashlib.sha256(read_bytes(output, "image")).hexdigest()
    if found != result.output.sha256:
        raise UserError(
            f"{output}: expected the picture of {folder / RESULT}, whose SHA-256 is "
            f"{result.output.sha256[:16]}…, found one of {found[:16]}…; run the image again"
        )
    scale = result.output_size[0] // result.input_size[0]
    image = _picture(folder / INPUT, result.input_size)
    return Judgement(
        bicubic=bicubic_upscale(image, scale),
        output=_picture(output, result.output_size),
        floating=_optional_picture(folder / FLOAT, result.output_size),
        original=_optional_picture(folder / ORIGINAL, result.output_size),
        border=scale,
    )


def _optional_picture(path: Path, size: Sequence[int]) -> Pixels | None:
    return _picture(path, size) if path.exists() else None


def _picture(path: Path, size: Sequence[int]) -> Pixels:
    pixels = read_image(path)
    if pixels.shape[:2] != tuple(size):
        height, width = pixels.shape[:2]
        raise UserError(
            f"{path}: expected {size[0]}×{size[1]} pixels, found {height}×{width}; run the image "
            "again"
        )
    return pixels
