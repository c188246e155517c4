"""The wheel holds everything the program reads, stays small, and works where it is installed."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hwsim import __version__

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


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel in it, and an empty folder to work in.

    Attributes:
        environment: the virtual environment.
        folder: the empty folder.
    """

    environment: Path
    folder: Path

    def run(self, *command: object) -> str:
        """What a program of the environment prints, called from the empty folder."""
        own = {"HOME": str(self.folder), "PATH": os.environ["PATH"], "PYTHONWARNINGS": "error"}
        program, *arguments = map(str, command)
        done = subprocess.run(
            [self.environment / "bin" / program, *arguments],
            cwd=self.folder, env=own, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *command: object) -> Any:
        """The same, as JSON."""
        return json.loads(self.run(*command))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel, installed by pip; other packages are those that these tests run with.

    Those are found through a ``.pth`` file. Its folder may hold an editable hwsim, but Python heeds
    no ``.pth`` file in a folder that another one names.
    """
    pytest.importorskip("pip")
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, with_pip=False, symlinks=True)
    python = environment / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps",
         "--no-index", wheel],
        check=True,
    )  # fmt: skip
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return Installed(environment, tmp_path_factory.mktemp("empty"))


def test_it_runs_from_where_pip_put_it(installed: Installed) -> None:
    told = installed.run("python", "-c", "import hwsim; print(hwsim.__file__)")

    assert told.startswith(str(installed.environment))
    assert installed.run("hwsim", "--version") == f"hwsim {__version__}\n"


def test_it_finds_its_configs_and_weights(installed: Installed) -> None:
    names = installed.json("hwsim", "list", "--json")

    assert all(names[kind] for kind in ("networks", "accelerators", "energy_tables", "policies"))
    costs = installed.json(
        "hwsim", "estimate", "mobile_sr_x2", "--input-size", "8x8", "--accelerator", "tiny_npu",
        "--energy-table", "accelergy45", "--bits", "edges8_w4a4", "--json", "--quiet",
    )  # fmt: skip
    assert costs["energy_uj"] > 0


def test_it_has_what_pages_are_made_of(installed: Installed) -> None:
    installed.run(
        "hwsim", "estimate", "mobile_sr_x2", "--input-size", "8x8", "--accelerator", "tiny_npu",
        "--out", "costs",
    )  # fmt: skip

    page = (installed.folder / "costs" / "report.html").read_text()
    assert "<style" in page
    assert "plotly" in page


def test_it_has_the_verilog(installed: Installed) -> None:
    installed.run("hwsim", "export", "--accelerator", "tiny_npu", "--rtl", "npu")

    written = {file.name for file in (installed.folder / "npu").glob("*.v")}
    assert {"tiny_npu.v", "output_array.v", "requantizer.v"} <= written


def test_it_knows_its_extras_and_completes(installed: Installed) -> None:
    found = installed.json("hwsim", "doctor", "--json")

    assert found["folder"].startswith(str(installed.environment))
    assert {"docs", "notebooks", "verify"} <= {extra["name"] for extra in found["extras"]}
    assert all(package["fits"] for package in found["packages"])
    assert "complete -o" in installed.run("hwsim", "completion", "bash")


def test_the_api_works_from_it(installed: Installed) -> None:
    program = (
        "import hwsim.api as hw; "
        "print(hw.estimate('mobile_sr_x2', 'tiny_npu', input_size=(8, 8)).cycles)"
    )

    assert int(installed.run("python", "-c", program)) > 0
