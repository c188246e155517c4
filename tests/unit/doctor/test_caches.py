"""What is kept on disk, and whether kernels work at all."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from hwsim.doctor import caches as module
from hwsim.doctor.caches import Cache, kernels, other_caches


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where machine code is kept, with some in it."""
    (tmp_path / "one.nbi").write_bytes(b"12345")
    (tmp_path / "one.nbc").write_bytes(b"123")
    (tmp_path / "module.pyc").write_bytes(b"of no account")
    kernel = SimpleNamespace(stats=SimpleNamespace(cache_path=str(tmp_path)))
    modules = SimpleNamespace(constant=1, first=kernel, second=kernel)
    monkeypatch.setattr(module, "import_module", lambda name: modules)
    return tmp_path


def test_machine_code_is_counted_once_for_each_folder(folder: Path) -> None:
    assert kernels().caches == (
        Cache(
            content="machine code of kernels", path=str(folder), files=2, size_bytes=8,
            writable=True,
        ),
    )  # fmt: skip
    assert (kernels().compiled, kernels().problem) == (True, None)


def test_kernels_that_cannot_be_imported_are_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(module, "import_module", fail)

    assert kernels().problem == "RuntimeError: cannot cache function: no locator available"
    assert not kernels().compiled


def test_kernels_that_are_left_as_python_are_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "import_module", lambda name: SimpleNamespace(plain=len))

    assert kernels().problem == "NUMBA_DISABLE_JIT is set; unset it"


def test_the_real_kernels_are_found() -> None:
    assert kernels().problem is None
    assert any(cache.path.endswith("arithmetic/__pycache__") for cache in kernels().caches)


def test_a_folder_that_is_not_there_yet_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    (verilog,) = other_caches()

    assert verilog.path == str(tmp_path / "cache" / "hwsim" / "rtl")
    assert (verilog.files, verilog.size_bytes, verilog.writable) == (0, 0, True)
