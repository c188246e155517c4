"""Every kind of array: widths, peaks, reads, partial sums and energy, and what holds for all."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelerators import EnergyModel, load_accelerator, load_energy_table
from accelerators.actions import Action
from accelerators.datapaths.interface import NO_PARTIAL_SUMS, PartialSums, SramReads, Work
from accelerators.datapaths.kinds import DATAPATHS, datapath_of
from accelerators.datapaths.shift_add import (
    code_terms,
    integer_terms,
    lockstep_cycles,
    term_count,
)
from accelerators.schema import Accelerator, Array
from quant.common.errors import UserError
from tests.property.effort import effort

TINY = load_accelerator("tiny_npu")
PAGES = Path(__file__).parents[4] / "docs" / "datapaths"
KINDS = tuple(DATAPATHS)
STATIONARY = ("weight_stationary", "input_stationary", "composable")
BITS = st.integers(1, 16)


def array(kind: str, rows: int = 8, columns: int = 8, **changes: int | str) -> Array:
    sizes = {"rows": rows, "columns": columns, "weight_bits": 8, "activation_bits": 8}
    return Array.model_validate({**sizes, "dataflow": kind, "accumulator_bits": 32, **changes})


@st.composite
def works(draw: st.DrawFn) -> Work:
    groups = draw(st.sampled_from((1, 1, 1, 2, 4)))
    sizes = st.integers(1, 150)
    return Work(
        draw(st.integers(1, 3000)),
        groups * draw(sizes),
        groups,
        draw(st.sampled_from((1, 9, 25))),
        draw(sizes),
        draw(BITS),
        draw(BITS),
    )


@st.composite
def machines(draw: st.DrawFn, kind: str) -> Accelerator:
    changes: dict[str, int | str] = {
        "rows": draw(st.integers(1, 40)),
        "columns": draw(st.integers(1, 40)),
        "weight_bits": draw(st.sampled_from((2, 4, 8, 16))),
        "activation_bits": draw(st.sampled_from((2, 4, 8, 16))),
        "kernel_taps": draw(st.sampled_from(("together", "apart"))),
    }
    if kind in STATIONARY:
        changes["accumulator_entries"] = draw(st.sampled_from((1, 7, 64, 1024)))
    else:
        changes["lanes"] = draw(st.integers(1, 20))
    return TINY.model_copy(update={"array": array(kind, **changes)})


def wider(work: Work) -> list[Work]:
    """The same with one more bit of weights, and of activations, where there is room."""
    shape = (work.pixels, work.channels, work.groups, work.taps, work.group_channels)
    weight_bits, activation_bits = work.weight_bits, work.activation_bits
    return [
        Work(*shape, min(weight_bits + 1, 16), activation_bits),
        Work(*shape, weight_bits, min(activation_bits + 1, 16)),
    ]


@pytest.mark.parametrize("kind", KINDS)
@effort(40)
@given(st.data(), works())
def test_no_part_of_a_work_takes_less_than_its_pixels_at_least(
    kind: str, data: st.DataObject, work: Work
) -> None:
    accelerator = data.draw(machines(kind))
    datapath, sram = datapath_of(accelerator.array), accelerator.sram
    least = datapath.cycles_per_pixel(work)
    for pixels in (1, 7, work.pixels, 100 * work.pixels):
        part = replace(work, pixels=pixels)
        assert datapath.cycles_per_pixel(part) == least
        assert pixels * least <= datapath.cycles(part, sram)


@pytest.mark.parametrize("kind", KINDS)
@effort(20)
@given(works())
def test_many_pixels_take_hardly_more(kind: str, work: Work) -> None:
    accelerator = TINY.model_copy(update={"array": array(kind, rows=1)})
    datapath = datapath_of(accelerator.array)
    many = replace(work, pixels=10**7, channels=work.channels // work.groups, groups=1)
    least = many.pixels * datapath.cycles_per_pixel(many)
    # Drains and loads of a single row hide behind products.
    assert least <= datapath.cycles(many, accelerator.sram) <= 1.01 * least


def test_the_schema_knows_every_kind() -> None:
    assert get_args(Array.model_fields["dataflow"].annotation) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_fewer_bits_never_cost_more(kind: str) -> None:
    @effort(100)
    @given(machines(kind), works())
    def check(machine: Accelerator, work: Work) -> None:
        datapath = datapath_of(machine.array)

        def costs(work: Work) -> tuple[int, ...]:
            reads = datapath.sram_reads(work, 64)
            sums = datapath.partial_sums(work)
            return (datapath.cycles(work, machine.sram), *reads, *sums)

        here = costs(work)
        for more in map(costs, wider(work)):
            assert all(a >= b for a, b in zip(more, here, strict=True))

    check()


@pytest.mark.parametrize("kind", KINDS)
def test_no_array_does_more_than_its_peak(kind: str) -> None:
    @effort(100)
    @given(machines(kind), works())
    def check(machine: Accelerator, work: Work) -> None:
        datapath = datapath_of(machine.array)
        peak = datapath.peak_macs_per_cycle(work.weight_bits, work.activation_bits)
        assert work.macs < datapath.cycles(work, machine.sram) * peak

    check()


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_convolution_that_fits_comes_close_to_the_peak(kind: str) -> None:
    machine = array(kind, 4, 4)
    datapath = datapath_of(machine)
    for widths in ((8, 8), (4, 4), (2, 2), (16, 16)):
        work = Work(8192, 16, 1, 9, 256, *widths)
        peak = datapath.peak_macs_per_cycle(*widths)
        share = work.macs / (datapath.cycles(work, TINY.sram) * peak)
        assert 0.98 < share < 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("widths", [(0, 8), (8, 0), (17, 8), (8, 17)])
def test_widths_no_array_has_are_refused(kind: str, widths: tuple[int, int]) -> None:
    datapath = datapath_of(array(kind))
    given = next(bits for bits in widths if bits != 8)
    with pytest.raises(UserError, match=f"^expected an operand of 1 to 16 bits, got {given}; "):
        datapath.cycles(Work(1, 1, 1, 1, 1, *widths), TINY.sram)
    with pytest.raises(UserError, match=r"^expected an operand of 1 to 16 bits"):
        datapath.effective_widths(*widths)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("output_stationary", ((8, 8), (8, 8), (16, 8))),
        ("weight_stationary", ((8, 8), (8, 8), (16, 8))),
        ("input_stationary", ((8, 8), (8, 8), (16, 8))),
        ("activation_serial", ((8, 3), (8, 7), (16, 2))),
        ("weight_serial", ((1, 8), (5, 8), (9, 8))),
        ("bit_serial", ((1, 3), (5, 7), (9, 2))),
        ("composable", ((2, 4), (8, 8), (16, 2))),
        ("shift_add", ((2, 8), (6, 8), (10, 8))),
    ],
)
def test_widths_time_is_spent_on(kind: str, expected: tuple[tuple[int, int], ...]) -> None:
    datapath = datapath_of(array(kind))
    given = ((1, 3), (5, 7), (9, 2))
    assert tuple(datapath.effective_widths(*widths) for widths in given) == expected


def test_peaks_of_a_fusion_unit() -> None:
    unit = datapath_of(array("composable", 1, 1))
    peaks = {(8, 8): 1, (8, 4): 2, (4, 4): 4, (4, 2): 8, (2, 2): 16, (1, 1): 16, (3, 5): 2}
    assert {widths: unit.peak_macs_per_cycle(*widths) for widths in peaks} == peaks
    assert unit.peak_macs_per_cycle(16, 16) == Fraction(1, 4)
    assert unit.peak_macs_per_cycle(16, 2) == 2


def test_fusion_saturates_on_few_channels() -> None:
    """64 channels on 32 rows: 4 x 4 bits are twice as fast as 8 x 8, and 2 x 2 no faster."""
    datapath = datapath_of(array("composable", 32, 32, kernel_taps="apart"))
    cycles = [
        datapath.cycles(Work(1024, 64, 1, 9, 64, bits, bits), TINY.sram) for bits in (8, 4, 2)
    ]
    ends = 32 + 62 + 3
    assert [count - ends for count in cycles] == [2 * 18 * 1024, 2 * 9 * 1024, 2 * 9 * 1024]


def test_a_first_layer_is_unrolled_where_taps_are_apart() -> None:
    datapath = datapath_of(array("weight_stationary", 32, 32, kernel_taps="apart"))
    few = datapath.cycles(Work(1000, 32, 1, 9, 3, 8, 8), TINY.sram)
    assert few == 32 + 1000 + 62 + 3
    enough = datapath.cycles(Work(1000, 32, 1, 9, 33, 8, 8), TINY.sram)
    assert enough == 32 + 2 * 9 * 1000 + 62 + 3


@pytest.mark.parametrize(("weight_bits", "macs"), [(16, 864), (8, 1728), (4, 3456), (1, 18432)])
def test_unpu_gets_faster_with_every_weight_bit(weight_bits: int, macs: int) -> None:
    """864 x 16 / W at 200 MHz, and 4/3 of that at one bit: 345.6 GOPS to 7372 GOPS."""
    unpu = load_accelerator("unpu")
    peak = datapath_of(unpu.array).peak_macs_per_cycle(weight_bits, 16)
    assert peak == macs
    assert unpu.clock_mhz == 200
    gops = {16: 345.6, 8: 691.2, 4: 1382.4, 1: 7372.8}
    assert 2 * macs * 200e6 / 1e9 == pytest.approx(gops[weight_bits])


def test_every_width_of_unpu() -> None:
    datapath = datapath_of(load_accelerator("unpu").array)
    for bits in range(2, 17):
        assert datapath.peak_macs_per_cycle(bits, 16) == Fraction(864 * 16, bits)


def test_loom_and_stripes_against_their_16_bit_bases() -> None:
    loom = datapath_of(load_accelerator("loom").array)
    stripes = datapath_of(load_accelerator("stripes").array)
    base = stripes.peak_macs_per_cycle(16, 16)
    for bits in range(1, 17):
        assert loom.peak_macs_per_cycle(bits, 16) == 128 * Fraction(16, bits)
        assert loom.peak_macs_per_cycle(bits, bits) == 128 * Fraction(256, bits * bits)
        assert stripes.peak_macs_per_cycle(16, bits) == base * Fraction(16, bits)


def test_bismo_steps() -> None:
    """ceil(M / Dm) ceil(N / Dn) ceil(K / Dk) x weight bits x activation bits, and the ends."""
    datapath = datapath_of(array("bit_serial", 8, 8, lanes=64))
    cycles = datapath.cycles(Work(100, 20, 1, 1, 200, 3, 2), TINY.sram)
    assert cycles == 13 * 3 * 4 * 6 + (8 + 8 - 2) + 8 + 2


def test_reads_of_stationary_arrays_are_scale_sims_counts() -> None:
    # 100 pixels, 70 channels, 50 products on 32 x 16
    work = Work(100, 70, 1, 1, 50, 8, 8)
    weight = datapath_of(array("weight_stationary", 32, 16))
    assert weight.sram_reads(work, 8) == SramReads(100 * 50 * 5, 50 * 70)
    inputs = datapath_of(array("input_stationary", 32, 16))
    assert inputs.sram_reads(work, 8) == SramReads(100 * 50, 50 * 70 * 7)
    # Operands are read again for every chunk that the accumulator memories cut the stream into.
    short = datapath_of(array("weight_stationary", 32, 16, accumulator_entries=40))
    assert short.sram_reads(work, 8) == SramReads(100 * 50 * 5, 50 * 70 * 3)
    # ... and for every slice of what is held.
    wide = Work(100, 70, 1, 1, 50, 16, 8)
    assert weight.sram_reads(wide, 8) == SramReads(100 * 50 * 5 * 2, 50 * 70 * 2)


def test_partial_sums_of_folds_and_slices() -> None:
    work = Work(10, 6, 1, 9, 4, 8, 8)  # 36 products on 8 rows: 5 folds, 4 of which leave a sum
    assert datapath_of(array("weight_stationary")).partial_sums(work) == PartialSums(240, 240)
    wide = Work(10, 6, 1, 9, 4, 16, 16)
    assert datapath_of(array("weight_stationary")).partial_sums(wide) == PartialSums(1140, 1140)
    one = Work(10, 6, 1, 1, 8, 8, 8)
    assert datapath_of(array("weight_stationary")).partial_sums(one) == NO_PARTIAL_SUMS
    assert datapath_of(array("output_stationary")).partial_sums(work) == NO_PARTIAL_SUMS


def test_terms_are_the_fewest() -> None:
    """Against a search: no sum of fewer signed powers of two makes the integer."""
    reachable, counts = {0}, {0: 0}
    for terms in range(1, 5):
        reachable = {
            value + sign * (1 << power)
            for value in reachable
            for power in range(9)
            for sign in (1, -1)
        } | reachable
        for value in reachable:
            counts.setdefault(value, terms)
    for integer in range(-128, 128):
        assert term_count(integer) == counts[integer]


@pytest.mark.parametrize("bits", range(1, 13))
def test_the_most_terms_of_an_integer_code(bits: int) -> None:
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    assert code_terms(range(low, high + 1)) == integer_terms(bits)


def test_lanes_in_lockstep_wait_for_the_most_terms() -> None:
    assert lockstep_cycles([[1, 3, 0], [0, 0, 0], [2, 2, 2]]) == 3 + 1 + 2


def test_a_shift_add_array_takes_a_code_at_its_terms() -> None:
    datapath = datapath_of(array("shift_add", 4, 4))
    log = Work(4, 4, 1, 1, 100, 4, 8, weight_terms=1)
    subset = Work(4, 4, 1, 1, 100, 4, 8, weight_terms=2)
    ends = 6 + 4 + 2
    assert datapath.cycles(log, TINY.sram) == 100 + ends
    assert datapath.cycles(subset, TINY.sram) == 200 + ends
    # a sign and an exponent of 0 to 7
    assert datapath.mac_actions(subset) == {(4, 8): 2 * 1600}


def energies(kind: str, **changes: int) -> EnergyModel:
    table = load_energy_table(TINY.energy_table)
    return EnergyModel(TINY.model_copy(update={"array": array(kind, **changes)}), table)


@pytest.mark.parametrize("kind", KINDS)
def test_narrower_products_never_cost_more_energy(kind: str) -> None:
    model = energies(kind)
    for bits in range(1, 16):
        for other in range(1, 17):
            for narrow, wide in (
                ((bits, other), (bits + 1, other)),
                ((other, bits), (other, bits + 1)),
            ):
                low, high = (
                    model.energy_pj(Action("mac_array", "mac", *widths))
                    for widths in (narrow, wide)
                )
                assert low <= high * (1 + 1e-12)


def mac_pj(kind: str, weight_bits: int, activation_bits: int, **changes: int) -> float:
    action = Action("mac_array", "mac", weight_bits, activation_bits)
    return energies(kind, **changes).energy_pj(action)


def test_energy_of_products_from_the_tables_primitives() -> None:
    assert mac_pj("weight_stationary", 8, 8) == pytest.approx(0.2 + 0.1)
    # 4 lanes: 3/4 of a tree's 18-bit adders and a quarter of the accumulator, 13.5 + 8 bits
    tree = 0.05 + (21.5 - 16) * (0.1 - 0.05) / 16
    assert mac_pj("output_stationary", 8, 8, lanes=4) == pytest.approx(0.2 + tree)


def test_energy_of_other_products_is_a_multiple_of_the_tables_8_by_8() -> None:
    own = 0.2 + 0.1
    serial = {bits: (0.1557 + 0.05728 * bits + 0.04733 * 8 * bits) / 3.442 for bits in (3, 8)}
    assert mac_pj("activation_serial", 8, 8) == pytest.approx(own * serial[8])
    assert mac_pj("activation_serial", 8, 3) == pytest.approx(own * serial[3])
    assert mac_pj("weight_serial", 3, 8) == pytest.approx(own * serial[3])
    assert mac_pj("composable", 8, 8) == pytest.approx(own * 4.37 / 2.14)
    # four passes
    assert mac_pj("composable", 16, 16) == pytest.approx(4 * own * 4.37 / 2.14)
    # one of the terms of a weight of 8 bits
    assert mac_pj("shift_add", 4, 8) == pytest.approx(own * 1.58 / 3.43)


def test_a_partial_sum_costs_its_share_of_a_macros_word() -> None:
    model = energies("weight_stationary")  # 1024 sums of 32 bits: 4 KiB, half a 64-bit word
    assert model.energy_pj(Action("accumulators", "read")) == pytest.approx(3.38552 / 2)
    assert model.energy_pj(Action("accumulators", "write")) == pytest.approx(6.45356 / 2)


def test_the_weight_stationary_array_takes_the_cycles_of_the_rtl() -> None:
    machine = array("weight_stationary", accumulator_entries=4096)
    work = Work(2304, 64, 1, 9, 64, 8, 8)
    assert datapath_of(machine).cycles(work, TINY.sram) == 1_327_129
    page = (PAGES / "weight_stationary.md").read_text(encoding="utf-8")
    assert "a 2304 x 576 x 64 product takes 1,327,129 cycles on 8 x 8" in page


def test_every_kind_has_a_page() -> None:
    for kind in KINDS:
        page = (PAGES / f"{kind}.md").read_text(encoding="utf-8")
        assert f"`accelerators/datapaths/{kind}.py`" in page
        assert f"`array.dataflow: {kind}`" in page


def test_the_quoted_price_of_a_fusion_unit() -> None:
    fused, plain = (
        energies(kind).energy_pj(Action("mac_array", "mac", 8, 8))
        for kind in ("composable", "output_stationary")
    )
    page = (PAGES / "composable.md").read_text(encoding="utf-8")
    assert f"{fused / plain:.1f} times that of a plain multiplier" in page


@pytest.mark.parametrize("kind", KINDS)
def test_groups_come_one_after_the_other(kind: str) -> None:
    """Three groups take three times one group's folds, and the ends once."""
    datapath = datapath_of(array(kind, 4, 4))
    one, two, three = (
        datapath.cycles(Work(40, 6 * groups, groups, 9, 5, 8, 8), TINY.sram) for groups in (1, 2, 3)
    )
    assert three - two == two - one > 0
    dense = datapath.sram_reads(Work(40, 6, 1, 9, 5, 8, 8), 8)
    grouped = datapath.sram_reads(Work(40, 18, 3, 9, 5, 8, 8), 8)
    assert grouped == tuple(3 * words for words in dense)


@pytest.mark.parametrize("kind", ["output_stationary", *STATIONARY])
def test_banks_that_cannot_feed_a_group_make_it_slower(kind: str) -> None:
    """One channel of each of 25 taps in a word of its own, from one bank."""
    datapath = datapath_of(array(kind, 8, 8))
    work = Work(64, 16, 2, 25, 1, 8, 8)
    slow, fast = (
        datapath.cycles(work, TINY.sram.model_copy(update={"banks": banks})) for banks in (1, 64)
    )
    assert slow > 1.5 * fast
