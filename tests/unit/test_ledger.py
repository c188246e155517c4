import json
import multiprocessing
import resource
from pathlib import Path

import pytest

from hwsim.ledger import FILE_NAME, Ledger
from quant.common.errors import UserError


def test_records_are_found_by_the_next_search(tmp_path: Path) -> None:
    Ledger(tmp_path / "run").put("a", {"mse": 0.1 + 0.2})
    assert Ledger(tmp_path / "run").get("a") == {"mse": 0.1 + 0.2}


def test_an_unknown_key_has_no_record(tmp_path: Path) -> None:
    assert Ledger(tmp_path).get("a") is None


def test_each_record_is_a_line_as_soon_as_it_is_put(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    for count, key in enumerate("abc", 1):
        ledger.put(key, {"cycles": count})
        lines = (tmp_path / FILE_NAME).read_text().splitlines()
        assert json.loads(lines[-1]) == {"key": key, "cycles": count}
        assert len(lines) == count


def test_a_torn_last_line_costs_only_itself(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.put("a", {"cycles": 1})
    ledger.put("b", {"cycles": 2})
    path = tmp_path / FILE_NAME
    path.write_bytes(path.read_bytes()[:-5])
    resumed = Ledger(tmp_path)
    assert resumed.get("b") is None
    resumed.put("c", {"cycles": 3})
    again = Ledger(tmp_path)
    assert (again.get("a"), again.get("c")) == ({"cycles": 1}, {"cycles": 3})


@pytest.mark.parametrize("line", ["[1]", "3", '{"cycles": 1}', '{"key": 4}', "\x00", ""])
def test_lines_that_are_no_records_are_passed_over(tmp_path: Path, line: str) -> None:
    (tmp_path / FILE_NAME).write_text(f'{line}\n{{"key": "a", "cycles": 1}}\n')
    assert Ledger(tmp_path).get("a") == {"cycles": 1}


def test_without_a_folder_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ledger = Ledger()
    ledger.put("a", {"cycles": 1})
    assert ledger.get("a") == {"cycles": 1}
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(UserError, match=r"cannot read .*run.*choose another folder"):
        Ledger(tmp_path / "run")


def write_many(folder: Path, name: str) -> None:
    """Records that fill more than a page or a buffer."""
    ledger = Ledger(folder)
    for number in range(200):
        ledger.put(f"{name} {number}", {"words": name * 20_000})


def test_lines_of_two_writers_do_not_mix(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=write_many, args=(tmp_path, name)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    lines = (tmp_path / FILE_NAME).read_text().splitlines()
    written = [json.loads(line) for line in lines if line]
    assert len(written) == 400
    assert all(set(entry["words"]) == {entry["key"][0]} for entry in written)
    assert all(Ledger(tmp_path).get(f"{name} 199") for name in "ab")


def test_a_full_disk_is_told_in_a_sentence_and_costs_one_line(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.put("a", {"cycles": 1})
    size = (tmp_path / FILE_NAME).stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 7, limits[1]))
    try:
        with pytest.raises(UserError, match=r"cannot write .*; choose another folder"):
            ledger.put("b", {"cycles": 2})
        with pytest.raises(UserError, match=r"cannot write .*; choose another folder"):
            ledger.put("c", {"cycles": 3})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / FILE_NAME).stat().st_size == size + 7
    resumed = Ledger(tmp_path)
    assert [resumed.get(key) for key in "abc"] == [{"cycles": 1}, None, None]
    resumed.put("b", {"cycles": 2})
    assert Ledger(tmp_path).get("b") == {"cycles": 2}


def test_a_file_that_cannot_be_opened_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(UserError, match=r"cannot read .*evaluations.jsonl.*another folder"):
        Ledger(tmp_path)
