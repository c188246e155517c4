"""What is said where yosys is not installed."""

from pathlib import Path

import pytest

from accelerators.synthesis.yosys import yosys_version
from quant.common.errors import UserError


def test_without_yosys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError) as error:
        yosys_version()
    assert str(error.value) == (
        "synthesis needs yosys, which is not on the path; install it (Debian: apt install yosys)"
    )
