"""Machines of benchmarks/ against what is published of them; docs/results has the whole tables."""

import sys
from pathlib import Path

import pytest

from accelerators import (
    Accelerator,
    Action,
    EnergyModel,
    load_accelerator,
    load_energy_table,
    resized,
)
from accelerators.datapaths.interface import Work
from accelerators.datapaths.kinds import datapath_of
from hwsim.simulation import estimate
from quant.graph import Size
from tests.machines import prices

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"
MACHINES = sorted((BENCHMARKS / "machines").glob("*.yaml"))


@pytest.fixture
def shapes(monkeypatch: pytest.MonkeyPatch) -> object:
    """The module that builds networks of published shapes."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import plain_graphs

    yield plain_graphs
    sys.modules.pop("plain_graphs", None)


def _machine(name: str) -> Accelerator:
    return load_accelerator(BENCHMARKS / "machines" / f"{name}.yaml")


@pytest.mark.parametrize("path", MACHINES, ids=lambda path: path.stem)
def test_machines_are_valid_and_named_as_their_files(path: Path) -> None:
    machine = load_accelerator(path)
    assert machine.name == path.stem
    assert prices(machine).energy_pj(Action("mac_array", "mac", 8, 8)) > 0


@pytest.mark.parametrize(
    ("filters", "middle", "parameters", "published_ms"),
    [
        (32, 2, 33.3e3, 1.042),
        (32, 5, 61.0e3, 1.139),
        (64, 11, 436e3, 2.695),
        (64, 32, 1.21e6, 5.946),
    ],
)
def test_latencies_of_plain_networks_on_a_hexagon(
    shapes: object, filters: int, middle: int, parameters: float, published_ms: float
) -> None:
    graph = shapes.plain("plain", filters, middle, 4)  # type: ignore[attr-defined]
    assert shapes.parameters(graph) == pytest.approx(parameters, rel=0.005)  # type: ignore[attr-defined]
    machine = _machine("hexagon_qcs6490")
    cost = estimate(graph, machine, prices(machine), Size(128, 128)).cost
    assert cost.launch_overhead_ms == 0.86
    assert cost.latency_ms == pytest.approx(published_ms, rel=0.1)


def test_the_latency_of_sesr_on_a_hexagon_needs_layers_that_run_together(shapes: object) -> None:
    """Its blocks make 256 channels and take them back to 16, which need not go to DRAM."""
    graph = shapes.sesr("sesr", 16, 256, 5, 4)  # type: ignore[attr-defined]
    machine = _machine("hexagon_qcs6490")
    fused, alone = (
        estimate(graph, each, prices(each), Size(128, 128)).cost.latency_ms
        for each in (machine, resized(machine, fusion=False))
    )
    assert fused == pytest.approx(2.479, rel=0.1)
    assert alone > 1.3 * 2.479


@pytest.mark.parametrize(("weight_bits", "gops"), [(16, 345.6), (1, 7372)])
def test_throughput_of_unpu(weight_bits: int, gops: float) -> None:
    machine = _machine("unpu")
    peak = datapath_of(machine.array).peak_macs_per_cycle(weight_bits, 16)
    assert 2 * float(peak) * machine.clock_mhz / 1e3 == pytest.approx(gops, rel=1e-3)


def test_efficiency_of_unpu_rises_by_a_sixth_less_than_published() -> None:
    machine = _machine("unpu")
    energy = EnergyModel(machine, load_energy_table("horowitz45"))
    wide, narrow = (energy.energy_pj(Action("mac_array", "mac", bits, 16)) for bits in (16, 1))
    # The gate-level study's serial unit: (0.1557 + 0.05728 w + 0.04733 x 16 w) at w of 16 and 1.
    assert wide / narrow == pytest.approx(13.188 / 0.97022, rel=1e-3)
    assert wide / narrow / (50.6 / 3.08) - 1 == pytest.approx(-0.173, abs=0.001)


@pytest.mark.parametrize(
    ("pixels", "channels", "taps", "inputs", "rtl_cycles", "input_pixels"),
    [
        (36 * 24, 29, 48, 54, 1_189_330, 35 * 22),
        (29 * 28, 16, 18, 76, 314_722, 32 * 26),
        (7 * 17, 32, 9, 128, 77_032, 8 * 16),
        (7 * 12, 25, 25, 55, 78_780, 24 * 33),
        (14 * 7, 32, 12, 49, 35_954, 14 * 7),
        (1, 8, 1, 8, 196, 1),
    ],
)
def test_cycles_of_nvdla_nv_small_in_rtl_lie_between_computing_and_computing_after_loading(
    pixels: int, channels: int, taps: int, inputs: int, rtl_cycles: int, input_pixels: int
) -> None:
    machine = _machine("nvdla")
    array = machine.array.model_copy(update={"columns": 8, "lanes": 8})
    work = Work(pixels, channels, 1, taps, inputs, 8, 8)
    computing = datapath_of(array).cycles(work, machine.sram)
    folds = -(-channels // 8) * -(-inputs // 8)
    assert 0 <= computing - folds * taps * pixels < 16
    loaded_bytes = input_pixels * -(-inputs // 8) * 8 + channels * taps * inputs
    assert computing <= rtl_cycles <= computing + loaded_bytes // 4 + 400  # of start and end
