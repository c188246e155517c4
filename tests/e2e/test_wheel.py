"""The wheel holds everything the program reads, stays small, and works where it is unpacked."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("accelerators", "hwsim", "quant")
CONFIGS = {  # where pyproject.toml puts the parts of configs/
    "configs/accelerators": "accelerators/configs/accelerators",
    "configs/energy_tables": "accelerators/configs/energy_tables",
    "configs/policies": "quant/configs/policies",
}
LARGEST_MB = 40


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    builders = pytest.importorskip("hatchling.builders.wheel")
    (built,) = builders.WheelBuilder(str(ROOT)).build(
        directory=str(tmp_path_factory.mktemp("wheel")), versions=["standard"]
    )
    return Path(built)


def _files(folder: str) -> set[str]:
    return {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


def test_the_wheel_holds_every_file_of_the_packages_and_configs(wheel: Path) -> None:
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    wanted = set().union(*map(_files, PACKAGES))
    for folder, place in CONFIGS.items():
        wanted |= {name.replace(folder, place, 1) for name in _files(folder)}
    assert _files("configs") == set().union(*map(_files, CONFIGS))
    assert packed == wanted
    assert any(name.endswith(".safetensors") for name in packed)


def test_the_wheel_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size < LARGEST_MB * 1e6


def test_an_unpacked_wheel_finds_its_configs_and_weights(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    program = (
        "import hwsim, sys; from hwsim.cli import main; "
        "print(hwsim.__file__, file=sys.stderr); sys.exit(main())"
    )

    def hwsim(*arguments: str) -> object:
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments, "--json"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert str(tmp_path / "hwsim") in done.stderr
        return json.loads(done.stdout)

    names = hwsim("list")
    assert isinstance(names, dict)
    assert all(names[kind] for kind in ("networks", "accelerators", "energy_tables", "policies"))
    costs = hwsim(
        "estimate", "mobile_sr_x2", "--input-size", "8x8", "--accelerator", "tiny_npu",
        "--energy-table", "accelergy45", "--bits", "edges8_w4a4",
    )  # fmt: skip
    assert isinstance(costs, dict)
    assert costs["energy_uj"] > 0
