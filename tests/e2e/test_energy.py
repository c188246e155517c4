"""Energy under every table, at another node, and on an image's own data, from the command line."""

from pathlib import Path

import pytest

from accelerators import energy_tables_for, load_accelerator
from tests.e2e.conftest import Command

CONFIGS = Path(__file__).parents[2] / "configs" / "accelerators"
SIZE = ("--input-size", "24x20")


@pytest.fixture
def small_node(tmp_path: Path) -> Path:
    """The edge NPU at 22 nm, priced with a table of 45 nm."""
    text = (CONFIGS / "edge_npu.yaml").read_text(encoding="utf-8")
    scaling = "energy_table: horowitz45\nenergy_scaling: stillmaker_baas"
    text = text.replace("technology_nm: 45", "technology_nm: 22")
    path = tmp_path / "edge22.yaml"
    path.write_text(text.replace("energy_table: horowitz45", scaling), encoding="utf-8")
    return path


def test_every_table_gives_a_band(hwsim: Command, graph_file: Path) -> None:
    own = hwsim("estimate", graph_file, *SIZE, "--json").json
    found = hwsim("estimate", graph_file, *SIZE, "--energy-table", "all", "--json").json
    band = found["energy_band"]
    energies = {table["energy_table"]: table["energy_uj"] for table in band["tables"]}
    names = [table.name for table in energy_tables_for(load_accelerator("edge_npu"))]
    assert list(energies) == names
    assert own["energy_band"] is None
    assert found["energy_table"] == own["energy_table"] == "horowitz45"
    assert found["energy_uj"] == own["energy_uj"]
    assert energies["horowitz45"] == pytest.approx(own["energy_uj"])
    assert (band["lowest_uj"], band["highest_uj"]) == (
        min(energies.values()),
        max(energies.values()),
    )
    for name in names:
        alone = hwsim("estimate", graph_file, *SIZE, "--energy-table", name, "--json").json
        assert alone["energy_uj"] == pytest.approx(energies[name])


def test_the_band_and_the_anchor_are_told_to_people(hwsim: Command, graph_file: Path) -> None:
    told = hwsim("estimate", graph_file, *SIZE, "--energy-table", "all", "--quiet").out
    assert "under all tables" in told
    assert "synth45" in told
    words = " ".join(
        hwsim("estimate", graph_file, *SIZE, "--energy-table", "synth45", "--quiet").out.split()
    )
    assert "relative to 8 x 8 bits, times 0.3 pJ (M. Horowitz, ISSCC 2014)" in words


def test_a_scaled_table_is_named_as_such(
    hwsim: Command, graph_file: Path, small_node: Path
) -> None:
    machine = ("--accelerator", small_node)
    found = hwsim("estimate", graph_file, *SIZE, *machine, "--json").json
    assert found["energy_table"] == "horowitz45 scaled to 22 nm"
    assert found["model"]["technology_nm"] == 22
    assert found["model"]["notes"][0].startswith("logic scaled by stillmaker_baas from 45 nm")
    own = hwsim("estimate", graph_file, *SIZE, "--json").json
    for component in ("mac_array", "sram", "requantizer"):
        energies = (run["energy_by_component_uj"][component] for run in (found, own))
        assert next(energies) < next(energies)
    assert found["energy_by_component_uj"]["dram"] == own["energy_by_component_uj"]["dram"]
    band = hwsim("estimate", graph_file, *SIZE, *machine, "--energy-table", "all", "--json").json[
        "energy_band"
    ]
    assert [table["energy_table"] for table in band["tables"]] == [
        "accelergy22",
        "bitfusion45 scaled to 22 nm",
        "horowitz45 scaled to 22 nm",
        "synth45 scaled to 22 nm",
        "synth45_osu018 scaled to 22 nm",
    ]


def test_a_table_of_another_node_has_to_be_asked_for(hwsim: Command, graph_file: Path) -> None:
    refused = hwsim("estimate", graph_file, *SIZE, "--energy-table", "accelergy22")
    assert refused.status == 2
    assert "add 'energy_scaling: stillmaker_baas' to have it scaled" in refused.err


def test_energy_of_an_images_own_data(hwsim: Command, graph_file: Path, picture_file: Path) -> None:
    common = ("run", graph_file, "--image", picture_file, "--check", "none")
    uniform = hwsim(*common, "--json").json
    found = hwsim(*common, "--energy-activity", "measured", "--energy-table", "all", "--json").json
    assert uniform["activity"] is None
    activity = found["activity"]
    assert activity["uniform_energy_uj"] == found["energy_uj"] == uniform["energy_uj"]
    assert activity["image_energy_uj"] not in (0, activity["uniform_energy_uj"])
    assert activity["measured_macs"] == found["macs"]
    assert found["energy_band"] is not None
    assert found["output"] == uniform["output"]
    told = hwsim(*common, "--energy-activity", "measured", "--quiet").out
    assert "with its own data" in told


def test_a_command_that_cannot_answer_under_several_tables_says_so(hwsim: Command) -> None:
    refused = hwsim("search", "edsr_tiny_x2", "--energy-table", "all")
    assert refused.status == 2
    assert "energy table 'all': no such name" in refused.err


def test_memories_are_listed(hwsim: Command) -> None:
    assert "lpddr4" in hwsim("list", "dram-tables").out.split()
