"""Results read back: the same records; anything else is one sentence."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from hwsim.report import json_records
from hwsim.report.json_records import as_record, read_json_object
from hwsim.report.recorded_run import RunRecord
from hwsim.report.result import Result
from quant.common.errors import UserError
from tests.small_run import small_run


def test_a_result_and_its_record_are_the_same_after_a_round_trip(tmp_path: Path) -> None:
    run = small_run()
    result = replace(run.result, explanation=run.explanation)
    assert run.record is not None
    (tmp_path / "result.json").write_text(result.to_json())
    (tmp_path / "report.json").write_text(run.record.to_json())

    for name, kind, written in (
        ("result.json", Result, result),
        ("report.json", RunRecord, run.record),
    ):
        path = tmp_path / name
        assert as_record(read_json_object(path, "result"), kind, path, "result") == written


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "expected a result file in JSON, but"),
        (b"{", "expected a result file in JSON, but"),
        (b"\xff\xfe", "expected a result file in JSON, but"),
        (b"[1]", "expected a result file, one JSON object, found something else"),
        (b'{"a": NaN}', "NaN is no figure"),
        (b'{"a": -Infinity}', "-Infinity is no figure"),
        (b'{"a": 1e999}', "1e999 is no figure"),
        (b'{"a": 1e-320}', "1e-320 is no figure"),
        (b'{"a": ' + b"9" * 61 + b"}", "9999 is no figure"),
        (b'{"a": ' + b"9" * 9999 + b"}", "expected a result file in JSON, but"),
        (b'{"a": "\\ud800"}', "surrogates not allowed"),
        (b'{"a":' * 100_000, "it is nested too deeply"),
    ],
)
def test_what_is_no_json_object_is_one_sentence(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "result.json"
    path.write_bytes(content)

    with pytest.raises(UserError) as told:
        read_json_object(path, "result")

    assert sentence in str(told.value)
    assert str(told.value).startswith(str(path))
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 400


def test_what_is_too_large_is_not_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_records, "_LARGEST_BYTES", 1 << 20)
    path = tmp_path / "result.json"
    path.write_bytes(b" " * ((1 << 20) + 1))

    with pytest.raises(UserError, match="at most 1 MiB, found 1 MiB"):
        read_json_object(path, "result")


def test_a_missing_key_and_a_wrong_value_are_named() -> None:
    record = asdict(small_run().result)
    del record["layers"][0]["cycles"]
    with pytest.raises(UserError, match=r"'layers\.0\.cycles': field required; write it again"):
        as_record(record, Result, Path("a.json"), "result")
    record = {**asdict(small_run().result), "macs": "many"}
    with pytest.raises(UserError, match=r"a\.json: expected a result as this version of hwsim"):
        as_record(record, Result, Path("a.json"), "result")
