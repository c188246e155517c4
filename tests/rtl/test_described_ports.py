"""Ports described in a file do what those of this project's arrays do, and others of their own."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from accelerators import Accelerator, load_accelerator
from accelerators.rtl.library import sources
from accelerators.rtl.top_level import rtl_files
from hwsim.verify.rtl.array_design import array_design
from hwsim.verify.rtl.array_jobs import array_job
from hwsim.verify.rtl.array_ports import ArrayPorts
from hwsim.verify.rtl.described_ports import DescribedPorts
from hwsim.verify.rtl.icarus import IcarusSimulation
from hwsim.verify.rtl.outcome import Outcome
from hwsim.verify.rtl.port_file import read_port_file
from hwsim.verify.rtl.protocol import PortProtocol
from hwsim.verify.rtl.tile_checks import check_tiles, tile_cases
from hwsim.verify.rtl.tiles import Tile, tiles_of
from hwsim.verify.rtl.verilator import VerilatorSimulation
from hwsim.verify.rtl.words import pack
from tests.edsr_graphs import edsr_graph
from tests.rtl.array_cases import ARRAYS
from tests.rtl.designs import SMALL_ARRAY, SMALL_ARRAY_PORTS
from tests.rtl.tools import ICARUS, VERILATOR, needs

SCALE_FIELDS = """\
    fields:
      - {of: bias, bits: 40}
      - {of: multiplier, bits: 32}
      - {of: shift, bits: 6}
      - {of: zero_point, bits: 17}
      - {of: low, bits: 17}
      - {of: high, bits: 17}
"""
OUTPUT_STATIONARY = f"""\
counts_from: activations
settings:
  - {{name: tiles, bits: 24, value: 0}}
  - {{name: pixel_tiles, bits: 24, of: pixels/8}}
  - {{name: steps, bits: 24, of: reduction}}
  - {{name: weight_digits, bits: 5, value: 1}}
  - {{name: activation_digits, bits: 5, value: 1}}
  - {{name: activations_signed, bits: 1, of: is_signed}}
  - {{name: scale_count, bits: 24, value: 0}}
inputs:
  - name: scales
{SCALE_FIELDS}
    order: [channels/8, channels]
  - name: activations
    fields: [{{of: activations, bits: 16, signed: true}}]
    order: [channels/8, pixels/8, reduction]
    item: [pixels]
  - name: weights
    fields: [{{of: weights, bits: 16}}]
    order: [channels/8, pixels/8, reduction]
    item: [channels]
outputs:
  - name: codes
    bits: 17
    signed: true
    order: [channels/8, pixels/8, -pixels]
    item: [channels]
    lanes: true
"""
WEIGHT_STATIONARY = f"""\
counts_from: held
settings:
  - {{name: blocks, bits: 24, of: channels/8}}
inputs:
  - name: scales
{SCALE_FIELDS}
    order: [channels/8, channels]
  - name: held
    fields: [{{of: weights, bits: 16}}]
    order: [channels/8, reduction/8, reduction]
    item: [channels]
  - name: streamed
    fields: [{{of: activations, bits: 16, signed: true}}]
    order: [channels/8, reduction/8, pixels]
    item: [reduction]
outputs:
  - name: codes
    bits: 17
    signed: true
    order: [channels/8, pixels]
    item: [channels]
    lanes: true
"""


def accelerator_of(kind: str) -> Accelerator:
    tiny = load_accelerator("tiny_npu")
    return tiny.model_copy(update={"array": ARRAYS[kind]})


def described(text: str, top: str, files: tuple[Path, ...], folder: Path) -> DescribedPorts:
    path = folder / "ports.yaml"
    path.write_text(text)
    kind = "weight_stationary" if top == "stationary_array" else "output_stationary"
    ports = read_port_file(path)
    return DescribedPorts.of_module(top, files, ports, accelerator_of(kind))


def network_tiles(count: int = 16, most: tuple[int, int] | None = None) -> list[Tile]:
    graph = edsr_graph(channels=12, bits=(5, 8))
    return tiles_of(graph, accelerator_of("output_stationary"), count, seed=4, most=most)


@pytest.mark.parametrize(
    ("kind", "top", "text"),
    [
        ("output_stationary", "output_array", OUTPUT_STATIONARY),
        ("weight_stationary", "stationary_array", WEIGHT_STATIONARY),
    ],
)
def test_arrays_described(kind: str, top: str, text: str, tmp_path: Path) -> None:
    """The streams and places of our arrays, as loops tell them."""
    accelerator, ports = accelerator_of(kind), described(text, top, (), tmp_path)
    ours = ArrayPorts.of_module(top, (), accelerator, "half_up")
    tiles = network_tiles()
    assert all(ports.misfit(tile) is None and ours.misfit(tile) is None for tile in tiles)
    for tile in tiles:
        wanted, job = array_job(accelerator.array, tile.product), ports.job(tile)
        assert job.wanted == wanted.wanted
        assert job.streams.keys() == wanted.streams.keys()
        for name, items in job.streams.items():
            np.testing.assert_array_equal(items, wanted.streams[name], name)
        for name, lane in ports.lanes(tile).items():
            np.testing.assert_array_equal(lane.places, ours.lanes(tile)[name].places)
    assert replace(ports.design, settings=(), parameters={}) == replace(
        array_design(accelerator.array), settings=(), parameters={}, sources=()
    )


def failed(protocol: PortProtocol, tiles: list[Tile], simulation: type) -> list[str]:
    cases, misfits = tile_cases(protocol, tiles)
    assert not misfits
    outcomes = simulation(protocol.design).run_many([case.job for case in cases])
    checks = check_tiles("array", "machine", cases, outcomes)
    assert sum(check.values for check in checks if check.mode != "cycles") == sum(
        tile.codes.size for tile in tiles
    )
    return [f"{check.mode}: {check.first_mismatch}" for check in checks if check.mismatches]


@needs(*VERILATOR)
@pytest.mark.parametrize("kind", ["output_stationary", "weight_stationary"])
def test_our_arrays_under_other_names(kind: str, tmp_path: Path) -> None:
    """With their ports and without their parameters, which the module sets itself."""
    accelerator = accelerator_of(kind)
    ours = array_design(accelerator.array)
    protocol = ArrayPorts.of_module(ours.top, sources(ours.top), accelerator, "half_up")
    assert failed(protocol, network_tiles(), VerilatorSimulation) == []
    assert ArrayPorts.of_module("mine", (), accelerator, "half_up").design.parameters == {}


@needs(*VERILATOR)
@pytest.mark.parametrize("kind", ["output_stationary", "weight_stationary"])
def test_the_written_top_module(kind: str, tmp_path: Path) -> None:
    """Of which the other units' ports stay open."""
    accelerator = accelerator_of(kind).model_copy(update={"name": "An NPU"})
    for name, text in rtl_files(accelerator).items():
        (tmp_path / name).write_text(text)
    files = sorted(tmp_path.glob("*.v"))
    protocol = ArrayPorts.of_module("An_NPU_top", files, accelerator, "half_up")
    assert protocol.design.output_names[0] == "array_codes[0]"
    assert failed(protocol, network_tiles(), VerilatorSimulation) == []


@pytest.mark.parametrize(
    "simulation",
    [
        pytest.param(VerilatorSimulation, marks=needs(*VERILATOR), id="verilator"),
        pytest.param(IcarusSimulation, marks=needs(*ICARUS), id="icarus"),
    ],
)
def test_an_array_of_somebody_else(simulation: type, tmp_path: Path) -> None:
    source = tmp_path / "small_array.v"
    source.write_text(SMALL_ARRAY)
    ports = described(SMALL_ARRAY_PORTS, "small_array", (source,), tmp_path)
    tiles = network_tiles(most=(2, 3))
    assert failed(ports, tiles, simulation) == []
    source.write_text(SMALL_ARRAY.replace("'sd1 <<<", "'sd0 <<<"))
    wrong = failed(ports, tiles, simulation)
    assert len(wrong) > 3
    layer, tile, *_ = wrong[0].split(": ")
    assert layer.endswith(" 5 × 8 bits")
    assert tile.startswith(f"tile {wrong[0].split('tile ')[1].split(',')[0]}, ")


def test_an_operand_line_by_line(tmp_path: Path) -> None:
    """The place in the layer, and how the code comes about."""
    ports = described(SMALL_ARRAY_PORTS, "small_array", (), tmp_path)
    tile = network_tiles(count=1, most=(2, 3))[0]
    cases, _ = tile_cases(ports, [tile])
    code = int(tile.codes[0, 0])
    wrong = tile.codes.copy()
    wrong[0, 0] += 1
    other, _ = tile_cases(ports, [replace(tile, codes=wrong)])
    found = pack(other[0].expected["y"].integers, 16)
    taken = {name: len(items) for name, items in cases[0].job.streams.items()}
    simulated = Outcome({"y": found}, {"y": np.array([7])}, taken, (), 30)
    (check,) = check_tiles("mine", "machine", cases, [simulated])
    assert check.mismatches == 1
    place = tile.place(0, 0)
    assert check.first_mismatch == (
        f"tile 0, {place}: y, item 0, element 0: found {code + 1} in cycle 7, expected {code}"
    )
    bias, multiplier, shift, zero_point, low, high = tile.product.scales[0].tolist()
    total = bias + int(tile.product.activations[0] @ tile.product.weights[:, 0])
    assert check.operands[0] == f"bias {bias}"
    assert check.operands[1].startswith("tap 0: ")
    assert check.operands[-2:] == (
        f"sum {total}",
        f"code half_up(sum · {multiplier} / 2^{shift}) + {zero_point} within {low} to {high}",
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{of: activations, bits: 8}", "{of: activations, bits: 4}", "activations do not fit port"),
        ("{of: weights, bits: 5}", "{of: weights, bits: 2}", "weights do not fit port 'w': -?"),
        ("name: y, bits: 16", "name: y, bits: 2", "lies outside -2 to 1"),
        (
            "bits: 16, of: reduction",
            "bits: 4, of: reduction",
            "reduction does not fit port",
        ),
        (
            "of: bias, elements: 3",
            "of: bias, elements: 1",
            "channels, but port 'bias' has bias",
        ),
        ("of: bias, elements: 3", "of: bias", "bias differs by channel, but port 'bias' has one"),
        ("channels: 3}", "channels: 3, reduction: 20}", "sums of .. products, more than 20"),
    ],
)
def test_tiles_that_do_not_pass(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert old in SMALL_ARRAY_PORTS
    ports = described(SMALL_ARRAY_PORTS.replace(old, new), "small_array", (), tmp_path)
    cases, misfits = tile_cases(ports, network_tiles(most=(2, 3)))
    assert len(cases) < 16
    assert any(re.search(message, misfit) for misfit in misfits), misfits
