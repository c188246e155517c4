"""The package as such: what it exports, and that importing it costs nothing."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import accelerators


def test_importing_the_package_loads_neither_pydantic_nor_yaml() -> None:
    program = (
        "import sys, accelerators\n"
        "print([name for name in ('pydantic', 'yaml', 'numpy', 'torch') if name in sys.modules])\n"
        "accelerators.load_accelerator('edge_npu')\n"
        "print([name for name in ('torch', 'hwsim', 'quant.graph') if name in sys.modules])\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.split("\n") == ["[]", "[]", ""]


def test_an_installed_package_finds_the_configs_inside_itself(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    shutil.copytree(root / "accelerators", tmp_path / "accelerators")
    shutil.copytree(root / "quant" / "common", tmp_path / "quant" / "common")
    for folder in ("accelerators", "energy_tables"):  # as the wheel's force-include puts them
        source, target = root / "configs" / folder, tmp_path / "accelerators" / "configs" / folder
        shutil.copytree(source, target)
    program = "import accelerators as a; print(a.load_accelerator('tiny_npu').name, a.__file__)"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert result.stdout.strip() == f"tiny_npu {tmp_path}/accelerators/__init__.py"


def test_every_exported_name_exists() -> None:
    assert sorted(accelerators.__all__) == dir(accelerators)
    assert all(getattr(accelerators, name) is not None for name in accelerators.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'accelerators' has no attribute 'Gpu'"):
        accelerators.Gpu  # noqa: B018
