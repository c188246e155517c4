"""The result of a run for people: the figures first, then what costs most, then the files."""

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from hwsim.report.activity import activity_sentence
from hwsim.report.adaptive import Adaptive
from hwsim.report.console import stdout_console
from hwsim.report.energy_band import band_sentence
from hwsim.report.labels import component_label, subject_label
from hwsim.report.overflows import overflow_sentence
from hwsim.report.result import BYTES_PER_KIB, BitExact, Result

_WORST_LAYERS = 3
_NARROWEST_VALUE = 20
_BYTES_PER_MIB = BYTES_PER_KIB * BYTES_PER_KIB


def print_summary(result: Result, files: Sequence[Path] = ()) -> None:
    """Print a result to stdout.

    Args:
        result: the result.
        files: what was written, to be pointed at.
    """
    console = stdout_console()
    console.print(Text(headline(result), style="bold"))
    for name, value in figure_lines(result):
        console.print(Text(_hanging(f"  {name:<20}", value, console.width)))
    console.print(_worst_layers(result))
    for line in closing_lines(result, files):
        console.print(Text(line))


def headline(result: Result) -> str:
    """What ran on what, and the sizes of image and picture."""
    (height, width), (out_height, out_width) = result.input_size, result.output_size
    return f"{subject_label(result)}, {height}×{width} → {out_height}×{out_width} pixels"


def _hanging(name: str, value: str, width: int) -> str:
    """A name and its value, whose further lines, if it needs any, stand below the first."""
    lines = textwrap.wrap(value, max(width - len(name), _NARROWEST_VALUE))
    return name + f"\n{' ' * len(name)}".join(lines)


def figure_lines(result: Result) -> list[tuple[str, str]]:
    """Names and values of the figures there are, in words."""
    rows = [
        ("energy per image", f"{result.energy_uj:,.1f} µJ  ({_shares(result)})"),
        (
            "latency",
            f"{result.latency_ms:,.3f} ms  ({result.cycles:,} cycles, "
            f"{result.frames_per_second:,.1f} images per second)",
        ),
        *_launch(result),
        (
            "array utilization",
            f"{result.mac_utilization:.1%} of the multiply-accumulate slots "
            f"({result.macs / 1e9:,.3f} billion MACs)",
        ),
        ("peak SRAM", f"{result.sram_peak_kib:,.1f} KiB"),
        (
            "DRAM traffic",
            f"{result.dram_read_bytes / _BYTES_PER_MIB:,.2f} MiB read, "
            f"{result.dram_write_bytes / _BYTES_PER_MIB:,.2f} MiB written",
        ),
        (
            "average bits",
            f"{result.weight_average_bits:.2f} weights, {result.feature_average_bits:.2f} features",
        ),
    ]
    if result.area_mm2 is not None:
        rows.append(("area", _area(result)))
    if result.energy_band is not None:
        rows.insert(1, ("under all tables", band_sentence(result.energy_band)))
    if result.activity is not None:
        rows.insert(1, ("with its own data", activity_sentence(result.activity)))
    if result.adaptive is not None:
        rows += _adaptive(result.adaptive)
    if result.psnr_db is not None:
        rows.append(("quality", _quality(result)))
    if result.bit_exact is not None:
        rows.append(("bit-exact", _bit_exact(result.bit_exact)))
    if result.overflows is not None:
        rows.append(("overflows", overflow_sentence(result.overflows)))
    return rows


def _area(result: Result) -> str:
    parts = {name: mm2 for name, mm2 in result.area_by_component_mm2.items() if mm2 is not None}
    assert result.area_mm2 is not None
    return f"{result.area_mm2:,.3f} mm²  ({_labelled_shares(parts, result.area_mm2)})"


def _launch(result: Result) -> list[tuple[str, str]]:
    if not result.launch_overhead_ms:
        return []
    share = result.launch_overhead_ms / result.latency_ms
    text = f"{result.launch_overhead_ms:,.3f} ms before the first command, {share:.0%} of latency"
    return [("launch overhead", text)]


def _adaptive(adaptive: Adaptive) -> list[tuple[str, str]]:
    low, high = adaptive.thresholds
    thresholds = f"thresholds {low:.2f} and {high:.2f}"
    if adaptive.patches is None:
        costs = "; ".join(
            f"{part.image_bits:+d} bits: {part.energy_uj:,.1f} µJ, {part.cycles:,} cycles "
            f"({part.share:.0%} of images)"
            for part in adaptive.variants
            if part.energy_uj is not None
        )
        bits = f"expected; {costs}"
    elif len(adaptive.patches) == 1:
        (image,) = adaptive.patches
        bits = f"{image.image_bits:+d} for a complexity of {image.complexity:.2f} ({thresholds})"
    else:
        chosen = Counter(patch.image_bits for patch in adaptive.patches)
        counts = ", ".join(f"{bits:+d}: {count}" for bits, count in sorted(chosen.items()))
        bits = f"{counts} patches ({thresholds})"
    return [
        ("image bits", bits),
        (
            "adaptive layers",
            f"{adaptive.counted_feature_average_bits:.2f} bits; front end "
            f"{adaptive.front_end_energy_uj:,.2f} µJ, {adaptive.front_end_cycles:,} cycles",
        ),
    ]


def _shares(result: Result) -> str:
    return _labelled_shares(result.energy_by_component_uj, result.energy_uj)


def _labelled_shares(parts: Mapping[str, float], total: float) -> str:
    """Components with their shares of a total, the largest first."""
    largest_first = sorted(parts.items(), key=lambda part: -part[1])
    return ", ".join(f"{component_label(name)} {part / total:.0%}" for name, part in largest_first)


def _quality(result: Result) -> str:
    text = f"{result.psnr_db:.2f} dB"
    if result.ssim is not None:
        text += f", SSIM {result.ssim:.4f}"
    others = {"float network": result.psnr_float_db, "bicubic": result.psnr_bicubic_db}
    compared = [f"{name} {value:.2f} dB" for name, value in others.items() if value is not None]
    return f"{text}  ({', '.join(compared)})" if compared else text


def _bit_exact(comparison: BitExact) -> str:
    verdict = "no" if comparison.mismatches else "yes"
    return (
        f"{verdict}: {comparison.mismatches:,} of {comparison.values:,} integers differ from "
        f"the {comparison.reference}, layer by layer"
    )


def _worst_layers(result: Result) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("  most energy")
    for name in ("energy, µJ", "share", "cycles", "array", "DRAM, KiB", "bits w, a"):
        table.add_column(name, justify="right", no_wrap=True)
    worst = sorted(result.layers, key=lambda layer: -layer.energy_uj)[:_WORST_LAYERS]
    for layer in worst:
        bits = f"{'–' if layer.weight_bits is None else layer.weight_bits}, {layer.activation_bits}"
        table.add_row(
            f"  {layer.name}",
            f"{layer.energy_uj:,.1f}",
            f"{layer.energy_uj / result.energy_uj:.0%}",
            f"{layer.cycles:,}",
            f"{layer.mac_utilization:.0%}",
            f"{layer.dram_bytes / BYTES_PER_KIB:,.0f}",
            bits,
        )
    return table


def _written(files: Sequence[Path]) -> str:
    """Names of files in the folder of the first, and paths of others."""
    folder = files[0].parent
    names = (file.relative_to(folder) if file.is_relative_to(folder) else file for file in files)
    return f"written to {folder}: {', '.join(map(str, names))}"


def closing_lines(result: Result, files: Sequence[Path] = ()) -> list[str]:
    """Where files were written, and what the figures are."""
    lines = []
    if files:
        lines.append(_written(files))
    lines.append(
        "Pixels are computed exactly; cycles and energy are modelled, not measured: energy table "
        f"{result.energy_table} ({result.model.technology_nm} nm), which leaves out "
        f"{len(result.model.not_modelled)} things listed under 'model' in the JSON result; the "
        f"area, modelled too, leaves out {len(result.model.area_not_modelled)}."
    )
    lines += [f"{note[0].upper()}{note[1:]}." for note in result.model.notes]
    return lines
