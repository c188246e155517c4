"""An accelerator as data: the schema of ``configs/accelerators/*.yaml``.

Every field carries its unit in its name; docs/accelerators.md explains each one for people.
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from accelerators.datapaths.kinds import datapath_of
from quant.common.accumulators import MOST_BITS, Accumulator
from quant.common.errors import suggestion
from quant.common.requantization_modes import MODES
from quant.common.schemas import Contradictions, Schema, validate_data
from quant.common.yaml_documents import Location

Count = Annotated[int, Field(ge=1, le=1024)]
OperandBits = Annotated[int, Field(ge=1, le=16)]
MachineName = Annotated[str, Field(min_length=1, max_length=300)]
ShortText = Annotated[str, Field(min_length=1, max_length=100)]
LongText = Annotated[str, Field(min_length=1, max_length=2000)]


class Array(Schema):
    """The grid of processing elements (PEs), each one multiplier and one accumulator."""

    rows: Count
    """PE rows; each works on one output pixel, or on some products of every output."""
    columns: Count
    """PE columns; each works on one output channel; of `input_stationary`, on one pixel."""
    dataflow: Literal[
        "output_stationary",
        "weight_stationary",
        "input_stationary",
        "activation_serial",
        "weight_serial",
        "bit_serial",
        "composable",
        "shift_add",
    ]
    """What stays in the PEs and what they do; names a module of ``accelerators.datapaths``."""
    weight_bits: OperandBits
    """Native weight width, at which utilization is stated; wider weights take several passes."""
    activation_bits: OperandBits
    """Native activation width, likewise."""
    lanes: Count = 1
    """Products of one output that a PE takes at a time, where outputs stay in the PEs."""
    lanes_at_one_bit: Annotated[int, Field(ge=0, le=1024)] = 0
    """Those of `weight_serial` for one-bit weights; 0 for as many as `lanes`."""
    kernel_taps: Literal["together", "apart"] = "together"
    """Whether products of several kernel taps share rows or lanes, or each tap starts anew."""
    accumulator_entries: Annotated[int, Field(ge=1, le=65536)] = 1024
    """Partial sums in the memory behind each column, where outputs do not stay in the PEs."""
    mode_switch_cycles: Annotated[int, Field(ge=0, le=100_000)] = 0
    """Cycles the array needs to change its widths, before each cascade's first convolution."""
    accumulator_bits: Annotated[int, Field(ge=8, le=64)]
    """Width of the accumulator in a PE."""
    accumulator_overflow: Literal["error", "wrap", "saturate_final", "saturate_step"] = "error"
    """What becomes of a sum that leaves the accumulator; without this key, `error`."""
    zero_gating: bool = False
    """Whether a PE holds its operands still where an activation is 0; counts in measured energy."""

    @property
    def accumulator(self) -> Accumulator:
        """What every PE sums products in; of `error`, only the width counts."""
        return Accumulator(self.accumulator_bits, self.accumulator_overflow)

    @property
    def processing_elements(self) -> int:
        """PEs in the array."""
        return self.rows * self.columns

    @property
    def multipliers(self) -> int:
        """Lanes of all PEs, each of which leaks; one by one bit wide where operands are serial."""
        return self.processing_elements * self.lanes


class VectorUnit(Schema):
    """The unit for what is not a convolution: additions, requantization of streams."""

    lanes: Annotated[int, Field(ge=1, le=4096)]
    """Elements the unit takes a cycle."""


class Requantizer(Schema):
    """What brings the array's sums and the vector unit's to codes."""

    rounding: ShortText
    """How it rounds: a requantization mode's name (docs/operators/requantize.md)."""


class ChannelScaler(Schema):
    """What scaled convolutions have beside the array; without this part, as stated here."""

    multipliers: Annotated[int, Field(ge=1, le=4096)] = 32
    """Products with a channel's reach a cycle."""
    accumulator_bits: Annotated[int, Field(ge=40, le=63)] = 56
    """Width of the sums of scaled channels."""


class Sram(Schema):
    """The on-chip memory, shared by activations, weights and biases."""

    size_kib: Annotated[int, Field(ge=1, le=65536)]
    """Capacity of all banks together, in KiB (1024 bytes)."""
    word_bits: Annotated[int, Field(ge=8, le=1024, multiple_of=8)]
    """Bits one access moves."""
    banks: Count
    """Single-port banks; each serves one word a cycle."""

    @property
    def words(self) -> int:
        """Whole words the memory holds."""
        return self.size_kib * 1024 * 8 // self.word_bits

    @property
    def bank_kib(self) -> float:
        """Capacity of one bank, in KiB."""
        return self.size_kib / self.banks


class Dram(Schema):
    """The off-chip memory and the way to it."""

    kind: ShortText
    """Name of the memory technology, for reports."""
    bandwidth_gb_per_s: Annotated[float, Field(gt=0, le=10_000)]
    """Peak transfer rate, in 10^9 bytes per second."""
    burst_bytes: Annotated[int, Field(ge=1, le=4096)]
    """Smallest transfer; every transfer occupies whole bursts."""
    latency_cycles: Annotated[int, Field(ge=0, le=100_000)]
    """Accelerator cycles from a request to its first byte."""
    energy_pj_per_bit: Annotated[float, Field(gt=0, le=1000)] | None = None
    """Energy to move one bit, device and interface together; without it, that of `energy_table`."""
    energy_table: ShortText | None = None
    """Name of a shipped DRAM table, or the path of a YAML file: energies that no key here gives."""
    exact_bursts: bool = False
    """Whether runs that start inside a burst are counted as they lie; if not, all start on one."""
    page_bytes: Annotated[int, Field(ge=64, le=65536)] | None = None
    """Bytes of a page (row) of the memory; with it, page activations are counted."""
    activate_pj: Annotated[float, Field(gt=0, le=1e6)] | None = None
    """Energy to open and close a page, beside that of its bits."""
    standby_mw: Annotated[float, Field(ge=0, le=1e5)] | None = None
    """Power of the memory while time passes: standby and refresh."""
    source: LongText
    """Where these figures come from."""


class Scheduling(Schema):
    """What the machine's scheduler aims at; without this part, as stated here."""

    objective: Literal["balanced", "cycles", "energy", "dram"] = "balanced"
    """What is minimized; `hwsim.schedule.objective` says how each is counted."""
    fusion: bool = True
    """Whether layers may run together, with the feature maps between them in SRAM."""


class Accelerator(Schema):
    """One machine: everything the schedule, the simulator and the cost model ask of it."""

    name: MachineName
    """Name for reports; a shipped machine's file has the same name."""
    description: LongText
    """What the machine is, in a sentence."""
    source: LongText
    """Where its figures come from."""
    technology_nm: Annotated[int, Field(ge=1, le=250)]
    """Node of the logic and the SRAM; the energy table must be for the same node, or scaled."""
    supply_v: Annotated[float, Field(gt=0, le=5)] | None = None
    """Supply voltage of the logic that a scaled energy table is brought to; else the table's."""
    clock_mhz: Annotated[float, Field(gt=0, le=10_000)]
    """Clock of the array, the vector unit and the SRAM."""
    launch_overhead_us: Annotated[float, Field(ge=0, le=1_000_000)] = 0
    """Time from a request to the first command, once for each image, in microseconds."""
    array: Array
    """The grid of processing elements."""
    vector_unit: VectorUnit
    """The element-wise unit."""
    requantizer: Requantizer
    """How sums become codes."""
    channel_scaler: ChannelScaler = Field(default_factory=ChannelScaler)
    """What multiplies by factors that are known at run time."""
    sram: Sram
    """The on-chip memory."""
    dram: Dram
    """The off-chip memory."""
    energy_table: ShortText
    """Name of a shipped energy table, or the path of a YAML file."""
    scheduling: Scheduling = Field(default_factory=Scheduling)
    """What its scheduler aims at."""
    energy_scaling: Literal["none", "stillmaker_baas"] = "none"
    """Whether a table of another node is scaled to this one, and how."""

    @property
    def dram_bytes_per_cycle(self) -> Fraction:
        """Peak DRAM bytes in one accelerator cycle, exact for the decimals of the file."""
        return _bytes_per_cycle(self.dram.bandwidth_gb_per_s, self.clock_mhz)

    def latency_ms(self, cycles: int) -> float:
        """Time of an image that takes so many cycles, launch overhead included, in milliseconds."""
        return cycles / (self.clock_mhz * 1e3) + self.launch_overhead_us / 1e3

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        problems = tuple(_contradictions(self))
        if problems:
            raise Contradictions(problems)
        return self


@lru_cache
def _bytes_per_cycle(bandwidth_gb_per_s: float, clock_mhz: float) -> Fraction:
    return Fraction(str(bandwidth_gb_per_s)) * 1000 / Fraction(str(clock_mhz))


def resized(
    accelerator: Accelerator,
    *,
    rows: int | None = None,
    columns: int | None = None,
    sram_kib: int | None = None,
    accumulator_bits: int | None = None,
    accumulator_overflow: str | None = None,
    objective: str | None = None,
    fusion: bool | None = None,
) -> Accelerator:
    """The same machine with another array, accumulator, SRAM size or schedule, for studies.

    The name tells what was changed, so that a report never shows a figure of one machine under
    the name of another.

    Raises:
        UserError: the changed machine breaks the schema.
    """
    changes = {
        ("array", "rows"): rows,
        ("array", "columns"): columns,
        ("array", "accumulator_bits"): accumulator_bits,
        ("array", "accumulator_overflow"): accumulator_overflow,
        ("sram", "size_kib"): sram_kib,
        ("scheduling", "objective"): objective,
        ("scheduling", "fusion"): fusion,
    }
    given = {path: value for path, value in changes.items() if value is not None}
    if not given:
        return accelerator
    data = accelerator.model_dump()
    for (part, field), value in given.items():
        data[part][field] = value
    values = ", ".join(f"{field}={value}" for (_, field), value in given.items())
    data["name"] = f"{accelerator.name} ({values})"
    return validate_data(data, Accelerator, lambda _: f"accelerator '{data['name']}'")


def _contradictions(accelerator: Accelerator) -> Iterator[tuple[Location, str]]:
    """Every pair of values that no machine could have."""
    array, sram = accelerator.array, accelerator.sram
    rounding = accelerator.requantizer.rounding
    if rounding not in MODES:
        yield (
            ("requantizer", "rounding"),
            f"'{rounding}' is no requantization mode; {suggestion(rounding, MODES)}",
        )
    yield from _array_contradictions(array)
    product_bits = array.weight_bits + array.activation_bits
    if array.accumulator_bits < product_bits:
        yield (
            ("array", "accumulator_bits"),
            f"expected at least {product_bits}, the width of one product (weight_bits + "
            f"activation_bits), got {array.accumulator_bits}; widen the accumulator",
        )
    if array.accumulator_overflow != "error" and array.accumulator_bits > MOST_BITS:
        yield (
            ("array", "accumulator_bits"),
            f"expected at most {MOST_BITS} where accumulator_overflow is "
            f"{array.accumulator_overflow}, got {array.accumulator_bits}; narrow the accumulator "
            "or let an overflow be an error",
        )
    if sram.banks > sram.words:
        yield (
            ("sram", "banks"),
            f"expected at most {sram.words}, the words in {sram.size_kib} KiB, got {sram.banks}; "
            "use fewer banks or a larger memory",
        )
    delivered = sram.banks * sram.word_bits
    consumed = datapath_of(array).feed_bits_per_cycle
    if delivered < consumed:
        plain = array.dataflow == "output_stationary" and array.lanes == 1
        account = "rows x activation_bits + columns x weight_bits" if plain else array.dataflow
        yield (
            ("sram",),
            f"expected banks x word_bits of at least {consumed} bits a cycle, what the array "
            f"consumes ({account}), got {delivered}; "
            "add banks, widen the word or shrink the array",
        )
    if accelerator.supply_v is not None and accelerator.energy_scaling == "none":
        yield (
            ("supply_v",),
            "only a scaled energy table depends on it; add 'energy_scaling: stillmaker_baas' or "
            "leave it out",
        )
    yield from _dram_contradictions(accelerator.dram)


def _dram_contradictions(dram: Dram) -> Iterator[tuple[Location, str]]:
    if dram.energy_pj_per_bit is None and dram.energy_table is None:
        yield (
            ("dram", "energy_pj_per_bit"),
            "missing; add 'energy_pj_per_bit: …' or 'energy_table: …'",
        )
    if dram.activate_pj is not None and dram.page_bytes is None and dram.energy_table is None:
        yield (
            ("dram", "activate_pj"),
            "no pages are counted that it could be charged for; add 'page_bytes: …'",
        )
    burst = dram.burst_bytes
    if dram.page_bytes is not None and dram.page_bytes % burst:
        yield (
            ("dram", "page_bytes"),
            f"expected a multiple of burst_bytes ({burst}), got {dram.page_bytes}; use the page "
            "size of the memory's data sheet",
        )
    if burst & (burst - 1):
        yield (
            ("dram", "burst_bytes"),
            f"expected a power of two, got {burst}; use the burst length of the memory's data "
            "sheet times its width in bytes",
        )


_KINDS_WITH: dict[str, tuple[str, ...]] = {
    "lanes": ("output_stationary", "activation_serial", "weight_serial", "bit_serial", "shift_add"),
    "lanes_at_one_bit": ("weight_serial",),
    "accumulator_entries": ("weight_stationary", "input_stationary", "composable"),
}
"""Keys that only some kinds of array have a use for."""


def _array_contradictions(array: Array) -> Iterator[tuple[Location, str]]:
    """Values that no array of its kind could have."""
    for key, kinds in _KINDS_WITH.items():
        if array.dataflow not in kinds and getattr(array, key) != Array.model_fields[key].default:
            yield (
                ("array", key),
                f"an array of dataflow {array.dataflow} has none, those of {', '.join(kinds)} do; "
                "leave it out",
            )
    if 0 < array.lanes_at_one_bit < array.lanes:
        yield (
            ("array", "lanes_at_one_bit"),
            f"expected 0 or at least {array.lanes}, the lanes for wider weights, got "
            f"{array.lanes_at_one_bit}; narrower weights take no more room",
        )
    is_simple = array.dataflow == "output_stationary" and array.lanes == 1
    if array.accumulator_overflow == "saturate_step" and not is_simple:
        yield (
            ("array", "accumulator_overflow"),
            "saturate_step is defined by the order in which single products are added, which only "
            "output_stationary arrays of one lane keep; choose error, wrap or saturate_final",
        )
    widths = (array.weight_bits, array.activation_bits)
    if array.dataflow == "composable" and not all(bits in (2, 4, 8, 16) for bits in widths):
        yield (
            ("array", "weight_bits"),
            "expected weight_bits and activation_bits of 2, 4, 8 or 16, which bricks of 2 bits can "
            f"make up, got {array.weight_bits} and {array.activation_bits}; choose such widths",
        )
