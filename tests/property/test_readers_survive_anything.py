"""Damaged and hostile files end in a value or in one sentence, whatever was changed in them."""

from pathlib import Path

import pytest

pytest.importorskip("onnx", reason="needs onnx, of the extra [onnx]")
pytest.importorskip("tflite", reason="needs tflite, of the extra [tflite]")
pytest.importorskip("qonnx", reason="needs qonnx, of the extra [verify]")
pytest.importorskip("onnxruntime", reason="needs onnxruntime, of the extra [verify]")

from tests.fuzzing.campaign import fuzz
from tests.fuzzing.readers import readers

READERS = {reader.name: reader for reader in readers()}
FEW, MANY = 40, 1500


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("inputs", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
def test_changed_files_are_read_or_refused(name: str, inputs: int, tmp_path: Path) -> None:
    outcome = fuzz(READERS[name], inputs, seed=inputs, folder=tmp_path)
    assert not outcome.bugs, dict(outcome.bugs)
    assert outcome.inputs == inputs
    assert outcome.refused > inputs / 10  # the changes do reach what is checked
    assert outcome.grown_mib < 500
