import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from accelerators import resized
from hwsim.ledger import FILE_NAME, Ledger
from hwsim.schedule import ScheduleError
from hwsim.search.evaluation import Pictures, Target, output_mse
from hwsim.search.measurement import Measurement, Meter
from hwsim.simulation import estimate
from quant.graph import (
    Encoding,
    Graph,
    Input,
    IntegerType,
    Node,
    Requantization,
    Requantize,
    Size,
    TensorType,
    verify,
)
from quant.policy import BitPolicy, LayerBits
from tests.edsr_graphs import edsr_graph, edsr_layers
from tests.machines import machine, prices

LAYERS = edsr_layers(1)
SIZE = Size(6, 7)
W8A8, W2A3 = BitPolicy(LayerBits(8, 8)), BitPolicy(LayerBits(2, 3))
MACHINE = machine(sram_kib=64, array=8)
TARGET = Target(MACHINE, prices(MACHINE), SIZE)
RANDOM = np.random.default_rng(2)
PICTURES = Pictures(
    [RANDOM.integers(0, 256, (6, 7, 3), np.int32), RANDOM.integers(0, 256, (5, 5, 3), np.int32)],
    [RANDOM.uniform(0, 255, (12, 14, 3)), RANDOM.uniform(0, 255, (10, 10, 3))],
)

BRIGHTER = [reference + 1 for reference in PICTURES.references]


class Builder:
    """Builds graphs for policies and remembers for which."""

    def __init__(self, seed: int = 0, channels: int = 4) -> None:
        self.seed = seed
        self.channels = channels
        self.built: list[BitPolicy] = []

    def __call__(self, policy: BitPolicy) -> Graph:
        self.built.append(policy)
        bits = policy.resolve(LAYERS)
        pairs = {name: (b.weight_bits, b.activation_bits) for name, b in bits.items()}
        return edsr_graph(1, self.channels, bits=pairs, seed=self.seed)


def meter(
    folder: Path | None = None,
    build: Builder | None = None,
    pictures: Pictures = PICTURES,
    target: Target = TARGET,
) -> Meter:
    return Meter(build or Builder(), W8A8, pictures, target, Ledger(folder))


def test_error_is_the_mean_square_of_decoded_differences() -> None:
    encoding = Encoding(0.5, (10,))
    identity = Requantization(np.ones(1, np.int64), np.zeros(1, np.int64), 0, 0, 255)
    tensor = TensorType(1, IntegerType(8), encoding)
    graph = verify(
        Graph.build(
            "identity",
            [
                Node("image", Input(), (), tensor),
                Node("same", Requantize(np.zeros(1, np.int64), identity), ("image",), tensor),
            ],
            "same",
        )
    )
    codes = [np.array([[[20]], [[30]]], np.int32), np.array([[[12]]], np.int32)]
    # Decoded: 5 and 10, and 1. Differences: 2, −1 and 3.
    references = [np.array([[[3.0]], [[11.0]]]), np.array([[[-2.0]]])]
    assert output_mse(graph, Pictures(codes, references)) == pytest.approx((4 + 1 + 9) / 3)


def test_a_measurement_is_what_the_estimate_of_the_graph_says() -> None:
    measured = meter().measure(W2A3)
    graph = Builder()(W2A3)
    cost = estimate(graph, MACHINE, TARGET.energy, SIZE).cost
    assert measured.cycles == cost.cycles
    assert measured.energy_fj == round(cost.energy_uj * 1e9)
    assert measured.dram_bytes == cost.dram_read_bytes + cost.dram_write_bytes
    assert measured.mse == output_mse(graph, PICTURES)
    assert measured.sram_bytes == cost.sram_peak_bytes
    assert measured.sram_bytes == max(*measured.layer_sram_bytes, measured.other_sram_bytes)
    assert len(measured.layer_sram_bytes) == len(LAYERS)


def test_fidelity_is_in_decibels_below_white() -> None:
    assert Measurement(255.0**2 / 1000, 0, 0, 0, 0).psnr_db == pytest.approx(30.0)
    assert Measurement(0.0, 0, 0, 0, 0).psnr_db == math.inf


def test_a_policy_is_measured_once_however_it_is_written(tmp_path: Path) -> None:
    build = Builder()
    first = meter(tmp_path, build)
    measured = first.measure(W2A3)
    spelled_out = BitPolicy(LayerBits(8, 8))
    for layer in LAYERS:
        spelled_out = spelled_out.with_layer(layer, LayerBits(2, 3))
    assert first.measure(spelled_out) == measured
    assert build.built == [W8A8, W2A3]
    assert meter(tmp_path, build).measure(W2A3) == measured
    assert build.built == [W8A8, W2A3, W8A8]


@pytest.mark.parametrize(
    ("changes", "measured_again"),
    [
        ({"build": Builder(seed=1)}, {"cost", "error"}),
        ({"pictures": Pictures(PICTURES.codes, BRIGHTER)}, {"error"}),
        ({"target": Target(MACHINE, TARGET.energy, Size(7, 6))}, {"cost"}),
        ({"target": Target(resized(MACHINE, rows=9), TARGET.energy, SIZE)}, {"cost"}),
    ],
    ids=["other weights", "other references", "other image size", "other machine"],
)
def test_only_what_a_change_concerns_is_measured_again(
    tmp_path: Path, changes: dict[str, object], measured_again: set[str]
) -> None:
    meter(tmp_path).measure(W2A3)
    before = (tmp_path / FILE_NAME).read_text().splitlines()
    meter(tmp_path, **changes).measure(W2A3)  # type: ignore[arg-type]
    added = (tmp_path / FILE_NAME).read_text().splitlines()[len(before) :]
    assert {word for word in ("cost", "error") if f'"kind": "{word}"' in "".join(added)} == (
        measured_again
    )


def test_residual_bits_are_part_of_what_a_policy_is(tmp_path: Path) -> None:
    first = meter(tmp_path)
    first.measure(BitPolicy(LayerBits(2, 3), residual_bits=9))
    first.measure(BitPolicy(LayerBits(2, 3), residual_bits=10))
    assert len((tmp_path / FILE_NAME).read_text().splitlines()) == 4


def test_policies_are_measured_together_and_each_once(tmp_path: Path) -> None:
    build, counted = Builder(), list[None]()
    together = meter(tmp_path, build)
    errors = together.errors_of([W2A3, W8A8], lambda: counted.append(None))
    assert build.built == [W8A8, W2A3, W8A8]
    measured = together.measure_all([W8A8, W2A3, W8A8], lambda: counted.append(None))
    assert len(counted) == 5
    assert measured == [meter().measure(policy) for policy in (W8A8, W2A3, W8A8)]
    assert [each.mse for each in measured[:2] if each] == errors[::-1]
    assert len((tmp_path / FILE_NAME).read_text().splitlines()) == 4
    assert together.measure_all([]) == []


def test_without_room_there_is_an_error_and_no_cost_found_out_once(tmp_path: Path) -> None:
    many = 24
    crowded = machine(sram_kib=1, array=8)
    target = Target(crowded, prices(crowded), SIZE)
    build = Builder(channels=many)
    small = meter(tmp_path, build, target=target)
    assert small.measure_all([W2A3, W2A3]) == [None, None]
    with pytest.raises(ScheduleError) as refused:
        small.measure(W2A3)
    with pytest.raises(ScheduleError, match=f"^{re.escape(str(refused.value))}$"):
        estimate(Builder(channels=many)(W2A3), crowded, target.energy, SIZE)
    assert build.built == [W8A8, W2A3]
    assert small.errors_of([W2A3]) == meter(build=Builder(channels=many)).errors_of([W2A3])
    (line, _) = map(json.loads, (tmp_path / FILE_NAME).read_text().splitlines())
    assert (line["kind"], line["no_room"]) == ("cost", str(refused.value))
