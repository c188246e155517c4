"""Relative energy and area of multiply-accumulate units by kind of datapath and operand widths.

The schema of ``configs/energy_tables/datapaths/``. Figures come from one synthesis study and are
used only as factors: divided by the study's own 8 x 8 unit, times one absolute anchor that an
energy table names (docs/energy-tables.md).
"""

from collections.abc import Sequence
from typing import Annotated, Self, TypeVar

from pydantic import Field, model_validator

from accelerators.curves import Curve, Fit, Grid, Positive
from accelerators.datapath_areas import DatapathArea, Datapaths, Measurements, PartAreas
from accelerators.energy_tables import Version
from accelerators.schema import LongText, ShortText
from quant.common.errors import UserError, suggestion
from quant.common.schemas import Contradictions, Schema

GUARD_BITS = 12
"""By which a synthesized unit's accumulator is wider than its products."""


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
    """by the width of weights alone; or"""
    by_widths: Grid | None = None
    """by both, as measured."""
    widths_bits: Annotated[tuple[int, ...], Field(strict=False)] = ()
    """Widths the unit can be set to, ascending; others are rounded up. Empty for all."""
    register_bits: Fit | None = None
    """Flip-flops of the unit, whose clock is inside its energy; None where they are not known."""
    accumulator_registers: Annotated[int, Field(ge=0, le=4)] = 1
    """How many of its registers are as wide as its accumulator, which has `GUARD_BITS` more bits
    than a product; those of a machine have the bits of the machine's."""
    static: Fit | None = None
    """What of it is spent whatever the operands are; None: the constant of `fit`."""
    measured_pj: Measurements = ()
    """What was measured: weight bits, activation bits, pJ."""
    recorded_pj: Measurements = ()
    """The same units on the operands of a network instead of random ones."""

    def at_pj(self, weight_bits: int, activation_bits: int) -> float:
        """Energy of a multiply-accumulate of these widths, in the study's picojoules."""
        weight_bits, activation_bits = self._width(weight_bits), self._width(activation_bits)
        if self.fit is not None:
            return self.fit.at(weight_bits, activation_bits)
        if self.by_widths is not None:
            return self.by_widths.at(weight_bits, activation_bits)
        if self.by_bit_product is not None:
            return self.by_bit_product.at(weight_bits * activation_bits)
        assert self.by_weight_bits is not None
        return self.by_weight_bits.at(weight_bits)

    def static_pj(self, weight_bits: int, activation_bits: int) -> float:
        """What of `at_pj` is spent whatever the operands are."""
        widths = self._width(weight_bits), self._width(activation_bits)
        if self.static is not None:
            return self.static.at(*widths)
        return 0.0 if self.fit is None else self.fit.constant

    def _width(self, bits: int) -> int:
        return next((width for width in self.widths_bits if width >= bits), bits)

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        forms = (self.fit, self.by_bit_product, self.by_weight_bits, self.by_widths)
        if sum(form is not None for form in forms) != 1:
            names = "fit, by_bit_product, by_weight_bits and by_widths"
            raise Contradictions([(("fit",), f"expected exactly one of {names}")])
        return self


class Provenance(Schema):
    """What a study was made with, so that it can be made again."""

    library: ShortText
    """Name of the cell library."""
    library_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """Hash of its Liberty file."""
    supply_v: Positive
    """Its nominal voltage, which energies are for."""
    tools: Annotated[tuple[ShortText, ...], Field(strict=False)]
    """Programs and their versions."""
    operands: Annotated[tuple[LongText, ...], Field(strict=False)]
    """What units were fed."""
    toggles: LongText
    """How they were counted."""
    command: LongText
    """What makes the file again."""


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
    provenance: Provenance | None = None
    """What it was made with, where that was written down."""

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

    def element_clock_relative(
        self, datapath: str, weight_bits: int, activation_bits: int, accumulator_bits: int
    ) -> float:
        """Clocking a machine's processing element for a cycle, as a multiple likewise.

        0 where the clock is inside `relative`.
        """
        wider = accumulator_bits - (weight_bits + activation_bits + GUARD_BITS)
        energy = self.of(datapath)
        return self._clock_relative(
            energy, weight_bits, activation_bits, energy.accumulator_registers * wider
        )

    def own_clock_relative(self, datapath: str, weight_bits: int, activation_bits: int) -> float:
        """The part of `relative` that is the clock of the unit's own flip-flops."""
        return self._clock_relative(self.of(datapath), weight_bits, activation_bits, 0)

    def _clock_relative(
        self, energy: DatapathEnergy, weight_bits: int, activation_bits: int, further_flops: int
    ) -> float:
        if energy.register_bits is None:
            return 0.0
        flops = energy.register_bits.at(weight_bits, activation_bits) + further_flops
        return self.clock.pj_per_flop * flops / energy.reference_pj

    def static_relative(self, datapath: str, weight_bits: int, activation_bits: int) -> float:
        """The part of `relative` that does not depend on the data.

        Raises:
            UserError: the study has no such kind.
        """
        energy = self.of(datapath)
        return energy.static_pj(weight_bits, activation_bits) / energy.reference_pj

    def area_ge(self, datapath: str, weight_bits: int, activation_bits: int) -> float:
        """Area of a unit as it was synthesized, in gate equivalents.

        Raises:
            UserError: the study has no area of such a kind.
        """
        return self.area_of(datapath).at_ge(weight_bits, activation_bits)

    def has_drain_inside(self, datapath: str) -> bool:
        """Whether areas of such a kind have the register in which an output leaves."""
        return any(datapath in entry.datapaths and entry.drain == "inside" for entry in self.area)

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
