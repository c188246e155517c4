"""Folders that appear whole or not at all."""

import errno
from pathlib import Path

import pytest

from hwsim.cli.output_folder import output_folder
from quant.common.errors import UserError


def listing(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_files_appear_together_when_published(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b"
    with output_folder(target) as folder:
        folder.write("one.txt", lambda path: path.write_text("1"))
        folder.write("two.txt", lambda path: path.write_text("2"))
        assert not (target / "one.txt").exists()
        assert folder.publish() == [target / "one.txt", target / "two.txt"]

    assert listing(tmp_path) == ["a", "a/b", "a/b/one.txt", "a/b/two.txt"]
    assert (target / "two.txt").read_text() == "2"


def test_folders_inside_appear_with_their_files(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with output_folder(target) as folder:
        folder.write("in/one.txt", lambda path: path.write_text("1"))
        folder.write("in/two.txt", lambda path: path.write_text("2"))
        assert not (target / "in").exists()
        assert folder.publish() == [target / "in" / "one.txt", target / "in" / "two.txt"]

    assert listing(target) == ["in", "in/one.txt", "in/two.txt"]


def unfinished(target: Path, error: BaseException) -> None:
    with output_folder(target) as folder:
        folder.write("one.txt", lambda path: path.write_text("new"))
        raise error


@pytest.mark.parametrize("error", [UserError("no"), KeyboardInterrupt(), ZeroDivisionError()])
def test_nothing_is_left_when_the_work_fails(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)):
        unfinished(tmp_path / "a" / "b", error)

    assert listing(tmp_path) == []


def test_what_was_there_before_stays_when_the_work_fails(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("old")

    with pytest.raises(UserError):
        unfinished(tmp_path, UserError("no"))

    assert listing(tmp_path) == ["one.txt"]
    assert (tmp_path / "one.txt").read_text() == "old"


def test_files_of_the_same_name_are_replaced_and_others_kept(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("old")
    (tmp_path / "other.txt").write_text("other")

    publish_one(tmp_path)

    assert (tmp_path / "one.txt").read_text() == "new"
    assert listing(tmp_path) == ["one.txt", "other.txt"]


def publish_one(target: Path) -> None:
    with output_folder(target) as folder:
        folder.write("one.txt", lambda path: path.write_text("new"))
        folder.publish()


@pytest.mark.parametrize("below", ["file", "file/deeper"])
def test_a_folder_that_cannot_be_is_refused_before_the_work(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("a file, no folder")

    with (
        pytest.raises(UserError, match=r"^cannot write .*file.*; choose a folder you can write"),
        output_folder(tmp_path / below),
    ):
        pytest.fail("the work was begun")


def test_a_full_disk_is_told_with_the_file(tmp_path: Path) -> None:
    def fill(path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with (
        pytest.raises(UserError, match=r"^cannot write .*one\.txt: No space left on device; "),
        output_folder(tmp_path / "new") as folder,
    ):
        folder.write("one.txt", fill)

    assert listing(tmp_path) == []


def test_a_name_taken_by_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "one.txt").mkdir()

    with pytest.raises(UserError, match=r"^cannot write .*one\.txt: Is a directory; "):
        publish_one(tmp_path)

    assert listing(tmp_path) == ["one.txt"]
