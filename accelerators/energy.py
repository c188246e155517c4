"""What each action of a machine costs, in picojoules, under a named energy table."""

from accelerators.actions import ACTION_UNITS, Action, Recipe, requantize_recipe
from accelerators.catalog import load_sram_table, require_same_node
from accelerators.datapaths.channel_scaling import recipes
from accelerators.datapaths.interface import MAX_OPERAND_BITS, MacPass
from accelerators.datapaths.kinds import datapath_of
from accelerators.energy_tables import EnergyTable
from accelerators.schema import Accelerator, Array
from accelerators.vector_unit import (
    ACCUMULATE,
    ADD,
    COMPARE,
    DIVIDE_STEP,
    MULTIPLY,
    NORMALIZE,
    REQUANTIZE,
)
from quant.common.errors import UserError, suggestion

NOT_MODELLED = (
    "control: instruction fetch and decode, address generators, DMA engines, and the positions and "
    "weights a bilinear resize works out for each row and column",
    "the clock tree, and switching in processing elements that have no work",
    "wires between the SRAM, the array and the vector unit, and the skew registers at its edges",
    "SRAM bank conflicts",
    "decoders of the weights of shift-and-add arrays, tables that weight-serial arrays fill with "
    "sums of activations, and the time and energy in which an array changes its widths, beyond "
    "mode_switch_cycles",
    "registers that hold a channel's decode table or thresholds, and the multiplexers behind them",
    "DRAM refresh, row activation as such, and standby",
    "data-dependent switching: every operand is charged as uniformly random, and the part of a "
    "multiplier that a narrow operand leaves unused as still",
)
"""What no energy table here covers; reports print it beside every total."""


class EnergyModel:
    """The price of every action of one accelerator.

    Attributes:
        accelerator: the machine.
        table: the energy table.
        not_modelled: what the prices leave out, for reports.
    """

    def __init__(self, accelerator: Accelerator, table: EnergyTable) -> None:
        """Price everything the machine can do.

        Raises:
            UserError: table and machine are for different technology nodes, or the machine's
                SRAM is outside the SRAM table.
        """
        require_same_node(accelerator, table)
        self.accelerator = accelerator
        self.table = table
        self.not_modelled = (*table.not_modelled, *NOT_MODELLED)
        self._mac_pj = _mac_prices(accelerator.array, table)
        self._pj = _prices(accelerator, table)

    def energy_pj(self, action: Action) -> float:
        """The energy of one count of an action; `ACTION_UNITS` says what a count is.

        Raises:
            UserError: the machine has no such action, or a multiply-accumulate's widths are
                outside 1 to 16 bits. There is no default price.
        """
        key = (action.component, action.name)
        if key in self._pj:
            return self._pj[key]
        if key not in ACTION_UNITS:
            known = [".".join(pair) for pair in ACTION_UNITS]
            given = ".".join(key)
            raise UserError(f"no energy is known for '{given}'; {suggestion(given, known)}")
        widths = (action.weight_bits, action.activation_bits)
        if widths not in self._mac_pj:
            raise UserError(
                f"expected a multiply-accumulate of 1 to {MAX_OPERAND_BITS} bits, got weight_bits "
                f"{action.weight_bits} and activation_bits {action.activation_bits}; choose "
                "widths in that range"
            )
        return self._mac_pj[widths]


def _prices(accelerator: Accelerator, table: EnergyTable) -> dict[tuple[str, str], float]:
    """The price of every action that does not depend on operand widths."""
    array, sram, clock_mhz = accelerator.array, accelerator.sram, accelerator.clock_mhz
    macro = load_sram_table(table.sram_table).macro(sram.bank_kib, sram.word_bits)
    element_bit_product = datapath_of(array).element_bit_product
    leakage_uw = table.mac_leakage_uw_by_bit_product.at(element_bit_product)
    return {
        ("mac_array", "leakage"): leakage_uw / clock_mhz,  # 1 uW / 1 MHz = 1 pJ
        ("requantizer", "output"): _recipe_pj(requantize_recipe(array.accumulator_bits), table),
        ("vector_unit", "add"): _recipe_pj(ADD, table),
        ("vector_unit", "requantize"): _recipe_pj(REQUANTIZE, table),
        ("vector_unit", "multiply"): _recipe_pj(MULTIPLY, table),
        ("vector_unit", "accumulate"): _recipe_pj(ACCUMULATE, table),
        ("statistics", "accumulate"): _recipe_pj(ACCUMULATE, table),
        ("statistics", "divide_step"): _recipe_pj(DIVIDE_STEP, table),
        ("encoder", "normalize"): _recipe_pj(NORMALIZE, table),
        ("encoder", "compare"): _recipe_pj(COMPARE, table),
        **{action: _recipe_pj(recipe, table) for action, recipe in recipes(accelerator).items()},
        **_accumulator_prices(accelerator, table),
        ("sram", "read_word"): macro.read_pj,
        ("sram", "write_word"): macro.write_pj,
        ("sram", "leakage"): sram.banks * macro.leakage_mw * 1000 / clock_mhz,  # mW to uW
        ("dram", "read_bit"): accelerator.dram.energy_pj_per_bit,
        ("dram", "write_bit"): accelerator.dram.energy_pj_per_bit,
    }


def _mac_prices(array: Array, table: EnergyTable) -> dict[tuple[int, int], float]:
    """The price of a multiply-accumulate for every pair of weight and activation widths.

    Each is so many passes through multiplier and adder, as the array's kind has it
    (docs/datapaths/).
    """
    datapath = datapath_of(array)
    widths = range(1, MAX_OPERAND_BITS + 1)
    return {
        (weight_bits, activation_bits): sum(
            each.times * _pass_pj(each, table)
            for each in datapath.mac_passes(weight_bits, activation_bits)
        )
        for weight_bits in widths
        for activation_bits in widths
    }


def _pass_pj(each: MacPass, table: EnergyTable) -> float:
    """One pass: a synthesized unit where the table has one, else multiplier and adder."""
    if each.bit_product == 0:
        return table.adder_pj_by_bits.at(each.adder_bits)
    if table.mac_pj_by_bit_product is not None:
        return table.mac_pj_by_bit_product.at(each.bit_product)
    multiplier = table.multiplier_pj_by_bit_product.at(each.bit_product)
    return multiplier + table.adder_pj_by_bits.at(each.adder_bits)


def _accumulator_prices(
    accelerator: Accelerator, table: EnergyTable
) -> dict[tuple[str, str], float]:
    """Of the memories behind an array's columns, whether it has them or not.

    No table has words as narrow as one sum: a sum is charged its share of the narrowest word.
    """
    array, sram_table = accelerator.array, load_sram_table(table.sram_table)
    word_bits = sram_table.widths_bits[0]
    size_kib = array.accumulator_entries * array.accumulator_bits / 8 / 1024
    macro = sram_table.macro(size_kib, word_bits)
    share = array.accumulator_bits / word_bits
    return {
        ("accumulators", "read"): share * macro.read_pj,
        ("accumulators", "write"): share * macro.write_pj,
        ("accumulators", "leakage"): macro.leakage_mw * 1000 / accelerator.clock_mhz,
    }


def _recipe_pj(recipe: Recipe, table: EnergyTable) -> float:
    multiplies = sum(table.multiplier_pj_by_bit_product.at(a * b) for a, b in recipe.multiplies)
    return multiplies + sum(table.adder_pj_by_bits.at(bits) for bits in recipe.adds)
