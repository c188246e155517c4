"""Energy of a multiply-accumulate by width and kind of datapath, from synthesis, beside the tables.

Run: python -m benchmarks.energy_per_mac [--points FILE] [--activity] [--out FOLDER]

Reads the points that `hwsim calibrate` writes (those that come with the program without --points)
and prints the tables of docs/results/energy_per_mac.md; with --out it draws their picture.
--activity adds how the toggle model of docs/activity.md does on the same operands, which runs a
network.
"""

import argparse
import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import numpy as np

from accelerators import Action, EnergyModel, load_accelerator, load_energy_table
from accelerators.activity import HELD, Operand, data_pj, toggle_ratio
from accelerators.catalog import load_datapath_factors
from accelerators.mac_energy import MacParts
from hwsim.activity import LayerSwitching, measure_switching
from quant.imaging import bicubic_downscale, sample_photograph
from quant.imaging.samples import DEFAULT_SAMPLE

POINTS = Path(__file__).parents[1] / "configs/energy_tables/datapaths/osu018.csv"
TABLES = ("horowitz45", "accelergy45", "bitfusion45", "synth45", "synth45_osu018")
WIDTHS = (1, 2, 3, 4, 5, 6, 8, 12, 16)
ANCHOR_PJ = 0.3
"""Of an 8 x 8 multiply-accumulate at 45 nm, as in `synth45_osu018`."""

KINDS = {
    "output_stationary": "output-stationary",
    "weight_stationary": "weight-stationary",
    "input_stationary": "input-stationary",
    "activation_serial": "activation-serial",
    "weight_serial": "weight-serial",
    "bit_serial": "bit-serial",
    "composable": "composable",
    "shift_add": "shift-and-add",
}
GUARD_BITS = 12


@dataclass(frozen=True, slots=True)
class Point:
    """A line of the points: see docs/synthesis.md."""

    datapath: str
    weight_bits: int
    activation_bits: int
    operands: str
    area_ge: float
    flip_flops: int
    settled_pj: float
    calibrated_pj: float
    delayed_pj: float
    clock_pj: float


def read_points(path: Path) -> list[Point]:
    """All lines of the points."""
    with path.open(newline="") as file:
        return [
            Point(
                line["datapath"],
                int(line["weight_bits"]),
                int(line["activation_bits"]),
                line["operands"],
                float(line["area_ge"]),
                int(line["flip_flops"]),
                *(
                    float(line[f"{way}_pj"])
                    for way in ("settled", "calibrated", "delayed", "clock")
                ),
            )
            for line in csv.DictReader(file)
        ]


class Points:
    """Points by what they are of, as pJ of a multiply-accumulate at the anchor."""

    def __init__(self, points: Iterable[Point]) -> None:
        self.all = list(points)
        self._by_key = {
            (point.datapath, point.weight_bits, point.activation_bits, point.operands): point
            for point in self.all
        }
        reference = self.point("output_stationary", 8, 8)
        assert reference is not None
        self.reference_pj = reference.delayed_pj

    def point(
        self, kind: str, weight_bits: int, activation_bits: int, operands: str = "random"
    ) -> Point | None:
        """One point, if it was measured."""
        return self._by_key.get((kind, weight_bits, activation_bits, operands))

    def mac(self, kind: str, bits: int, operands: str = "random") -> tuple[Point, int] | None:
        """The point behind products of two widths alike, and how often a product takes it.

        A product of shift-and-add takes a term for every two bits of the weight.
        """
        if kind != "shift_add":
            point = self.point(kind, bits, bits, operands)
            return None if point is None else (point, 1)
        if bits not in (2, 4, 8, 16):
            return None
        point = self.point(kind, bits.bit_length(), bits, operands)
        return None if point is None else (point, bits // 2)

    def mac_pj(self, kind: str, bits: int, operands: str = "random") -> float | None:
        """A multiply-accumulate of two widths alike, if it was measured."""
        found = self.mac(kind, bits, operands)
        if found is None:
            return None
        point, times = found
        return ANCHOR_PJ * times * point.delayed_pj / self.reference_pj


def cell(value: float | None, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}g}"


def row(title: str, cells: Iterable[str]) -> None:
    print(f"| {title} | " + " | ".join(cells) + " |")


def head(title: str, columns: Sequence[object]) -> None:
    row(title, map(str, columns))
    print("|---|" + "---|" * len(columns))


def print_energies(points: Points, operands: str) -> None:
    head(f"pJ, {operands} operands", [f"w{bits}a{bits}" for bits in WIDTHS])
    for kind, name in KINDS.items():
        row(name, (cell(points.mac_pj(kind, bits, operands)) for bits in WIDTHS))
    print()


def print_ratios(points: Points) -> None:
    head("recorded / random", [f"w{bits}a{bits}" for bits in WIDTHS])
    for kind, name in KINDS.items():
        ratios = []
        for bits in WIDTHS:
            found = [points.mac_pj(kind, bits, operands) for operands in ("recorded", "random")]
            ratios.append(None if None in found else found[0] / found[1])  # type: ignore[operator]
        row(name, (cell(ratio, 2) for ratio in ratios))
    print()


def table_pj(name: str, kind: str, bits: int) -> float:
    """A multiply-accumulate and its element's clock on a machine of just these widths."""
    changes = {
        "array.dataflow": kind,
        "array.weight_bits": bits,
        "array.activation_bits": bits,
        "array.accumulator_bits": 2 * bits + GUARD_BITS,
    }
    model = EnergyModel(load_accelerator("edge_npu", changes), load_energy_table(name))
    return model.mac_pj(kind, bits, bits) + model.energy_pj(Action("mac_array", "clock"))


def print_tables(points: Points, kind: str) -> None:
    head(f"{KINDS[kind]}, pJ", [f"w{bits}a{bits}" for bits in WIDTHS])
    for name in TABLES:
        row(f"`{name}`", (cell(table_pj(name, kind, bits)) for bits in WIDTHS))
    for operands in ("random", "recorded"):
        row(f"gates, {operands}", (cell(points.mac_pj(kind, bits, operands)) for bits in WIDTHS))
    print()


def print_relative(points: Points) -> None:
    """What each table says of 8 x 8 alone, so that only shapes are compared."""
    kind = "output_stationary"
    head("relative to 8 × 8", [f"w{bits}a{bits}" for bits in WIDTHS])
    for name in TABLES:
        whole = table_pj(name, kind, 8)
        row(f"`{name}`", (cell(table_pj(name, kind, bits) / whole) for bits in WIDTHS))
    random = [points.mac_pj(kind, bits) for bits in WIDTHS]
    row("gates, random", (cell(None if pj is None else pj / ANCHOR_PJ) for pj in random))
    print()


def print_studies(points: Points) -> None:
    """This study's figures relative to its 8 x 8 unit, beside those of the other one."""
    other = load_datapath_factors("nangate45")
    widths = (2, 4, 8)
    head(
        "relative energy", [f"{name} {bits}" for bits in widths for name in ("osu018", "nangate45")]
    )
    for kind, name in KINDS.items():
        cells = []
        for bits in widths:
            found = points.mac(kind, bits)
            ours = None if found is None else found[1] * found[0].delayed_pj / points.reference_pj
            cells.append(cell(ours, 2))
            term = (bits.bit_length(), bits // 2) if kind == "shift_add" else (bits, 1)
            cells.append(cell(term[1] * other.relative(kind, term[0], bits), 2))
        row(name, cells)
    print()


def print_glitches(points: Points) -> None:
    """What counting of toggles makes of 8 x 8 bits."""
    head(
        "8 × 8, random, study's pJ",
        ["settled", "calibrated", "delays", "clock of it", "flip-flops", "area, GE"],
    )
    for kind, name in KINDS.items():
        found = points.mac(kind, 8)
        if found is None:
            continue
        point, times = found
        energies = (point.settled_pj, point.calibrated_pj, point.delayed_pj, point.clock_pj)
        cells = [cell(times * energy) for energy in energies]
        row(name, [*cells, str(point.flip_flops), f"{point.area_ge:.0f}"])
    print()


def print_other_units(points: Points) -> None:
    head("unit, operands", ["study's pJ", "of 8 × 8 units", "area, GE", "flip-flops"])
    for point in points.all:
        if point.datapath not in KINDS:
            title = (
                f"{point.datapath} {point.weight_bits} × {point.activation_bits}, {point.operands}"
            )
            relative = point.delayed_pj / points.reference_pj
            row(
                title,
                [
                    cell(point.delayed_pj),
                    cell(relative),
                    f"{point.area_ge:.0f}",
                    str(point.flip_flops),
                ],
            )
    print()


def activity_errors(points: Points) -> list[tuple[str, int, float, float, float]]:
    """Kind, bits, and of random operands' energy: what gates spend and what the model says."""
    from examples.subject import fixed_graph, load_subject
    from quant.policy import BitPolicy

    subject = load_subject("edsr_tiny_x2")
    image = bicubic_downscale(sample_photograph(DEFAULT_SAMPLE), 2).astype(np.int32)
    factors = load_datapath_factors("osu018")
    found = []
    for kind in HELD:
        machine = load_accelerator("edge_npu", {"array.dataflow": kind, **_entries(kind)})
        for bits in (2, 4, 8):
            graph = fixed_graph(subject, BitPolicy.load(f"w{bits}a{bits}"))
            switching = measure_switching(graph, machine, image)
            layers = [
                layer
                for layer in switching.values()
                if layer.activation_bits == layer.weight_bits == bits
            ]
            ratios = [toggle_ratio(kind, *_operands(layer)) for layer in layers]
            energy = factors.of(kind)
            whole, static = energy.at_pj(bits, bits), energy.static_pj(bits, bits)
            model = mean(data_pj(MacParts(whole, static), ratio) for ratio in ratios) / whole
            random, recorded = (
                points.mac_pj(kind, bits, operands) for operands in ("random", "recorded")
            )
            assert random is not None
            assert recorded is not None
            found.append((kind, bits, recorded / random, model, mean(ratios)))
    return found


def _entries(kind: str) -> dict[str, int]:
    return {} if kind == "output_stationary" else {"array.accumulator_entries": 1024}


def _operands(layer: LayerSwitching) -> tuple[Operand, Operand]:
    return (
        Operand(layer.weight_bits, layer.weights.hamming, layer.weights.nonzero_rate),
        Operand(layer.activation_bits, layer.activations.hamming, layer.activations.nonzero_rate),
    )


def print_activity(points: Points) -> None:
    head("energy of random operands'", ["gates", "toggle model", "error, %", "its toggles"])
    for kind, bits, gates, model, toggles in activity_errors(points):
        error = 100 * (model / gates - 1)
        row(
            f"{KINDS[kind]} w{bits}a{bits}",
            [cell(gates), cell(model), f"{error:.0f}", cell(toggles)],
        )
    print()


def draw(points: Points, path: Path) -> None:
    """Energies over the width: random operands, recorded ones, and the tables beside the gates."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, 3, figsize=(15, 5), sharey=True, layout="constrained")
    for panel, operands in zip(panels, ("random", "recorded"), strict=False):
        for kind, name in KINDS.items():
            found = [(bits, points.mac_pj(kind, bits, operands)) for bits in range(1, 17)]
            drawn = [(bits, energy_pj) for bits, energy_pj in found if energy_pj is not None]
            panel.plot(*zip(*drawn, strict=True), marker="o", markersize=3, label=name)
        panel.set_title(f"Verilog on gates, {operands} operands")
    for name in TABLES:
        energies = [table_pj(name, "output_stationary", bits) for bits in WIDTHS]
        panels[2].plot(WIDTHS, energies, linestyle="--", label=name)
    for operands in ("random", "recorded"):
        found = [
            (bits, points.mac_pj("output_stationary", bits, operands)) for bits in range(1, 17)
        ]
        drawn = [(bits, energy_pj) for bits, energy_pj in found if energy_pj is not None]
        panels[2].plot(
            *zip(*drawn, strict=True), marker="o", markersize=3, label=f"gates, {operands}"
        )
    panels[2].set_title("Output-stationary, beside the tables")
    for panel in panels:
        panel.set_xscale("log", base=2)
        panel.set_yscale("log")
        panel.set_xticks((1, 2, 4, 8, 16), labels=("1", "2", "4", "8", "16"))
        panel.set_xlim(0.9, 18)
        panel.set_xlabel("bits of both operands")
        panel.grid(alpha=0.3)
        panel.legend(fontsize=8)
    panels[0].set_ylabel("pJ of a multiply-accumulate, 8 × 8 = 0.3 pJ")
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=Path, default=POINTS)
    parser.add_argument("--activity", action="store_true")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    points = Points(read_points(arguments.points))
    for operands in ("random", "recorded"):
        print_energies(points, operands)
    print_ratios(points)
    for kind in ("output_stationary", "weight_stationary"):
        print_tables(points, kind)
    print_relative(points)
    print_studies(points)
    print_glitches(points)
    print_other_units(points)
    if arguments.activity:
        print_activity(points)
    if arguments.out is not None:
        draw(points, arguments.out / "energy_per_mac.png")


if __name__ == "__main__":
    main()
