"""Relative energy and area of multiply-accumulate units by kind of datapath and operand widths.

The schema of ``configs/energy_tables/datapaths/``. Figures come from one synthesis study and are
used only as factors: divided by the study's own 8 x 8 unit, times one absolute anchor that an
energy table names (docs/energy-tables.md).
"""

from collections.abc import Sequence
from typing import Annotated, Self, TypeVar

from pydantic import Field, model_validator

from accelerators.curves import Curve, Fit, Positive
from accelerators.datapath_areas import DatapathArea, Datapaths, Measurements, PartAreas
from accelerators.energy_tables import Version
from accelerators.schema import LongText, ShortText
from quant.common.errors import UserError, suggestion
from quant.common.schemas import Contradictions, Schema


class DatapathEnergy(Schema):
    """Energy of one multiply-accumulate on some kinds of datapath, in the study's picojoules."""

    datapaths: Datapaths
    """The kinds, as `array.dataflow` names them."""
    source: LongText
    """What was synthesized and how it was stimulated."""
    reference_pj: Positive
    """The study's 8 x 8 output-stationary unit, stimulated likewise."""
    fit: Fit | None = None
    """By both widths; or"""
    by_bit_product: Curve | None = None
    """by the product of widths; or"""
    by_weight_bits: Curve | None = None
    """by the width of weights alone."""
    widths_bits: Annotated[tuple[int, ...], Field(strict=False)] = ()
    """Widths the unit can be set to, ascending; others are rounded up. Empty for all."""
    register_bits: Fit | None = None
    """Flip-flops of the unit, whose clock is inside its energy; None where they are not known."""
    measured_pj: Measurements = ()
    """What `fit` was made from: weight bits, activation bits, pJ."""

    def at_pj(self, weight_bits: int, activation_bits: int) -> float:
        """Energy of a multiply-accumulate of these widths, in the study's picojoules."""
        weight_bits, activation_bits = self._width(weight_bits), self._width(activation_bits)
        if self.fit is not None:
            return self.fit.at(weight_bits, activation_bits)
        if self.by_bit_product is not None:
            return self.by_bit_product.at(weight_bits * activation_bits)
        assert self.by_weight_bits is not None
        return self.by_weight_bits.at(weight_bits)

    def _width(self, bits: int) -> int:
        return next((width for width in self.widths_bits if width >= bits), bits)

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        forms = (self.fit, self.by_bit_product, self.by_weight_bits)
        if sum(form is not None for form in forms) != 1:
            raise Contradictions(
                [(("fit",), "expected exactly one of fit, by_bit_product and by_weight_bits")]
            )
        return self


class ClockEnergy(Schema):
    """What the clock costs, in the study's picojoules."""

    source: LongText
    """Where it comes from."""
    pj_per_flop: Positive
    """A flip-flop and cycle."""


class DatapathFactors(Schema):
    """One synthesis study."""

    name: ShortText
    """Name of the study; a shipped file has the same name."""
    version: Version = 1
    """Grows with every change of a figure."""
    description: LongText
    """What it is, in a sentence."""
    source: LongText
    """Where it comes from."""
    energy: Annotated[tuple[DatapathEnergy, ...], Field(min_length=1, strict=False)]
    """By kind of datapath."""
    area: Annotated[tuple[DatapathArea, ...], Field(strict=False)] = ()
    """By kind of datapath."""
    parts: PartAreas | None = None
    """What else logic is put together from; without it, machines have no area."""
    clock: ClockEnergy
    """Of flip-flops."""
    requantizer_by_bit_product: Curve
    """One output requantized, by the product of the sum's and the multiplier's widths."""
    requantizer_reference_pj: Positive
    """The study's 8 x 8 output-stationary unit, stimulated likewise."""

    def of(self, datapath: str) -> DatapathEnergy:
        """The energies of a kind of datapath.

        Raises:
            UserError: the study has no such kind.
        """
        return _named(self.energy, datapath, f"datapath factors '{self.name}'")

    def relative(self, datapath: str, weight_bits: int, activation_bits: int) -> float:
        """A multiply-accumulate's energy as a multiple of the 8 x 8 output-stationary one.

        Raises:
            UserError: the study has no such kind.
        """
        energy = self.of(datapath)
        return energy.at_pj(weight_bits, activation_bits) / energy.reference_pj

    def clock_relative(self, datapath: str, flops: float) -> float:
        """Clocking that many flip-flops for a cycle, as a multiple likewise; 0 if inside `of`."""
        energy = self.of(datapath)
        if energy.register_bits is None:
            return 0.0
        return self.clock.pj_per_flop * flops / energy.reference_pj

    def own_clock_relative(self, datapath: str, weight_bits: int, activation_bits: int) -> float:
        """The part of `relative` that is the clock of the unit's own flip-flops."""
        registers = self.of(datapath).register_bits
        if registers is None:
            return 0.0
        return self.clock_relative(datapath, registers.at(weight_bits, activation_bits))

    def static_relative(self, datapath: str) -> float:
        """The part of `relative` that does not depend on the data: the fit's constant.

        Raises:
            UserError: the study has no such kind.
        """
        energy = self.of(datapath)
        return 0.0 if energy.fit is None else energy.fit.constant / energy.reference_pj

    def area_ge(self, datapath: str, weight_bits: int, activation_bits: int) -> float:
        """Area of a unit as it was synthesized, in gate equivalents.

        Raises:
            UserError: the study has no area of such a kind.
        """
        return self.area_of(datapath).at_ge(weight_bits, activation_bits)

    def area_of(self, datapath: str) -> DatapathArea:
        """The areas of a kind of datapath.

        Raises:
            UserError: the study has no area of such a kind.
        """
        return _named(self.area, datapath, f"areas of datapath factors '{self.name}'")


EntryT = TypeVar("EntryT", DatapathEnergy, DatapathArea)


def _named(entries: Sequence[EntryT], datapath: str, where: str) -> EntryT:
    for entry in entries:
        if datapath in entry.datapaths:
            return entry
    known = [name for entry in entries for name in entry.datapaths]
    raise UserError(
        f"{where} have no datapath '{datapath}'; {suggestion(datapath, known)} "
        "(or name other factors in the energy table's datapath_factors)"
    )
