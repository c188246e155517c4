"""One account under several tables, and totals of other tools from their own counts."""

from collections import Counter

import pytest

from accelerators import (
    Action,
    EnergyModel,
    energy_tables_for,
    load_accelerator,
    load_energy_table,
    resized,
)
from accelerators.catalog import load_dram_table
from hwsim.cost.charges import READ_BIT
from hwsim.cost.repricing import energy_models_for, repriced
from hwsim.report.energy_band import band_sentence, energy_band
from hwsim.schedule.storage import ceil_divide
from hwsim.simulation import estimate
from quant.common.errors import UserError
from quant.graph import Size
from tests.edsr_graphs import edsr_graph, edsr_layers

TINY = load_accelerator("tiny_npu")
GRAPH = edsr_graph(1, 8, 2, dict.fromkeys(edsr_layers(1), (4, 8)))
IMAGE = Size(20, 24)


def test_repricing_is_what_a_new_estimate_costs() -> None:
    own = EnergyModel(TINY, load_energy_table("horowitz45"))
    cost = estimate(GRAPH, TINY, own, IMAGE).cost
    for energy in energy_models_for(TINY):
        anew = estimate(GRAPH, TINY, energy, IMAGE).cost
        again = repriced(cost, energy)
        assert again.energy_by_component_uj == anew.energy_by_component_uj
        assert (again.cycles, again.groups) == (anew.cycles, anew.groups)


def test_the_band_holds_every_table() -> None:
    own = EnergyModel(TINY, load_energy_table("horowitz45"))
    cost = estimate(GRAPH, TINY, own, IMAGE).cost
    band = energy_band(cost, energy_models_for(TINY))
    assert band is not None
    energies = {table.energy_table: table.energy_uj for table in band.tables}
    assert list(energies) == [table.name for table in energy_tables_for(TINY)]
    assert energies["horowitz45"] == pytest.approx(cost.energy_uj)
    assert band.lowest_uj == min(energies.values()) == energies[band.lowest_table]
    assert band.highest_uj == max(energies.values()) == energies[band.highest_table]
    assert band.lowest_uj < band.highest_uj
    assert band_sentence(band).startswith(f"{band.lowest_uj:,.1f} to {band.highest_uj:,.1f} µJ")
    for table in band.tables:
        assert sum(table.energy_by_component_uj.values()) == pytest.approx(table.energy_uj)


def test_without_tables_there_is_no_band() -> None:
    own = EnergyModel(TINY, load_energy_table("horowitz45"))
    assert energy_band(estimate(GRAPH, TINY, own, IMAGE).cost, ()) is None


def test_a_machine_outside_the_tables_has_no_band() -> None:
    with pytest.raises(UserError, match=r"covers banks of up to 2048 KiB"):
        energy_models_for(resized(load_accelerator("edge_npu"), sram_kib=65536))


def test_counts_times_prices_are_the_reference_total_of_another_tool() -> None:
    # Timeloop, simple_weight_stationary: 554,147 scalars of 16 bits from DRAM, four to an access
    # of 512 pJ, are 6544.64 fJ for each of 10,838,016 multiply-accumulates, 70.93 uJ in all.
    scalars, macs = 554_147, 10_838_016
    machine = TINY.model_copy(
        update={"dram": TINY.dram.model_copy(update=load_dram_table("lpddr4").model_dump())}
    )
    energy = EnergyModel(machine, load_energy_table("accelergy45"))
    charges = Counter({READ_BIT: ceil_divide(scalars, 4) * 64})
    total_pj = sum(count * energy.energy_pj(action) for action, count in charges.items())
    assert total_pj / 1e6 == pytest.approx(70.93, abs=0.005)
    assert 1000 * total_pj / macs == pytest.approx(6544.64, rel=1e-6)


def test_an_integer_mac_is_the_sum_of_its_parts() -> None:
    # Accelergy's intmac: one multiplier and one adder of the component library
    energy = EnergyModel(resized(TINY, accumulator_bits=16), load_energy_table("accelergy45"))
    intmac_pj = 64 * 0.014249873205193875 + 16 * 0.0075519832759387085
    price = energy.energy_pj(Action("mac_array", "mac", 8, 8))
    assert price == pytest.approx(intmac_pj, rel=1e-6)
