"""The shipped network on every shipped machine, bit for bit."""

from pathlib import Path

import pytest

from accelerators import accelerator_names, load_accelerator
from tests.e2e.conftest import Command


@pytest.fixture(scope="module")
def network_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """edsr_tiny_x2, quantized once."""
    from hwsim.cli import main

    path = tmp_path_factory.mktemp("networks") / "tiny.hwgraph"
    assert main(["quantize", "edsr_tiny_x2", "--out", str(path)]) == 0
    return path


@pytest.mark.parametrize("name", accelerator_names())
def test_the_network_is_exact_on_every_machine(
    hwsim: Command, network_file: Path, picture_file: Path, name: str
) -> None:
    asked = ("--image", picture_file, "--accelerator", name, "--json")

    done = hwsim("run", network_file, *asked)

    assert done.status == 0, done.err
    assert done.json["accelerator"] == name
    assert done.json["bit_exact"]["mismatches"] == 0
    assert done.json["bit_exact"]["values"] == 48 * 40 * 3
    assert done.json["cycles"] > 0
    components = done.json["energy_by_component_uj"]
    kind = load_accelerator(name).array.dataflow
    has_sums = kind in ("weight_stationary", "input_stationary", "composable")
    assert (components.get("accumulators", 0) > 0) == has_sums
