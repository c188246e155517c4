"""The wheel holds everything the program reads, stays small, and works where it is installed."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from hwsim import __version__

pytestmark = pytest.mark.timeout(900)  # programs of their own on a machine that may be busy

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


class Installed:
    """An environment with the wheel in it, and an empty folder to work in.

    Attributes:
        environment: the virtual environment.
        folder: the empty folder.
    """

    def __init__(self, wheel: Path, environment: Path, folder: Path) -> None:
        """Install the wheel by pip; other packages are those that these tests run with.

        Those are found through a ``.pth`` file. Its folder may hold an editable hwsim, but Python
        heeds no ``.pth`` file in a folder that another one names.
        """
        self.environment, self.folder = environment, folder
        venv.create(environment, with_pip=False, symlinks=True)
        python = environment / "bin" / "python"
        pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
        subprocess.run([*pip, "--no-deps", "--no-index", wheel], check=True)
        (packages,) = environment.glob("lib/python*/site-packages")
        (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")

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
        return json.loads(self.run(*command, "--json"))


# One test: an environment of its own takes time, and so does what is imported there first.
def test_it_works_in_an_environment_of_its_own_from_an_empty_folder(
    wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pytest.importorskip("pip")
    here = Installed(
        wheel, tmp_path_factory.mktemp("environment"), tmp_path_factory.mktemp("empty")
    )
    small = ("mobile_sr_x2", "--input-size", "8x8", "--accelerator", "tiny_npu")

    assert here.run("hwsim", "--version") == f"hwsim {__version__}\n"
    assert "complete -o" in here.run("hwsim", "completion", "bash")

    names = here.json("hwsim", "list")
    assert all(names[kind] for kind in ("networks", "accelerators", "energy_tables", "policies"))

    found = here.json("hwsim", "doctor")
    assert found["folder"].startswith(str(here.environment))
    assert {"docs", "notebooks", "verify"} <= {extra["name"] for extra in found["extras"]}
    assert all(package["fits"] for package in found["packages"])

    here.run("hwsim", "export", "--accelerator", "tiny_npu", "--rtl", "npu")
    written = {file.name for file in (here.folder / "npu").glob("*.v")}
    assert {"tiny_npu_top.v", "output_array.v", "requantizer.v"} <= written

    options = ("--energy-table", "accelergy45", "--bits", "edges8_w4a4", "--out", "costs")
    costs = here.json("hwsim", "estimate", *small, *options)
    page = (here.folder / "costs" / "report.html").read_text()
    assert costs["energy_uj"] > 0
    assert "<style" in page
    assert "plotly" in page

    program = (
        "import hwsim.api as hw; "
        "print(hw.estimate('mobile_sr_x2', 'tiny_npu', input_size=(8, 8)).macs)"
    )
    assert int(here.run("python", "-c", program)) == costs["macs"]

    if find_spec("onnx") is not None:
        export = ("mobile_sr_x2", "--to", "qdq", "--scales", "real", "--input-size", "8x8")
        here.run("hwsim", "export", *export, "--out", "model.onnx")
        read = here.json("hwsim", "estimate", "model.onnx", *small[1:], "--out", "of_a_file")
        assert read["macs"] == costs["macs"]
        assert (here.folder / "of_a_file" / "report.html").exists()
