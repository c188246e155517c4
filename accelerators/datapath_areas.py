"""Areas that a synthesis study found, and how a processing element is put together from them.

The parts of ``configs/energy_tables/datapaths/*.yaml`` that say how large units are, in gate
equivalents: multiples of the area of a two-input NAND. docs/area-model.md has the rules.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from accelerators.curves import Curve, Fit, Positive
from accelerators.schema import LongText, ShortText
from quant.common.schemas import Contradictions, Schema

Measurement = Annotated[tuple[Positive, ...], Field(min_length=3, max_length=3, strict=False)]
Measurements = Annotated[tuple[Measurement, ...], Field(strict=False)]
Datapaths = Annotated[tuple[ShortText, ...], Field(min_length=1, strict=False)]


class DatapathArea(Schema):
    """Area of one multiply-accumulate unit on some kinds of datapath."""

    datapaths: Datapaths
    """The kinds, as `array.dataflow` names them."""
    source: LongText
    """What was synthesized."""
    fit: Fit | None = None
    """In gate equivalents, areas of a two-input NAND, by both widths; or"""
    by_weight_bits: Curve | None = None
    """by the width of weights alone."""
    activation_bits: Annotated[int, Field(ge=1, le=16)] | None = None
    """Of the units behind `by_weight_bits`; wider activations take room in proportion."""
    accumulator_bits: Fit | None = None
    """Of the unit's accumulator; None where it is not known, and then no other is reckoned with."""
    accumulator_bit_ge: Positive | None = None
    """A bit more of the unit's accumulator, with all that goes with it; None: as in `parts`."""
    drain: Literal["apart", "inside"] = "apart"
    """Whether the register in which an output leaves an element is part of the unit."""
    further_lanes: Literal["units", "multipliers"] = "units"
    """What each lane but the first adds to an element: a unit, or a multiplier with its operand
    registers and one addition of an adder tree."""
    measured_ge: Measurements = ()
    """What `fit` was made from: weight bits, activation bits, gate equivalents."""

    def at_ge(self, weight_bits: int, activation_bits: int) -> float:
        """Gate equivalents of a unit for operands of these widths, as it was synthesized."""
        if self.fit is not None:
            return self.fit.at(weight_bits, activation_bits)
        assert self.by_weight_bits is not None
        wider = activation_bits / (self.activation_bits or activation_bits)
        return self.by_weight_bits.at(weight_bits) * max(wider, 1.0)

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.fit is None) == (self.by_weight_bits is None):
            raise Contradictions([(("fit",), "expected exactly one of fit and by_weight_bits")])
        return self


class CellAreas(Schema):
    """Cells of the library that units were synthesized with."""

    source: LongText
    """Which library, and which of its cells."""
    technology_nm: Annotated[int, Field(ge=1, le=250)]
    """Node of the library."""
    nand2_um2: Positive
    """Area of a two-input NAND, in square micrometres: what a gate equivalent is."""
    flip_flop_ge: Positive
    """A flip-flop, in gate equivalents."""


class AccumulatorArea(Schema):
    """What accumulators of other widths than were synthesized take."""

    source: LongText
    """Where it comes from."""
    ge_per_bit: Positive
    """A bit more of an adder and of the register behind it, in gate equivalents."""


class PartAreas(Schema):
    """What a machine's logic is put together from, beside the units of its array."""

    cells: CellAreas
    """Of the library."""
    accumulator: AccumulatorArea
    """Adders with registers behind them."""
    multiplier_ge_by_bit_product: Curve
    """One multiplication, by the product of its operand widths."""
    requantizer_ge_by_bit_product: Curve
    """One requantizer, by the product of the sum's and the multiplier's widths."""

    @property
    def flip_flop_ge(self) -> float:
        """A flip-flop."""
        return self.cells.flip_flop_ge

    @property
    def adder_bit_ge(self) -> float:
        """A bit of an adder: what a bit of an accumulator has beside its flip-flop."""
        return self.accumulator.ge_per_bit - self.cells.flip_flop_ge

    def accumulators_ge(self, bits: float) -> float:
        """Adders with registers behind them, of so many bits together."""
        return self.accumulator.ge_per_bit * bits

    def multiplier_ge(self, first_bits: int, second_bits: int) -> float:
        """A multiplier."""
        return self.multiplier_ge_by_bit_product.at(first_bits * second_bits)

    def requantizer_ge(self, value_bits: int, multiplier_bits: int) -> float:
        """A requantizer of values of a width by multipliers of a width."""
        return self.requantizer_ge_by_bit_product.at(value_bits * multiplier_bits)

    def element_ge(
        self,
        unit: DatapathArea,
        weight_bits: int,
        activation_bits: int,
        lanes: int,
        accumulator_bits: int,
    ) -> float:
        """A processing element: a unit with the accumulator and lanes that are wanted.

        Args:
            unit: what was synthesized.
            weight_bits: of a lane.
            activation_bits: of a lane.
            lanes: products the element takes at a time.
            accumulator_bits: of its accumulator.
        """
        element_ge = unit.at_ge(weight_bits, activation_bits)
        further = lanes - 1
        if unit.further_lanes == "units":
            element_ge *= lanes
        else:
            product_bits = weight_bits + activation_bits
            sum_bits = product_bits + further.bit_length()
            element_ge += further * (
                self.multiplier_ge(weight_bits, activation_bits)
                + product_bits * self.flip_flop_ge
                + sum_bits * self.adder_bit_ge
            )
        if unit.accumulator_bits is not None:
            synthesized_bits = unit.accumulator_bits.at(weight_bits, activation_bits)
            bit_ge = unit.accumulator_bit_ge or self.accumulator.ge_per_bit
            element_ge += bit_ge * (accumulator_bits - synthesized_bits)
        return element_ge
