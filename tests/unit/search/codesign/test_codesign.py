"""A co-search finds what separate searches find, and the best of it."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from accelerators import EnergyModel
from hwsim.ledger import FILE_NAME, Ledger
from hwsim.report.measures import asked_words
from hwsim.schedule import ScheduleError
from hwsim.search import Limits, Resource, SearchRequest, SearchResult, search
from hwsim.search.codesign import (
    Choice,
    CodesignResult,
    MachineAim,
    Outcome,
    Variant,
    codesign,
    codesign_json,
    unbeaten,
)
from quant.common.errors import UserError
from quant.graph import Size
from tests.small_codesign import METHODS, REJECTED, REQUEST, network, small_codesign, variants

CHEAP = replace(REQUEST, widths=(8,), front_points=2, uniform_widths=())


KNOWN = Ledger()
"""What one test measures, others need not."""


def run(chosen: Sequence[Variant], kept: Path | Ledger | None = KNOWN) -> CodesignResult:
    return codesign(chosen, network()[1], kept)


def alone(variant: Variant) -> SearchResult:
    return search(variant.request, variant.build_graph, network()[1], variant.target)


def by_label() -> dict[str, Outcome]:
    return {outcome.variant.label: outcome for outcome in small_codesign().outcomes}


def test_every_variant_is_searched_as_it_would_be_alone() -> None:
    for variant in variants():
        outcome = by_label()[variant.label]
        if outcome.found is None:
            with pytest.raises(ScheduleError) as caught:
                alone(variant)
            assert outcome.reason == str(caught.value)
            continue
        assert outcome.found.to_json() == alone(variant).to_json()
        assert outcome.recommended is not None
        assert outcome.recommended.point.bits == outcome.found.recommended().bits
        assert outcome.reason == ""


def test_one_machine_has_no_room_and_that_is_no_end() -> None:
    without = [outcome for outcome in small_codesign().outcomes if outcome.found is None]

    assert [outcome.variant.method for outcome in without] == list(METHODS)
    assert all("needs 2 KiB of SRAM" in outcome.reason for outcome in without)
    assert without == list(small_codesign().ranked()[-2:])


def test_the_least_time_wins_though_another_takes_fewer_cycles() -> None:
    choices = [each.recommended for each in small_codesign().outcomes if each.recommended]
    best = small_codesign().recommended()

    assert best.latency_ms == min(choice.latency_ms for choice in choices)
    assert best.latency_ms == pytest.approx(best.measured.cycles / 1_600_000)
    assert best.measured.cycles > min(choice.measured.cycles for choice in choices)
    equal = [choice for choice in choices if choice.latency_ms == best.latency_ms]
    assert best.measured.mse == min(choice.measured.mse for choice in equal)


@pytest.mark.parametrize(
    ("minimize", "amount"),
    [
        (None, lambda choice: choice.measured.mse),
        (Resource.ENERGY, lambda choice: choice.measured.energy_fj),
        (Resource.DRAM, lambda choice: choice.measured.dram_bytes),
        (Resource.SRAM, lambda choice: choice.measured.sram_bytes),
    ],
)
def test_what_is_minimized_decides_over_all_variants(
    minimize: Resource | None, amount: Callable[[Choice], float]
) -> None:
    request = replace(REQUEST, minimize=minimize, front_points=2)
    chosen = variants(request)[:2]

    found = run(chosen)

    bests = [
        search(each.request, each.build_graph, network()[1], each.target, KNOWN).recommended()
        for each in chosen
    ]
    wanted = min(amount(Choice(each, point)) for each, point in zip(chosen, bests, strict=True))
    assert amount(found.recommended()) == wanted
    ranked = [amount(each.recommended) for each in found.ranked() if each.recommended]
    assert ranked == sorted(ranked)
    assert len(ranked) == 2


def test_launch_overhead_counts_as_time() -> None:
    fast, slow, _ = variants()[:3]
    target = replace(
        fast.target,
        accelerator=fast.target.accelerator.model_copy(update={"launch_overhead_us": 90}),
    )

    best = run([replace(fast, target=target), slow]).recommended()

    assert best.variant.label == slow.label
    assert best.latency_ms < 0.09


def test_the_front_is_what_no_choice_equals_or_beats() -> None:
    def figures(choice: Choice) -> tuple[float, ...]:
        return choice.measured.mse, choice.measured.energy_fj, choice.latency_ms

    every, front = small_codesign().choices(), small_codesign().front
    kept = [figures(choice) for choice in front]
    for choice in every:
        beaten = any(
            all(theirs <= own for theirs, own in zip(each, figures(choice), strict=True))
            and each != figures(choice)
            for each in map(figures, every)
        )
        assert (figures(choice) in kept) is not beaten
    assert len(set(kept)) == len(kept) > 3
    assert all(first[1] <= second[1] for first, second in pairwise(kept))
    assert len({choice.variant.label for choice in front}) > 1


def test_nothing_is_unbeaten_among_nothing() -> None:
    assert unbeaten([], lambda choice: 0.0, lambda choice: 0.0) == []


def test_hypervolumes_have_one_reference_and_all_together_have_most() -> None:
    found, ruler = small_codesign(), small_codesign().ruler
    bases = [each.found.base for each in found.outcomes if each.found]

    assert ruler.energy_uj == max(base.energy_uj for base in bases)
    own = [ruler.of_choices(each.choices) for each in found.outcomes]
    together = ruler.of_choices(found.choices())
    assert [volume == 0 for volume in own] == [each.found is None for each in found.outcomes]
    assert together > max(own) > 0
    assert together == pytest.approx(ruler.of_choices(found.front))
    (single,) = [found.recommended()]
    volume = (
        (1.1 - single.measured.energy_uj / ruler.energy_uj)
        * (1.1 - single.latency_ms / ruler.latency_ms)
        * (single.measured.psnr_db - 10)
    )
    assert ruler.of_choices([single]) == pytest.approx(volume)


def test_errors_are_measured_once_for_each_method(tmp_path: Path) -> None:
    found = run(variants(), tmp_path)

    lines = [json.loads(line) for line in (tmp_path / FILE_NAME).read_text().splitlines()]
    errors = Counter(json.dumps(line["policy"]) for line in lines if line["kind"] == "error")
    costs = [line for line in lines if line["kind"] == "cost"]
    assert max(errors.values()) == len(METHODS)
    shared = {
        tuple(map(str, point.bits.values()))
        for outcome in found.outcomes
        if outcome.found
        for point in outcome.found.points
    }
    assert len(costs) > len(shared)
    assert len({line["key"] for line in lines}) == len(lines)


def test_an_interrupted_co_search_goes_on_where_it_stopped(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []

    def interrupt(done: int, total: int) -> None:
        steps.append((done, total))
        if done > 0.6 * total:
            raise KeyboardInterrupt

    chosen = variants()[:2]
    with pytest.raises(KeyboardInterrupt):
        codesign(chosen, network()[1], tmp_path, interrupt)
    kept = (tmp_path / FILE_NAME).read_bytes()
    resumed = run(chosen, tmp_path)

    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert {total for _, total in steps} == {2000}
    whole = (tmp_path / FILE_NAME).read_bytes()
    assert whole.startswith(kept)
    assert len(whole) > len(kept)
    assert codesign_json(resumed) == codesign_json(run(chosen, None))
    assert run(chosen, tmp_path).recommended().point.bits == resumed.recommended().point.bits
    assert (tmp_path / FILE_NAME).read_bytes() == whole


def test_limits_that_no_machine_keeps_to_are_told_with_the_nearest() -> None:
    chosen = variants(replace(CHEAP, minimize=None, limits=Limits(max_cycles=10)))[:3]

    found = run(chosen)

    assert [each.recommended for each in found.outcomes] == [None, None, None]
    assert [each.found is None for each in found.outcomes] == [False, False, True]
    fewest = min(found.outcomes[:2], key=lambda each: each.choices[0].measured.cycles)
    with pytest.raises(UserError) as caught:
        found.recommended()
    assert str(caught.value).startswith(
        "co-search: expected a policy within the limits on one of 3 variants, found none; nearest "
        f"comes {fewest.variant.label}: no measured policy has at most 10 cycles: the cheapest "
    )


def test_a_limit_that_one_machine_keeps_to_leaves_that_one() -> None:
    limited = replace(CHEAP, minimize=None)
    first, second, _ = variants(limited)[:3]
    least = min(outcome.choices[0].measured.cycles for outcome in run([first, second]).outcomes)
    request = replace(limited, limits=Limits(max_cycles=least))

    found = run([replace(first, request=request), replace(second, request=request)])

    assert [each.recommended is None for each in found.outcomes] == [True, False]
    assert "no measured policy has" in found.outcomes[0].reason
    assert found.recommended().measured.cycles == least


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        (lambda: [], "expected a machine and a method at least, given none"),
        (lambda: variants()[:1] * 2, "expected each variant once, given 'edge_npu"),
        (
            lambda: [variants()[0], replace(variants()[1], request=SearchRequest(Size(8, 8)))],
            "expected all variants to minimize the same for the same image size, given 2",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(
    chosen: Callable[[], list[Variant]], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        run(chosen())


def test_the_record_has_every_variant_and_choice() -> None:
    record = json.loads(json.dumps(codesign_json(small_codesign()), allow_nan=False))
    best = small_codesign().recommended()

    assert record["minimize"] == "latency"
    assert record["recommended"]["variant"] == best.variant.label
    assert record["recommended"]["latency_ms"] == best.latency_ms
    assert [each["variant"] for each in record["variants"]] == [v.label for v in variants()]
    places = [each["place"] for each in record["variants"] if each["place"]]
    assert sorted(places) == [1, 2, 3, 4]
    first = record["variants"][0]
    assert (first["processing_elements"], first["multipliers"], first["sram_kib"]) == (16, 16, 512)
    assert first["array_ge"] == pytest.approx(16 * (1042.8 + 180))
    assert first["area_mm2"] == pytest.approx(sum(first["area_by_component_mm2"].values()))
    assert first["gate_equivalents"] > first["array_ge"]
    assert record["minimize_bits"] == "latency"
    assert record["limits"]["max_area_mm2"] is None
    assert first["launch_overhead_ms"] == 0
    assert len(first["points"]) == len(small_codesign().outcomes[0].choices)
    without = record["variants"][2]
    assert [without[key] for key in ("place", "base", "recommended", "hypervolume")] == [None] * 4
    assert without["points"] == []
    assert "needs 2 KiB" in without["reason"]
    assert record["rejected"] == [{"label": REJECTED[0].label, "reason": REJECTED[0].reason}]
    assert record["hypervolume"]["reference"]["psnr_to_float_db"] == 10
    assert len(record["front"]) == len(small_codesign().front)


def area_mm2(variant: Variant) -> float:
    area = variant.area.area_mm2
    assert area is not None
    return area


def test_the_least_area_wins_and_larger_machines_are_not_searched() -> None:
    request = replace(CHEAP, minimize=Resource.ENERGY)
    large, small = variants(request)[1], variants(request)[0]
    assert area_mm2(small) < area_mm2(large)

    found = codesign([large, small], network()[1], KNOWN, aim=MachineAim(least_area=True))

    assert found.recommended().variant is small
    assert [outcome.variant for outcome in found.outcomes] == [large, small]
    assert found.outcomes[0].found is None
    assert found.outcomes[0].reason == (
        f"not searched: {small.label} has less area and keeps to the limits"
    )
    record = codesign_json(found)
    assert (record["minimize"], record["minimize_bits"]) == ("area", "energy")


def test_a_small_machine_that_cannot_do_it_makes_way_for_a_larger_one() -> None:
    without_room, large = variants(CHEAP)[2], variants(CHEAP)[1]
    assert area_mm2(without_room) < area_mm2(large)

    found = codesign([large, without_room], network()[1], KNOWN, aim=MachineAim(least_area=True))

    assert found.recommended().variant is large
    assert "needs 2 KiB of SRAM" in found.outcomes[1].reason


def test_machines_of_one_area_are_told_apart_by_what_else_is_minimized() -> None:
    both = [each for each in variants(CHEAP) if each.target.accelerator.array.rows == 4]
    assert len({area_mm2(each) for each in both}) == 1

    found = codesign(both, network()[1], KNOWN, aim=MachineAim(least_area=True))

    assert all(outcome.found is not None for outcome in found.outcomes)
    assert found.recommended().variant.label == run(both).recommended().variant.label


def test_machines_above_a_limit_on_area_are_left_out_with_the_reason() -> None:
    small, large = variants(CHEAP)[:2]
    aim = MachineAim(max_area_mm2=area_mm2(small))

    found = codesign([small, large], network()[1], KNOWN, rejected=REJECTED, aim=aim)

    assert [outcome.variant for outcome in found.outcomes] == [small]
    assert [each.label for each in found.rejected] == [REJECTED[0].label, large.label]
    assert found.rejected[1].reason == (
        f"it has {area_mm2(large):.4g} mm2, at most {area_mm2(small):g} were asked for; make its "
        "array or its SRAM smaller or allow more area"
    )
    assert codesign_json(found)["limits"]["max_area_mm2"] == area_mm2(small)
    assert asked_words(found)[-1] == f"at most {area_mm2(small):g} mm²"


def test_a_limit_on_area_that_no_machine_keeps_to_is_told_with_the_smallest() -> None:
    small, large = variants(CHEAP)[:2]
    with pytest.raises(UserError) as caught:
        codesign([large, small], network()[1], KNOWN, aim=MachineAim(max_area_mm2=0.001))
    assert str(caught.value).startswith(
        "co-search: expected a machine of the area that is asked for, found none among 2; "
        f"{small.label}: it has {area_mm2(small):.4g} mm2, at most 0.001 were asked for"
    )


def test_machines_of_unknown_area_are_left_out_where_area_counts() -> None:
    known, other = variants(CHEAP)[:2]
    table = other.target.energy.table.model_copy(update={"datapath_factors": None})
    unknown = replace(
        other, target=replace(other.target, energy=EnergyModel(other.target.accelerator, table))
    )
    found = codesign([known, unknown], network()[1], KNOWN, aim=MachineAim(least_area=True))

    (rejected,) = found.rejected
    assert rejected.reason.startswith(
        "its area is not known: energy table 'horowitz45' names no synthesis study with areas"
    )
    assert asked_words(found)[-1] == "the least area"


def test_what_normalizes_at_run_time_needs_more_area() -> None:
    plain = variants(CHEAP)[0]
    assert area_mm2(replace(plain, normalizes_at_run_time=True)) > area_mm2(plain)
    assert replace(plain, normalizes_at_run_time=True).size.area_mm2 == area_mm2(
        replace(plain, normalizes_at_run_time=True)
    )
