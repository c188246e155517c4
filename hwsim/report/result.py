"""The result of a run or an estimate: one record, the same keys in Python, JSON and documents.

`docs/results-contract.md` defines every key; a test keeps the page and these classes equal.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from accelerators import EnergyModel, area_of
from accelerators.area import AREA_NOT_MODELLED
from hwsim.cost import GroupCost, ProgramCost
from hwsim.report.activity import Activity
from hwsim.report.adaptive import Adaptive
from hwsim.report.energy_band import EnergyBand
from hwsim.report.explanation_record import ExplanationRecord
from hwsim.report.overflows import OverflowRecord, possible_overflows
from hwsim.schedule import Program
from quant.graph import Graph, Size
from quant.graph.adaptive import normalizes_at_run_time
from quant.graph.bits import feature_average_bits, weight_average_bits

BYTES_PER_KIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What one group of operators, executed on the same tiles, costs."""

    name: str
    operator: str
    cascade: int
    weight_bits: int | None
    activation_bits: int
    macs: int
    cycles: int
    energy_uj: float
    dram_bytes: int
    mac_utilization: float
    energy_by_component_uj: Mapping[str, float]
    busy_cycles: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """The picture that came out."""

    path: str | None
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BitExact:
    """How the machine's integers compare with an independent computation of them."""

    reference: str
    values: int
    mismatches: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What the figures for cycles, energy and area rest on."""

    description: str
    technology_nm: int
    notes: tuple[str, ...]
    not_modelled: tuple[str, ...]
    area_notes: tuple[str, ...]
    area_not_modelled: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One image on one accelerator. Fields that depend on pixels are None in an estimate."""

    network: str
    method: str | None
    policy: str | None
    accelerator: str
    objective: str
    fusion: bool
    energy_table: str
    input_size: tuple[int, int]
    output_size: tuple[int, int]
    macs: int
    cycles: int
    latency_ms: float
    launch_overhead_ms: float
    frames_per_second: float
    energy_uj: float
    energy_by_component_uj: Mapping[str, float]
    dram_read_bytes: int
    dram_write_bytes: int
    sram_peak_kib: float
    mac_utilization: float
    area_mm2: float | None
    gate_equivalents: float | None
    area_by_component_mm2: Mapping[str, float | None]
    feature_average_bits: float
    weight_average_bits: float
    psnr_db: float | None = None
    psnr_float_db: float | None = None
    psnr_bicubic_db: float | None = None
    ssim: float | None = None
    output: Output | None = None
    bit_exact: BitExact | None = None
    overflows: OverflowRecord | None = None
    adaptive: Adaptive | None = None
    explanation: ExplanationRecord | None = None
    energy_band: EnergyBand | None = None
    activity: Activity | None = None
    wall_seconds: float = 0.0
    model: Model
    layers: tuple[Layer, ...]

    def to_json(self) -> str:
        """The record as one JSON object; infinities, which JSON lacks, become null."""
        return json.dumps(_finite(asdict(self)), indent=2, ensure_ascii=False, allow_nan=False)

    def _repr_html_(self) -> str:
        """How notebooks show it."""
        from hwsim.report.html import result_html  # which imports this module

        return result_html(self)


def result_from_cost(
    graph: Graph, program: Program, cost: ProgramCost, energy: EnergyModel
) -> Result:
    """All of a result that needs no pixels.

    Args:
        graph: the graph; its metadata names network, method and policy: in a few words under
            ``bits``, else whole under ``policy``.
        program: the graph, scheduled.
        cost: what the program costs.
        energy: the prices it was charged at.
    """
    sizes = program.input.size, program.output.size
    return replace(
        costed(graph, sizes, cost, energy), overflows=possible_overflows(graph, sizes[0])
    )


def costed(
    graph: Graph, sizes: tuple[Size, Size], cost: ProgramCost, energy: EnergyModel
) -> Result:
    """All of a result that follows from a graph, the sizes of image and picture, and a cost."""
    input_size, output_size = sizes
    area = area_of(energy.accelerator, energy.table, normalizes_at_run_time(graph))
    return Result(
        network=graph.metadata.get("network", graph.name),
        method=graph.metadata.get("method"),
        policy=_policy(graph),
        accelerator=energy.accelerator.name,
        objective=energy.accelerator.scheduling.objective,
        fusion=energy.accelerator.scheduling.fusion,
        energy_table=energy.table.name,
        input_size=(input_size.height, input_size.width),
        output_size=(output_size.height, output_size.width),
        macs=cost.macs,
        cycles=cost.cycles,
        latency_ms=cost.latency_ms,
        launch_overhead_ms=cost.launch_overhead_ms,
        frames_per_second=1000 / cost.latency_ms,
        energy_uj=cost.energy_uj,
        energy_by_component_uj=cost.energy_by_component_uj,
        dram_read_bytes=cost.dram_read_bytes,
        dram_write_bytes=cost.dram_write_bytes,
        sram_peak_kib=cost.sram_peak_bytes / BYTES_PER_KIB,
        mac_utilization=cost.mac_utilization,
        area_mm2=area.area_mm2,
        gate_equivalents=area.gate_equivalents,
        area_by_component_mm2=area.by_component_mm2,
        feature_average_bits=feature_average_bits(graph),
        weight_average_bits=weight_average_bits(graph),
        model=Model(
            description=energy.table.description,
            technology_nm=energy.table.technology_nm,
            notes=energy.notes,
            not_modelled=tuple(energy.not_modelled),
            area_notes=area.notes,
            area_not_modelled=AREA_NOT_MODELLED,
        ),
        layers=tuple(_layer(group, cost.mac_slots_per_cycle) for group in cost.groups),
    )


def _policy(graph: Graph) -> str | None:
    text = graph.metadata.get("bits") or graph.metadata.get("policy")
    return text and ", ".join(text.splitlines())


def _layer(cost: GroupCost, mac_slots_per_cycle: float) -> Layer:
    group = cost.group
    slots = cost.cycles * mac_slots_per_cycle
    return Layer(
        name=group.name,
        operator="+".join(group.kinds),
        cascade=group.cascade,
        weight_bits=group.weight_bits,
        activation_bits=group.activation_bits,
        macs=group.macs,
        cycles=cost.cycles,
        energy_uj=cost.energy_uj,
        dram_bytes=cost.dram_bytes,
        mac_utilization=group.macs / slots if slots else 0.0,
        energy_by_component_uj=cost.energy_by_component_uj,
        busy_cycles=cost.busy_cycles,
    )


def _finite(value: object) -> object:
    match value:
        case float() if not math.isfinite(value):
            return None
        case dict():
            return {key: _finite(entry) for key, entry in value.items()}
        case list() | tuple():
            return [_finite(entry) for entry in value]
        case _:
            return value
