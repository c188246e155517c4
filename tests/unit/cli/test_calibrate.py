"""What is said where the command cannot start."""

from pathlib import Path

import pytest

from hwsim.cli import main
from hwsim.cli.commands import calibrate


def test_without_a_library(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(calibrate, "OSU018", tmp_path / "none.lib")
    assert main(["calibrate", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"hwsim calibrate: no cell library: {tmp_path / 'none.lib'} is not there; install it "
        "(Debian: apt install qflow-tech-osu018) or name a Liberty file with --liberty\n"
    )


@pytest.mark.parametrize("text", ["0-4", "1-17", "two", "8-", "", "4-2"])
def test_widths_that_are_none(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", "--widths", text]) == 2
    told = capsys.readouterr().err
    assert "expected widths" in told
    assert f"given '{text}'" in told
