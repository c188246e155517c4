"""What bounds each layer, as a part of the result: the same keys in Python, JSON and documents."""

from collections.abc import Mapping
from dataclasses import dataclass

from hwsim.cost.explanation import (
    CAUSES,
    Explanation,
    GroupExplanation,
    LayerExplanation,
    Roofline,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedLayer:
    """Where the cycles of a layer went."""

    name: str
    macs: int
    cycles: int
    bound: str
    cycles_by_cause: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RooflineRecord:
    """What bounds a group where only the array's peak and the DRAM's bandwidth count."""

    bound: str
    macs_per_byte: float | None
    ridge_macs_per_byte: float
    peak_macs_per_cycle: float
    attainable_macs_per_cycle: float
    achieved_macs_per_cycle: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedGroup:
    """What bounds operators that are executed together, and the memory they need."""

    name: str
    cascade: int
    cycles: int
    roofline: RooflineRecord | None
    sram_reserved_bytes: int
    sram_live_bytes: int
    sram_live_samples_bytes: tuple[int, ...]
    dram_live_bytes: int
    layers: tuple[ExplainedLayer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplanationRecord:
    """What bounds an image on a machine."""

    bound: str
    cycles_by_cause: Mapping[str, float]
    peak_macs_per_cycle: float
    dram_bytes_per_cycle: float
    sram_bytes: int
    constant_bytes: int
    groups: tuple[ExplainedGroup, ...]


def explanation_record(explanation: Explanation) -> ExplanationRecord:
    """The record of an explanation."""
    total = explanation.total
    return ExplanationRecord(
        bound=total.bound,
        cycles_by_cause=_cycles_by_cause(total),
        peak_macs_per_cycle=float(explanation.peak_macs_per_cycle),
        dram_bytes_per_cycle=float(explanation.dram_bytes_per_cycle),
        sram_bytes=explanation.sram_bytes,
        constant_bytes=explanation.constant_bytes,
        groups=tuple(_group(number, group) for number, group in enumerate(explanation.groups)),
    )


def _group(number: int, group: GroupExplanation) -> ExplainedGroup:
    return ExplainedGroup(
        name=group.name,
        cascade=number,
        cycles=group.cycles,
        roofline=None if group.roofline is None else _roofline(group.roofline),
        sram_reserved_bytes=group.sram_reserved_bytes,
        sram_live_bytes=group.sram.peak_bytes,
        sram_live_samples_bytes=group.sram.samples_bytes,
        dram_live_bytes=group.dram_live_bytes,
        layers=tuple(_layer(layer) for layer in group.layers),
    )


def _roofline(roofline: Roofline) -> RooflineRecord:
    return RooflineRecord(
        bound=roofline.bound,
        macs_per_byte=roofline.macs_per_byte,
        ridge_macs_per_byte=roofline.ridge_macs_per_byte,
        peak_macs_per_cycle=float(roofline.peak_macs_per_cycle),
        attainable_macs_per_cycle=roofline.attainable_macs_per_cycle,
        achieved_macs_per_cycle=roofline.achieved_macs_per_cycle,
    )


def _layer(layer: LayerExplanation) -> ExplainedLayer:
    return ExplainedLayer(
        name=layer.name,
        macs=layer.macs,
        cycles=layer.cycles,
        bound=layer.bound,
        cycles_by_cause=_cycles_by_cause(layer),
    )


def _cycles_by_cause(layer: LayerExplanation) -> Mapping[str, float]:
    return {cause: float(layer.parts[cause]) for cause in CAUSES}
