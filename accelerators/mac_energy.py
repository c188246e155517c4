"""What a multiply-accumulate costs, by kind of datapath and operand widths.

One rule, which every energy table states by its keys:

1. Without a ``mac_anchor``, bit-parallel kinds (`BIT_PARALLEL`) have the table's own figures: one
   synthesized unit, or multiplier and adder, and registers where the table has them.
2. Every other kind, and with a ``mac_anchor`` every kind, costs an anchor times a relative figure
   of ``datapath_factors``. The anchor is ``mac_anchor``, else the table's own 8 x 8 figure.
3. Without ``datapath_factors``, or where they lack the kind, it is refused.

An operand wider than the array's native width is processed in slices, and each pair of slices is
one pass.
"""

from dataclasses import dataclass
from typing import NamedTuple

from accelerators.actions import MULTIPLIER_BITS
from accelerators.datapath_factors import DatapathFactors
from accelerators.datapaths.output_stationary import slices
from accelerators.energy_tables import EnergyTable
from accelerators.schema import Array
from quant.common.errors import UserError

BIT_PARALLEL = ("output_stationary", "weight_stationary", "input_stationary")
"""Kinds of datapath whose unit is one multiplier and one adder."""

ANCHOR_BITS = 8
"""Width of both operands of an anchor."""


@dataclass(frozen=True, slots=True)
class MacParts:
    """The energy of a multiply-accumulate, in picojoules.

    Attributes:
        total_pj: all of it, on uniformly random operands.
        static_pj: what it costs whatever the operands are.
    """

    total_pj: float
    static_pj: float

    def __add__(self, other: "MacParts") -> "MacParts":
        return MacParts(self.total_pj + other.total_pj, self.static_pj + other.static_pj)


class MacPass(NamedTuple):
    """A pass through a bit-parallel multiplier.

    Attributes:
        weight_bits: of the multiplier's one operand.
        activation_bits: of its other operand.
        adder_bits: one-bit adders at work: those of the accumulator, where a PE has one lane; else
            the lane's share of an adder tree and of the accumulator behind it.
    """

    weight_bits: int
    activation_bits: int
    adder_bits: float

    @property
    def bit_product(self) -> int:
        """Pairs of bits the multiplier takes; energy tables go by them."""
        return self.weight_bits * self.activation_bits


class MacPricing:
    """Prices of multiply-accumulates on one array under one table.

    Attributes:
        array: the array; its native widths and its accumulator count.
        table: the prices.
        factors: relative figures; None where the table names none.
    """

    def __init__(self, array: Array, table: EnergyTable, factors: DatapathFactors | None) -> None:
        self.array = array
        self.table = table
        self.factors = factors

    def parts(self, kind: str, weight_bits: int, activation_bits: int) -> MacParts:
        """A multiply-accumulate of operands of these widths, all its passes together.

        Raises:
            UserError: the table has no price for this kind of datapath.
        """
        passes = [
            self._own(weight_slice, activation_slice)
            if self._is_own(kind)
            else self._relative(kind, weight_slice, activation_slice)
            for weight_slice in slices(weight_bits, self.array.weight_bits)
            for activation_slice in slices(activation_bits, self.array.activation_bits)
        ]
        return sum(passes, MacParts(0.0, 0.0))

    def clock_pj(self, kind: str) -> float:
        """The clock of a processing element's registers, each cycle; 0 if inside `parts`."""
        if self.table.clock == "inside_mac":
            return 0.0
        array = self.array
        relative = self._factors(kind).element_clock_relative(
            kind, array.weight_bits, array.activation_bits, array.accumulator_bits
        )
        return self._anchor_pj() * relative

    def requantizer_pj(self) -> float | None:
        """An output of the requantizer relative to the anchor; None where the table has its own."""
        if self.table.mac_anchor is None:
            return None
        factors = self._factors(BIT_PARALLEL[0])
        pairs = self.array.accumulator_bits * MULTIPLIER_BITS
        relative = factors.requantizer_by_bit_product.at(pairs) / factors.requantizer_reference_pj
        return self._anchor_pj() * relative

    def rule(self, kind: str) -> str | None:
        """In a sentence, which factors and anchor a kind's figures are; None for a table's own."""
        table = self.table
        if self._is_own(kind):
            return None
        assert self.factors is not None
        anchor = (
            f"{table.mac_anchor.energy_pj:.4g} pJ ({table.mac_anchor.source})"
            if table.mac_anchor is not None
            else f"{self._anchor_pj():.4g} pJ, the table's own 8 x 8 figure"
        )
        return (
            f"multiply-accumulates: factors of '{self.factors.name}' for {kind}, relative to 8 x 8 "
            f"bits, times {anchor}"
        )

    def _is_own(self, kind: str) -> bool:
        return self.table.mac_anchor is None and kind in BIT_PARALLEL

    def _own(self, weight_bits: int, activation_bits: int) -> MacParts:
        adder_bits = _adder_bits(self.array, weight_bits + activation_bits)
        each = MacPass(weight_bits, activation_bits, adder_bits)
        total_pj = self._own_pj(each)
        return MacParts(total_pj, total_pj * self._static_share(each))

    def _relative(self, kind: str, weight_bits: int, activation_bits: int) -> MacParts:
        factors, anchor_pj = self._factors(kind), self._anchor_pj()
        relative = factors.relative(kind, weight_bits, activation_bits)
        static = min(factors.static_relative(kind, weight_bits, activation_bits), relative)
        if self.table.clock == "separate":
            clock = factors.own_clock_relative(kind, weight_bits, activation_bits)
            relative, static = relative - clock, max(static - clock, 0.0)
        return MacParts(anchor_pj * relative, anchor_pj * static)

    def _own_pj(self, each: MacPass) -> float:
        """One pass: a synthesized unit where the table has one, else multiplier and adder."""
        table = self.table
        registers_pj = 0.0
        if table.register_pj_by_bits is not None:
            bits = each.weight_bits + each.activation_bits + each.adder_bits
            registers_pj = table.register_pj_by_bits.at(bits)
        if table.mac_pj_by_bit_product is not None:
            return table.mac_pj_by_bit_product.at(each.bit_product) + registers_pj
        multiplier_pj = table.multiplier_pj_by_bit_product.at(each.bit_product)
        return multiplier_pj + table.adder_pj_by_bits.at(each.adder_bits) + registers_pj

    def _static_share(self, each: MacPass) -> float:
        """Of an own figure, what the factors say of the bit-parallel unit of these widths."""
        if self.factors is None:
            return 1.0
        kind = BIT_PARALLEL[0]
        widths = each.weight_bits, each.activation_bits
        static = self.factors.static_relative(kind, *widths)
        return min(static / self.factors.relative(kind, *widths), 1.0)

    def _anchor_pj(self) -> float:
        anchor = self.table.mac_anchor
        if anchor is not None:
            return anchor.energy_pj
        whole = MacPass(ANCHOR_BITS, ANCHOR_BITS, self.array.accumulator_bits)
        return self._own_pj(whole)

    def _factors(self, kind: str) -> DatapathFactors:
        if self.factors is None:
            raise UserError(
                f"energy table '{self.table.name}' has no multiply-accumulate of datapath "
                f"'{kind}'; add 'datapath_factors: …' to it or choose another table"
            )
        return self.factors


def _adder_bits(array: Array, product_bits: int) -> float:
    lanes = array.lanes
    if lanes == 1:
        return array.accumulator_bits
    grown_bits = product_bits + (lanes - 1).bit_length()
    return grown_bits * (lanes - 1) / lanes + array.accumulator_bits / lanes
