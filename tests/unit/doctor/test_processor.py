"""What processor and memory are, from what the system says."""

from pathlib import Path

import pytest

from hwsim.arithmetic._instruction_sets import INSTRUCTION_SETS, available
from hwsim.doctor import processor as module
from hwsim.doctor.processor import memory, processor

GIB = 2**30


def test_every_instruction_set_is_used_or_says_why_not() -> None:
    rows = processor(kernels_work=True).instruction_sets

    assert [row.name for row in rows] == [row.name for row in INSTRUCTION_SETS]
    usable = [place for place, row in enumerate(rows) if row.usable]
    assert tuple(usable) == available()
    assert all(row.usable == (row.reason is None) for row in rows)
    assert rows[-1].usable  # the one that needs nothing


def test_without_kernels_nothing_is_known_of_them() -> None:
    found = processor(kernels_work=False)

    assert (found.model, found.kernel_threads, found.instruction_sets) == (None, None, ())
    assert found.usable_processors >= 1


@pytest.mark.parametrize(
    ("limit", "limit_bytes"),
    [("max\n", None), (f"{2 * GIB}\n", 2 * GIB), ("9223372036854771712", None)],
)
def test_memory_is_what_linux_says_and_what_a_container_may_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, limit_bytes: int | None
) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 8388608 kB\nMemAvailable: 4194304 kB\nOdd: x\n")
    (tmp_path / "limit").write_text(limit)
    monkeypatch.setattr(module, "_MEMORY", tmp_path / "meminfo")
    monkeypatch.setattr(module, "_MEMORY_LIMITS", (tmp_path / "none", tmp_path / "limit"))

    found = memory()

    assert (found.total_bytes, found.available_bytes) == (8 * GIB, 4 * GIB)
    assert found.limit_bytes == limit_bytes


def test_memory_of_other_systems(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "_MEMORY", tmp_path / "none")
    monkeypatch.setattr(module, "_MEMORY_LIMITS", ())

    assert memory().available_bytes is None
    assert (memory().total_bytes or 0) > GIB
