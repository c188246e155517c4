"""The whole search on a small network, quantized for real."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwsim.ledger import FILE_NAME, Ledger
from hwsim.search import (
    Allowed,
    BuildGraph,
    LayerRules,
    Limits,
    Origin,
    Pictures,
    Resource,
    SearchRequest,
    SearchResult,
    Target,
    front_chart,
    search,
)
from hwsim.search.measurement import Meter
from hwsim.search.survey import survey
from hwsim.simulation import Simulation
from quant.common.errors import UserError
from quant.graph import Graph, Size
from quant.policy import BitPolicy, LayerBits
from tests.machines import machine, prices

MACHINE = machine(sram_kib=64, array=8)
TARGET = Target(MACHINE, prices(MACHINE), Size(16, 16))
REQUEST = SearchRequest(Size(16, 16), widths=(2, 4, 8), front_points=4, uniform_widths=(2, 4, 8))
LAYERS = 6


@cache
def network() -> tuple[BuildGraph, Pictures]:
    """A tiny random EDSR, its quantizer, and what it should compute."""
    import torch

    from quant.methods import quantizer
    from quant.networks.build import build_network
    from quant.networks.config import EDSRConfig

    net = build_network(EDSRConfig(blocks=1, channels=6, scale=2), seed=4).eval()
    random = np.random.default_rng(8)
    images = [random.integers(0, 256, (12, 12, 3), np.uint8) for _ in range(2)]
    with torch.no_grad():
        references = [
            net(torch.from_numpy(image).permute(2, 0, 1)[None].float())[0]
            .clamp(0, 255)
            .permute(1, 2, 0)
            .numpy()
            for image in images
        ]
    codes = [image.astype(np.int32) for image in images]
    return quantizer(net, "minmax", images), Pictures(codes, references)


def run(request: SearchRequest = REQUEST, folder: Path | None = None) -> SearchResult:
    build, pictures = network()
    return search(request, build, pictures, TARGET, folder)


@cache
def found() -> SearchResult:
    return run()


def test_the_base_is_the_uniform_policy_of_its_width() -> None:
    uniform = {str(point.policy.default): point for point in found().of_origin(Origin.UNIFORM)}
    assert set(uniform) == {"w2a2", "w4a4", "w8a8"}
    assert uniform["w8a8"].measured == found().base


def test_fewer_bits_everywhere_cost_less_and_err_more() -> None:
    two, four, eight = sorted(
        found().of_origin(Origin.UNIFORM), key=lambda point: point.policy.default.weight_bits
    )
    assert two.measured.energy_fj < four.measured.energy_fj < eight.measured.energy_fj
    assert two.measured.mse > four.measured.mse > eight.measured.mse


def test_a_single_change_is_predicted_as_it_was_measured() -> None:
    model = found().model
    build, pictures = network()
    changed = {layer: LayerBits(8, 8) for layer in model.layers} | {"head.0": LayerBits(2, 4)}
    predicted = model.predict(changed)
    assert predicted is not None
    policy = REQUEST.base_policy.with_layer("head.0", LayerBits(2, 4))
    measured = Meter(build, REQUEST.base_policy, pictures, TARGET, Ledger()).measure(policy)
    assert (predicted.energy_fj, predicted.cycles) == (measured.energy_fj, measured.cycles)
    assert predicted.mse == pytest.approx(max(measured.mse, found().base.mse), abs=1e-9)


def test_front_points_are_measured_beside_their_predictions() -> None:
    points = found().of_origin(Origin.FRONT)
    assert len(points) >= 2
    assert all(point.predicted is not None for point in points)
    assert found().agreement.mse is not None
    assert found().agreement.mse > 0.8
    assert found().agreement.cost is not None
    assert found().agreement.cost > 0.95


def test_no_policy_is_listed_twice() -> None:
    bits = [tuple(point.bits.items()) for point in found().points]
    assert len(bits) == len(set(bits))


def test_best_points_rise_in_cost_and_fall_in_error() -> None:
    best = found().best()
    costs = [point.measured.energy_fj for point in best]
    errors = [point.measured.mse for point in best]
    assert costs == sorted(set(costs))
    assert errors == sorted(set(errors), reverse=True)


def test_an_interrupted_search_goes_on_where_it_stopped(tmp_path: Path) -> None:
    build, pictures = network()
    built: list[BitPolicy] = []

    def counted(policy: BitPolicy) -> Graph:
        built.append(policy)
        return build(policy)

    def interrupt(done: int, total: int) -> None:
        assert done <= total
        if done == 40:
            raise KeyboardInterrupt

    search(REQUEST, counted, pictures, TARGET)
    whole = len(built)
    built.clear()
    with pytest.raises(KeyboardInterrupt):
        search(REQUEST, counted, pictures, TARGET, tmp_path, interrupt)
    started = len(built)
    resumed = search(REQUEST, counted, pictures, TARGET, tmp_path)
    assert resumed.to_json() == found().to_json()
    assert len(built) - started < whole - 25
    built.clear()
    assert search(REQUEST, counted, pictures, TARGET, tmp_path).to_json() == found().to_json()
    assert built == [REQUEST.base_policy]
    assert (tmp_path / FILE_NAME).exists()


def test_recommended_policies_keep_to_the_limits() -> None:
    low, high = (point.measured for point in (found().best()[0], found().best()[-1]))
    energy_uj = (low.energy_uj + high.energy_uj) / 2
    request = SearchRequest(
        Size(16, 16), (2, 4, 8), front_points=2, uniform_widths=(), limits=Limits(energy_uj)
    )
    result = run(request)
    assert result.recommended().measured.energy_uj <= energy_uj
    # Bisection ends with two neighbours of the front, one on either side of the limit.
    sought = (*result.of_origin(Origin.LIMIT), *result.of_origin(Origin.OPTIMUM))
    near = sorted(sought, key=lambda point: point.measured.energy_fj)
    within = [point for point in near if point.measured.energy_uj <= energy_uj]
    neighbours = [within[-1], near[len(within)]]
    predicted = [point.predicted.energy_fj for point in neighbours if point.predicted]
    assert np.diff(np.searchsorted(result.front.costs, predicted)) == [1]


def test_the_optimum_is_proven_measured_and_on_the_exact_front() -> None:
    middle = found().front.bits(len(found().front) // 2)
    predicted = found().model.predict(middle)
    assert predicted is not None
    request = SearchRequest(
        Size(16, 16),
        (2, 4, 8),
        minimize=Resource.ENERGY,
        front_points=2,
        uniform_widths=(),
        limits=Limits(min_psnr_db=predicted.psnr_db - 1e-6),
    )
    result = run(request)
    optimum = result.optimum
    assert optimum is not None
    assert optimum.value == predicted.energy_fj
    assert 0 <= optimum.gap < 1e-7
    assert optimum.predicted.energy_fj == predicted.energy_fj
    assert any(point.bits == optimum.bits for point in result.points)
    record = result.to_json()["optimum"]
    assert record["lower_bound_energy_uj"] == pytest.approx(record["predicted_energy_uj"])
    assert record["measured"]["psnr_to_float_db"] == pytest.approx(predicted.psnr_db, abs=3)


def test_rules_bind_what_is_recommended() -> None:
    request = SearchRequest(
        Size(16, 16),
        (2, 4),
        front_points=3,
        uniform_widths=(8,),
        limits=Limits(max_dram_bytes=10**9),
        rules=LayerRules(
            (Allowed("body", tuple(map(LayerBits.parse, ("w4a4", "w2a4")))),),
            first_and_last=LayerBits(8, 8),
            tied=("body",),
        ),
    )
    result = run(request)
    (uniform,) = result.of_origin(Origin.UNIFORM)
    assert not uniform.permitted
    bits = list(result.recommended().bits.values())
    assert (bits[0], bits[-1]) == (LayerBits(8, 8), LayerBits(8, 8))
    body = {bits for layer, bits in result.recommended().bits.items() if layer.startswith("body")}
    assert len(body) == 1
    assert body < {LayerBits(4, 4), LayerBits(2, 4)}
    assert [str(bits) for bits in result.model.choices][-1] == "w8a8"


def test_impossible_limits_are_told_when_asked_for() -> None:
    request = SearchRequest(
        Size(16, 16), (8,), front_points=2, uniform_widths=(), limits=Limits(min_psnr_db=200.0)
    )
    with pytest.raises(UserError, match=r"at least 200 dB: the most faithful reaches"):
        run(request).recommended()


def test_the_result_is_plain_json(tmp_path: Path) -> None:
    record = json.loads(json.dumps(found().to_json(), allow_nan=False))
    assert record["choices"][0] == "w2a2"
    assert len(record["mse_increase"]) == LAYERS
    assert len(record["predicted_front"]["energy_uj"]) == len(found().front)
    for point, written in zip(found().points, record["points"], strict=True):
        (tmp_path / "policy.yaml").write_text(written["policy"])
        assert BitPolicy.load(tmp_path / "policy.yaml") == point.policy
        assert written["measured"]["energy_uj"] == point.measured.energy_uj
        assert written["measured"]["psnr_to_float_db"] == point.measured.psnr_db


def test_hypervolumes_rank_what_was_found() -> None:
    volumes = found().to_json()["hypervolume"]
    assert volumes["reference"]["energy_uj"] == pytest.approx(1.1 * found().base.energy_uj)
    assert volumes["predicted_front"] > volumes["predicted_random"] > 0
    assert volumes["measured"] > volumes["measured_uniform"] > 0


def test_the_chart_is_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "charts" / "front.png"
    front_chart(found(), path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_what_a_layer_may_not_have_is_not_measured() -> None:
    class Errors:
        layers = ("head", "tail")

        def errors_of(
            self, policies: Sequence[BitPolicy], count: Callable[[], None]
        ) -> list[float]:
            bits = [policy.resolve(self.layers).values() for policy in policies]
            for _ in policies:
                count()
            return [1.0 + sum(chosen != LayerBits(8, 8) for chosen in each) for each in bits]

    calls: list[None] = []
    request = SearchRequest(Size(8, 8), widths=(4, 8))
    every = np.ones((2, 4), np.bool_)
    every[1, 0] = False
    surveyed = survey(Errors(), request, every, ((0,), (1,)), lambda: calls.append(None))  # type: ignore[arg-type]
    assert surveyed.base == 1.0
    np.testing.assert_array_equal(surveyed.changed, [[2, 2, 2, 1], [np.nan, 2, 2, 1]])
    assert len(calls) == 1 + 2 * 4 - 1


def test_what_is_recommended_was_run_on_the_machine() -> None:
    checked = [point for point in found().points if point.on_machine is not None]
    assert {id(point) for point in checked} == {id(point) for point in found().chosen()}
    _, pictures = network()
    values = sum(4 * codes.shape[0] * codes.shape[1] * 3 for codes in pictures.codes)
    for point in checked:
        assert point.on_machine is not None
        assert (point.on_machine.values, point.on_machine.mismatches) == (values, 0)
    assert found().mismatches == 0


def test_integers_that_differ_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    from hwsim.search import evaluation

    simulate = evaluation.simulate

    def faulty(*args: Any) -> Simulation:
        run = simulate(*args)
        wrong = run.output.copy()
        wrong[0, 0, 0] ^= 1
        return replace(run, output=wrong)

    monkeypatch.setattr(evaluation, "simulate", faulty)
    result = run(replace(REQUEST, widths=(8,), uniform_widths=(), front_points=2))
    _, pictures = network()
    assert result.mismatches == len(pictures.codes)


def test_the_base_need_not_be_a_choice() -> None:
    result = run(replace(REQUEST, widths=(4,), uniform_widths=(4,), front_points=2))
    assert {str(bits) for bits in result.points[-1].bits.values()} == {"w4a4"}


def test_the_machine_is_run_only_if_asked() -> None:
    request = replace(REQUEST, widths=(8,), uniform_widths=(), front_points=2, run_on_machine=False)
    assert all(point.on_machine is None for point in run(request).points)


def test_the_worst_predictions_are_told() -> None:
    agreement = found().agreement
    pairs = [(p.predicted, p.measured) for p in found().points if p.predicted is not None]
    assert agreement.worst_db is not None
    assert abs(agreement.worst_db) == max(abs(p.psnr_db - m.psnr_db) for p, m in pairs)
    assert agreement.worst_cost is not None
    assert abs(agreement.worst_cost) == max(abs(p.energy_fj / m.energy_fj - 1) for p, m in pairs)


def test_where_errors_do_not_add_neighbours_are_measured() -> None:
    result = run(replace(REQUEST, run_on_machine=False, pairs_below=1.1))
    assert result.to_json()["neighbours_measured"]
    assert not found().to_json()["neighbours_measured"]
    build, pictures = network()
    meter = Meter(build, REQUEST.base_policy, pictures, TARGET, Ledger())
    model = result.model
    table = model.divisions[0].pairs.error[0, 1]
    one, other = (int(index) for index in np.argwhere(table)[0])
    bits = dict.fromkeys(model.layers, LayerBits(8, 8))
    bits |= {model.layers[0]: model.choices[one], model.layers[1]: model.choices[other]}
    predicted = model.predict(bits)
    assert predicted is not None
    measured = meter.errors_of([REQUEST.policy(bits)])[0]
    assert predicted.mse == pytest.approx(measured, abs=1e-8)


def test_a_local_search_measures_policies_nobody_measured_before() -> None:
    request = replace(REQUEST, local_search_evaluations=11)
    refined = run(request)
    new = refined.of_origin(Origin.REFINED)
    assert 0 < len(new) <= 11
    bits = [tuple(point.bits.items()) for point in refined.points]
    assert len(bits) == len(set(bits))
    assert set(bits) > {tuple(point.bits.items()) for point in found().points}
    assert all(point.permitted and point.predicted is not None for point in new)
    volumes = refined.to_json()["hypervolume"]["measured"], found().to_json()["hypervolume"]
    assert volumes[0] > volumes[1]["measured"]
    assert run(request).to_json() == refined.to_json()


def test_a_local_search_keeps_to_limits_on_other_costs() -> None:
    low, high = found().best()[0].measured, found().best()[-1].measured
    most = (low.dram_bytes + high.dram_bytes) // 2
    request = replace(
        REQUEST,
        against=Resource.ENERGY,
        limits=Limits(max_dram_bytes=most),
        local_search_evaluations=8,
    )
    new = run(request).of_origin(Origin.REFINED)
    predicted = [point.predicted for point in new if point.predicted is not None]
    assert len(predicted) == len(new) > 0
    assert all(figures.dram_bytes <= most for figures in predicted)


def test_a_negative_number_of_evaluations_is_refused() -> None:
    with pytest.raises(
        UserError, match=r"expected no evaluations or some, given -1; give --refine"
    ):
        replace(REQUEST, local_search_evaluations=-1)
