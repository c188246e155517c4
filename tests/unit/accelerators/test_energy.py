"""Prices of actions against hand-computed values."""

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelerators import (
    ACTION_UNITS,
    Action,
    EnergyModel,
    energy_table_names,
    load_accelerator,
    load_energy_table,
    resized,
)
from accelerators.energy import UNPRICED
from accelerators.schema import Accelerator
from quant.common.errors import UserError

TABLES = ("accelergy45", "bitfusion45", "horowitz45", "synth45", "synth45_osu018")
SHIPPED = ("accelergy22", *TABLES)
EDGE = load_accelerator("edge_npu")
TINY = load_accelerator("tiny_npu")
MODELS = {name: EnergyModel(TINY, load_energy_table(name)) for name in TABLES}


def mac(weight_bits: int, activation_bits: int) -> Action:
    return Action("mac_array", "mac", weight_bits, activation_bits)


def bit_fusion_pj(array_nanowatt: float) -> float:
    """Energy of one PE and cycle from the power of a 4 x 4 array at 500 MHz."""
    return array_nanowatt / 16 / 500e3


def changed(accelerator: Accelerator, **array: int) -> Accelerator:
    data = accelerator.model_dump()
    data["array"].update(array)
    return Accelerator.model_validate(data)


def test_the_shipped_tables() -> None:
    assert energy_table_names() == SHIPPED


@pytest.mark.parametrize(
    ("table", "weight_bits", "activation_bits", "energy_pj"),
    [
        # Horowitz: 0.2 pJ x product / 64, and one 32-bit addition of 0.1 pJ a pass
        ("horowitz45", 8, 8, 0.2 + 0.1),
        ("horowitz45", 4, 4, 0.05 + 0.1),
        ("horowitz45", 2, 8, 0.05 + 0.1),
        ("horowitz45", 1, 1, 0.2 / 64 + 0.1),
        ("horowitz45", 9, 8, 0.2 * 72 / 64 + 2 * 0.1),
        ("horowitz45", 16, 16, 4 * (0.2 + 0.1)),
        # Accelergy: 0.911992 pJ x product / 64, and 0.241663 pJ a pass
        ("accelergy45", 8, 8, 0.911992 + 0.241663),
        ("accelergy45", 4, 8, 0.911992 / 2 + 0.241663),
        # Bit Fusion: dynamic power of a 4 x 4 array / 16 / 500 MHz; below 2 x 2 no less
        ("bitfusion45", 8, 8, bit_fusion_pj(1_627_500)),
        ("bitfusion45", 2, 2, bit_fusion_pj(325_616)),
        ("bitfusion45", 1, 1, bit_fusion_pj(325_616)),
        ("bitfusion45", 16, 8, 2 * bit_fusion_pj(1_627_500)),
        ("bitfusion45", 5, 8, bit_fusion_pj((659_402 + 1_627_500) / 2)),
    ],
)
def test_multiply_accumulate(
    table: str, weight_bits: int, activation_bits: int, energy_pj: float
) -> None:
    price = MODELS[table].energy_pj(mac(weight_bits, activation_bits))
    assert price == pytest.approx(energy_pj, rel=1e-5)


def test_a_native_16_bit_multiplier_takes_one_pass() -> None:
    wide = changed(TINY, weight_bits=16, activation_bits=16)
    model = EnergyModel(wide, load_energy_table("bitfusion45"))
    assert model.energy_pj(mac(16, 16)) == pytest.approx(bit_fusion_pj(4_821_500), rel=1e-5)


def test_wider_accumulators_cost_more() -> None:
    table = load_energy_table("horowitz45")
    prices = [
        EnergyModel(changed(TINY, accumulator_bits=bits), table).energy_pj(mac(8, 8))
        for bits in (16, 24, 32, 48)
    ]
    # 0.05 at 16 bits, 0.1 at 32, and 0.05 more for every further 16
    assert prices == pytest.approx([0.25, 0.275, 0.3, 0.35])


def test_leakage_follows_the_clock() -> None:
    # 257.7 uW of a 4 x 4 array at 8 bits / 16 elements / 400 MHz
    assert MODELS["bitfusion45"].energy_pj(Action("mac_array", "leakage")) == pytest.approx(
        257.7 / 16 / 400, rel=1e-5
    )
    # 8 banks of 16 KiB with 64-bit words, 0.000469172 mW each
    assert MODELS["bitfusion45"].energy_pj(Action("sram", "leakage")) == pytest.approx(
        8 * 0.000469172 * 1000 / 400
    )


@pytest.mark.parametrize(
    ("component", "name", "energy_pj"),
    [
        # 32 x 32 multiplication; additions of 32, 64, 64, 32, 32, 32 bits
        ("requantizer", "output", 3.1 + 4 * 0.1 + 2 * 0.2),
        ("vector_unit", "requantize", 3.1 + 4 * 0.1 + 2 * 0.2),
        ("vector_unit", "add", 0.1),
        ("sram", "read_word", 11.6097),
        ("sram", "write_word", 10.6968),
        ("dram", "read_bit", 8.0),
        ("dram", "write_bit", 8.0),
    ],
)
def test_fixed_prices(component: str, name: str, energy_pj: float) -> None:
    price = MODELS["horowitz45"].energy_pj(Action(component, name))
    assert price == pytest.approx(energy_pj, rel=1e-12)


def test_the_requantizer_has_the_accumulators_width() -> None:
    # 40 x 32: 3.1 pJ and 256 bit pairs at 2.9 / 960 pJ; 4 additions of 40 bits and 2 of 72
    price = EnergyModel(EDGE, load_energy_table("horowitz45")).energy_pj(
        Action("requantizer", "output")
    )
    assert price == pytest.approx(3.1 + 256 * 2.9 / 960 + 4 * 0.125 + 2 * 0.225, rel=1e-12)


@pytest.mark.parametrize("table", ["horowitz45", "accelergy45"])
def test_a_requantizer_is_worth_about_as_many_macs_as_in_synthesis(table: str) -> None:
    model = MODELS[table]
    ratio = model.energy_pj(Action("requantizer", "output")) / model.energy_pj(mac(8, 8))
    assert 8 < ratio < 16  # 10.7 in a gate-level study on NanGate 45 cells


@given(
    table=st.sampled_from(TABLES),
    weight_bits=st.integers(1, 15),
    activation_bits=st.integers(1, 15),
)
def test_more_bits_never_cost_less(table: str, weight_bits: int, activation_bits: int) -> None:
    model = MODELS[table]
    here = model.energy_pj(mac(weight_bits, activation_bits))
    assert model.energy_pj(mac(weight_bits + 1, activation_bits)) >= here > 0
    assert model.energy_pj(mac(weight_bits, activation_bits + 1)) >= here


def test_every_action_has_a_price_or_is_told_to_have_none() -> None:
    for model in MODELS.values():
        for component, name in ACTION_UNITS:
            price = model.energy_pj(Action(component, name, 8, 8))
            assert (price > 0) == ((component, name) not in model.unpriced)


def test_what_no_figure_is_known_for_is_listed() -> None:
    memory = {("dram", "activate"), ("dram", "standby")}
    for name, model in MODELS.items():
        clock = set() if name.startswith("synth45") else {("mac_array", "clock")}
        assert model.unpriced == memory | clock
        assert all(UNPRICED[action] in model.not_modelled for action in model.unpriced)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (
            Action("sram", "read"),
            "no energy is known for 'sram.read'; did you mean 'sram.read_word' or "
            "'dram.read_bit' or 'sram.write_word'?",
        ),
        (
            mac(0, 8),
            "expected a multiply-accumulate of 1 to 16 bits, got weight_bits 0 and activation_bits "
            "8; choose widths in that range",
        ),
        (
            mac(8, 17),
            "expected a multiply-accumulate of 1 to 16 bits, got weight_bits 8 and activation_bits "
            "17; choose widths in that range",
        ),
    ],
)
def test_there_is_no_default_price(action: Action, expected: str) -> None:
    with pytest.raises(UserError) as caught:
        MODELS["horowitz45"].energy_pj(action)
    assert str(caught.value) == expected


def test_a_table_of_another_node_is_refused() -> None:
    other = EDGE.model_copy(update={"technology_nm": 22})
    with pytest.raises(UserError, match=r"^energy table 'horowitz45' is for 45 nm, but accel"):
        EnergyModel(other, load_energy_table("horowitz45"))


def test_banks_outside_the_sram_table_are_refused_when_energy_is_asked_for() -> None:
    with pytest.raises(
        UserError, match=r"covers banks of up to 2048 KiB .* got a bank of 4096 KiB"
    ):
        EnergyModel(resized(EDGE, sram_kib=65536), load_energy_table("horowitz45"))


def test_small_banks_are_charged_as_the_smallest_macro() -> None:
    model = EnergyModel(resized(TINY, sram_kib=1), load_energy_table("horowitz45"))
    assert model.energy_pj(Action("sram", "read_word")) == pytest.approx(1.66966)


def test_what_is_left_out_is_listed() -> None:
    for name, model in MODELS.items():
        text = " ".join(model.not_modelled)
        for part in ("clock tree", "DRAM refresh", "bank conflicts", "instruction fetch", "wires"):
            assert part in text
        without = ("accelergy45", "horowitz45")
        assert ("registers inside a processing element" in text) == (name in without)


def test_actions_are_frozen_and_hashable() -> None:
    assert len({mac(8, 8), mac(8, 8), mac(4, 8)}) == 2
    with pytest.raises(FrozenInstanceError):
        mac(8, 8).weight_bits = 4  # type: ignore[misc]
