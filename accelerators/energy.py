"""What each action of a machine costs, in picojoules, under a named energy table."""

from accelerators.actions import ACTION_UNITS, Action, Recipe, requantize_recipe
from accelerators.catalog import energy_table_at, load_datapath_factors, load_sram_table
from accelerators.datapaths.channel_scaling import recipes
from accelerators.datapaths.interface import MAX_OPERAND_BITS
from accelerators.datapaths.kinds import datapath_of
from accelerators.energy_tables import EnergyTable, ScaledEnergyTable, SramRow
from accelerators.mac_energy import MacParts, MacPricing
from accelerators.schema import Accelerator
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
    "data-dependent switching, unless it is measured: every operand is charged as uniformly "
    "random, and the part of a multiplier that a narrow operand leaves unused as still",
)
"""What no energy table here covers; reports print it beside every total."""

UNPRICED: dict[tuple[str, str], str] = {
    ("mac_array", "leakage"): "leakage of processing elements",
    ("mac_array", "clock"): "the clock of registers in processing elements, apart from what is "
    "inside a multiply-accumulate",
    ("dram", "activate"): "DRAM row activation as such",
    ("dram", "standby"): "DRAM refresh and standby",
}
"""What is left out where neither the table nor the machine has a figure, by the action."""


class EnergyModel:
    """The price of every action of one accelerator.

    Attributes:
        accelerator: the machine.
        table: the energy table, at the machine's node.
        not_modelled: what the prices leave out, for reports.
        notes: what the prices rest on beside the table's figures: anchors, factors, scaling.
        unpriced: actions that neither table nor machine has a figure for; they count 0 pJ and are
            among what is not modelled.
    """

    def __init__(self, accelerator: Accelerator, table: EnergyTable) -> None:
        """Price everything the machine can do.

        Raises:
            UserError: table and machine are for different technology nodes and the machine asks
                for no scaling, the machine's SRAM is outside the SRAM table, or the table has no
                price for its kind of datapath.
        """
        table = energy_table_at(accelerator, table)
        self.accelerator = accelerator
        self.table = table
        factors = table.datapath_factors
        self._macs = MacPricing(
            accelerator.array, table, None if factors is None else load_datapath_factors(factors)
        )
        self._kind = accelerator.array.dataflow
        self._mac_parts = {
            (weight_bits, activation_bits): self._macs.parts(
                self._kind, weight_bits, activation_bits
            )
            for weight_bits in _WIDTHS
            for activation_bits in _WIDTHS
        }
        prices = _prices(accelerator, table, self._macs)
        self.unpriced = frozenset(key for key, price in prices.items() if price is None)
        self._pj = {key: price or 0.0 for key, price in prices.items()}
        rule = self._macs.rule(self._kind)
        self.notes = (*(() if rule is None else (rule,)), *_scaling_notes(table))
        self.not_modelled = (
            *table.not_modelled,
            *NOT_MODELLED,
            *(text for key, text in UNPRICED.items() if key in self.unpriced),
        )

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
        return self.mac_parts(action).total_pj

    def mac_parts(self, action: Action) -> MacParts:
        """The energy of a multiply-accumulate on the machine's datapath, with its static part.

        Raises:
            UserError: its widths are outside 1 to 16 bits.
        """
        widths = (action.weight_bits, action.activation_bits)
        if widths not in self._mac_parts:
            raise UserError(
                f"expected a multiply-accumulate of 1 to {MAX_OPERAND_BITS} bits, got weight_bits "
                f"{action.weight_bits} and activation_bits {action.activation_bits}; choose "
                "widths in that range"
            )
        return self._mac_parts[widths]

    @property
    def knows_held_operands(self) -> bool:
        """Whether prices tell a held operand from a streamed one; a table's own figures do not."""
        return self._macs.rule(self._kind) is not None

    def mac_pj(self, kind: str, weight_bits: int, activation_bits: int) -> float:
        """What a multiply-accumulate would cost on another kind of datapath of the same widths.

        Args:
            kind: a kind of datapath, such as ``bit_serial``.
            weight_bits: width of the weight.
            activation_bits: width of the activation.

        Raises:
            UserError: the table has no price for that kind.
        """
        return self._macs.parts(kind, weight_bits, activation_bits).total_pj

    def prices(self) -> dict[str, float]:
        """Every price there is, by the name of the action, in picojoules."""
        macs = {f"mac_array.mac w{w}a{a}": p.total_pj for (w, a), p in self._mac_parts.items()}
        return macs | {".".join(key): price for key, price in self._pj.items()}


_WIDTHS = range(1, MAX_OPERAND_BITS + 1)

_Prices = dict[tuple[str, str], float | None]


def _prices(accelerator: Accelerator, table: EnergyTable, macs: MacPricing) -> _Prices:
    """The price of every action that does not depend on operand widths; None without a figure."""
    array, clock_mhz = accelerator.array, accelerator.clock_mhz
    requantizer_pj = macs.requantizer_pj()
    if requantizer_pj is None:
        requantizer_pj = _recipe_pj(requantize_recipe(array.accumulator_bits), table)
    leakage = table.mac_leakage_uw_by_bit_product
    element_bit_product = datapath_of(array).element_bit_product
    leakage_uw = None if leakage is None else leakage.at(element_bit_product)
    return {
        # 1 uW / 1 MHz = 1 pJ
        ("mac_array", "leakage"): leakage_uw and leakage_uw / clock_mhz,
        ("mac_array", "clock"): macs.clock_pj(array.dataflow) or None,
        ("requantizer", "output"): requantizer_pj,
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
        **_memory_prices(accelerator, table),
    }


def _memory_prices(accelerator: Accelerator, table: EnergyTable) -> _Prices:
    sram, dram, clock_mhz = accelerator.sram, accelerator.dram, accelerator.clock_mhz
    macro = _macro(table, sram.bank_kib, sram.word_bits)
    standby_mw = dram.standby_mw
    return {
        ("sram", "read_word"): macro.read_pj,
        ("sram", "write_word"): macro.write_pj,
        ("sram", "leakage"): sram.banks * macro.leakage_mw * 1000 / clock_mhz,  # mW to uW
        ("dram", "read_bit"): dram.energy_pj_per_bit,
        ("dram", "write_bit"): dram.energy_pj_per_bit,
        ("dram", "activate"): dram.activate_pj if dram.page_bytes is not None else None,
        ("dram", "standby"): None if standby_mw is None else standby_mw * 1000 / clock_mhz,
    }


def _accumulator_prices(accelerator: Accelerator, table: EnergyTable) -> _Prices:
    """Of the memories behind an array's columns, whether it has them or not.

    No table has words as narrow as one sum: a sum is charged its share of the narrowest word.
    """
    array, sram_table = accelerator.array, load_sram_table(table.sram_table)
    word_bits = sram_table.widths_bits[0]
    size_kib = array.accumulator_entries * array.accumulator_bits / 8 / 1024
    macro = _macro(table, size_kib, word_bits)
    share = array.accumulator_bits / word_bits
    return {
        ("accumulators", "read"): share * macro.read_pj,
        ("accumulators", "write"): share * macro.write_pj,
        ("accumulators", "leakage"): macro.leakage_mw * 1000 / accelerator.clock_mhz,
    }


def _macro(table: EnergyTable, size_kib: float, word_bits: float) -> SramRow:
    """A memory of a size, at the table's node."""
    macro = load_sram_table(table.sram_table).macro(size_kib, word_bits)
    if not isinstance(table, ScaledEnergyTable):
        return macro
    factor = table.scaling.sram_factor
    return macro.model_copy(
        update={"read_pj": macro.read_pj * factor, "write_pj": macro.write_pj * factor}
    )


def _scaling_notes(table: EnergyTable) -> tuple[str, ...]:
    if not isinstance(table, ScaledEnergyTable):
        return ()
    scaling = table.scaling
    return (
        f"logic scaled by {scaling.method} from {scaling.from_nm} nm at {scaling.from_v:g} V to "
        f"{scaling.to_nm} nm at {scaling.to_v:g} V: switching energies times {scaling.factor:.4g}; "
        f"SRAM from '{table.sram_table}', accesses times {scaling.sram_factor:.4g}; DRAM as it is",
    )


def _recipe_pj(recipe: Recipe, table: EnergyTable) -> float:
    multiplies = sum(table.multiplier_pj_by_bit_product.at(a * b) for a, b in recipe.multiplies)
    return multiplies + sum(table.adder_pj_by_bits.at(bits) for bits in recipe.adds)
