"""What differs between runs: settings, totals, and layers, those that matter most first."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hwsim.report.recorded_run import RecordedRun
from hwsim.report.result import Layer, Result

Json = dict[str, Any]
Number = int | float

SETTINGS: dict[str, Callable[[Result], object]] = {
    "network": lambda result: result.network,
    "method": lambda result: result.method,
    "policy": lambda result: result.policy,
    "accelerator": lambda result: result.accelerator,
    "objective": lambda result: result.objective,
    "fusion": lambda result: result.fusion,
    "energy_table": lambda result: result.energy_table,
    "input_size": lambda result: list(result.input_size),
    "output_size": lambda result: list(result.output_size),
}
"""What a run was asked for, by key of the result."""

FIGURES: dict[str, Callable[[Result], Number | None]] = {
    "energy_uj": lambda result: result.energy_uj,
    "latency_ms": lambda result: result.latency_ms,
    "cycles": lambda result: result.cycles,
    "macs": lambda result: result.macs,
    "mac_utilization": lambda result: result.mac_utilization,
    "dram_read_bytes": lambda result: result.dram_read_bytes,
    "dram_write_bytes": lambda result: result.dram_write_bytes,
    "sram_peak_kib": lambda result: result.sram_peak_kib,
    "area_mm2": lambda result: result.area_mm2,
    "gate_equivalents": lambda result: result.gate_equivalents,
    "weight_average_bits": lambda result: result.weight_average_bits,
    "feature_average_bits": lambda result: result.feature_average_bits,
    "psnr_db": lambda result: result.psnr_db,
    "ssim": lambda result: result.ssim,
}
"""What came of it, by key of the result."""

WITHOUT_RATIO = frozenset({"psnr_db", "ssim", "mac_utilization"})
"""Decibels and shares: their differences say something, their ratios do not."""


@dataclass(frozen=True, slots=True)
class TimedLayer:
    """A layer of one run.

    Attributes:
        layer: its figures.
        latency_ms: its cycles at that run's clock.
    """

    layer: Layer
    latency_ms: float


LAYER_FIGURES: dict[str, Callable[[TimedLayer], Number | None]] = {
    "energy_uj": lambda timed: timed.layer.energy_uj,
    "latency_ms": lambda timed: timed.latency_ms,
    "cycles": lambda timed: timed.layer.cycles,
    "dram_bytes": lambda timed: timed.layer.dram_bytes,
    "weight_bits": lambda timed: timed.layer.weight_bits,
    "activation_bits": lambda timed: timed.layer.activation_bits,
}
"""What is compared of layers, by key of results."""


IMPORTANCE = (
    "Layers differ by the greatest change of their energy or time, as a share of the first run's."
)
"""`LayerDifference.importance` in a sentence."""


@dataclass(frozen=True, slots=True, eq=False)
class NamedRun:
    """A run among others.

    Attributes:
        name: what it is called here; no two are called the same.
        path: where it was read.
        recorded: the run.
    """

    name: str
    path: str
    recorded: RecordedRun

    @property
    def result(self) -> Result:
        """Its figures."""
        return self.recorded.result


@dataclass(frozen=True, slots=True)
class LayerDifference:
    """A layer in every run.

    Attributes:
        name: what it is called in all of them.
        layers: its figures in each run; None where a run has no layer of that name.
        importance: how much it differs from the first run: the greatest change of its energy or its
            time in any other, as a share of the first run's total.
    """

    name: str
    layers: tuple[TimedLayer | None, ...]
    importance: float

    def values(self, key: str) -> list[Number | None]:
        """One of `LAYER_FIGURES` in each run."""
        figure = LAYER_FIGURES[key]
        return [None if layer is None else figure(layer) for layer in self.layers]


@dataclass(frozen=True, slots=True, eq=False)
class RunComparison:
    """Runs side by side; the others are compared with the first.

    Attributes:
        runs: two or more.
    """

    runs: tuple[NamedRun, ...]

    @property
    def base(self) -> Result:
        """Of the first run."""
        return self.runs[0].result

    def settings(self) -> dict[str, list[object]]:
        """Every setting in each run."""
        return {key: [of(run.result) for run in self.runs] for key, of in SETTINGS.items()}

    def differing(self) -> list[str]:
        """The settings that are not the same in all runs."""
        return [
            key for key, values in self.settings().items() if values.count(values[0]) < len(values)
        ]

    def totals(self) -> dict[str, list[Number | None]]:
        """Every figure in each run; None where a run has none."""
        return {key: [of(run.result) for run in self.runs] for key, of in FIGURES.items()}

    def ratios(self, key: str) -> list[float | None]:
        """A figure in each run over that of the first; None where that says nothing."""
        values = self.totals()[key]
        base = values[0]
        if key in WITHOUT_RATIO or not base:
            return [None] * len(values)
        return [None if value is None else value / base for value in values]

    def components(self) -> dict[str, list[float]]:
        """Energy by component in each run, in microjoules."""
        parts = [run.result.energy_by_component_uj for run in self.runs]
        names = dict.fromkeys(name for part in parts for name in part)
        return {name: [part.get(name, 0.0) for part in parts] for name in names}

    def layers(self) -> list[LayerDifference]:
        """Every layer of any run, the one that differs most first."""
        named = [_timed(run.result) for run in self.runs]
        names = dict.fromkeys(name for layers in named for name in layers)
        found = [
            self._difference(name, tuple(layers.get(name) for layers in named)) for name in names
        ]
        return sorted(found, key=lambda each: -each.importance)

    def _difference(self, name: str, layers: tuple[TimedLayer | None, ...]) -> LayerDifference:
        energy_uj = [0.0 if timed is None else timed.layer.energy_uj for timed in layers]
        latency_ms = [0.0 if timed is None else timed.latency_ms for timed in layers]
        importance = max(
            _greatest_change(energy_uj, self.base.energy_uj),
            _greatest_change(latency_ms, self.base.latency_ms),
        )
        return LayerDifference(name, layers, importance)

    def to_json(self) -> str:
        """Everything that is compared, as one JSON object."""
        record: Json = {
            "runs": [{"name": run.name, "path": run.path} for run in self.runs],
            "differing": self.differing(),
            "settings": self.settings(),
            "totals": {
                key: {"values": values, "ratios": self.ratios(key)}
                for key, values in self.totals().items()
            },
            "energy_by_component_uj": self.components(),
            "layers": [
                {
                    "name": each.name,
                    "importance": each.importance,
                    **{key: each.values(key) for key in LAYER_FIGURES},
                }
                for each in self.layers()
            ],
        }
        return json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)


def _timed(result: Result) -> dict[str, TimedLayer]:
    """The layers of a run by name; launching is no layer's."""
    running_ms = result.latency_ms - result.launch_overhead_ms
    per_cycle = running_ms / result.cycles if result.cycles else 0.0
    return {layer.name: TimedLayer(layer, layer.cycles * per_cycle) for layer in result.layers}


def _greatest_change(values: Sequence[Number], whole: Number) -> float:
    """The greatest difference from the first, as a share of a whole."""
    change = max(abs(value - values[0]) for value in values)
    return change / whole if whole else 0.0
