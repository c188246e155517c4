"""What a result says of bits that the image decides."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """What a part of the image chose, the whole image where it is not cut into patches."""

    row: int
    column: int
    size: tuple[int, int]
    complexity: float
    image_bits: int
    feature_average_bits: float
    counted_feature_average_bits: float
    cycles: int
    energy_uj: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What an image costs that chooses a variant. Costs are None where they were not worked out."""

    image_bits: int
    share: float
    feature_average_bits: float
    counted_feature_average_bits: float
    requantization_bytes: int
    cycles: int | None
    energy_uj: float | None
    dram_read_bytes: int | None
    dram_write_bytes: int | None
    sram_peak_kib: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Adaptive:
    """The bits that the image decides."""

    counted_feature_average_bits: float
    thresholds: tuple[float, float]
    front_end_cycles: int
    front_end_energy_uj: float
    weight_bytes: int
    patches: tuple[Patch, ...] | None
    variants: tuple[Variant, ...]
