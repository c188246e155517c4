"""DRAM traffic of EDSR-baseline x2 by bit-width and SRAM size, layer by layer and in cascades.

Run: python -m benchmarks.bits_and_sram [--out FOLDER]

Only widths and shapes count, so the network has random weights. Prints the table of
docs/results/bits_and_sram.md and, with --out, draws its picture.
"""

import argparse
from pathlib import Path

from accelerators import Accelerator, load_accelerator, resized
from hwsim.schedule.plan import plan_network
from hwsim.schedule.shapes import Memory
from quant.graph import Graph, Size
from tests.edsr_graphs import edsr_graph

IMAGE = Size(540, 960)
SRAM_KIB = (128, 256, 512, 1024, 2048, 4096, 8192)
BITS = (8, 6, 4, 3, 2)
MEGABYTE = 1e6


def traffic_mb(graph: Graph, machine: Accelerator) -> float:
    """Megabytes one image moves over the DRAM bus."""
    plans = plan_network(graph, machine, IMAGE, Memory())
    return sum(plan.traffic_bytes for plan in plans) / MEGABYTE


def measured() -> dict[int, tuple[float, dict[int, float]]]:
    """By bits: layer by layer at 512 KiB, and in cascades by SRAM size; megabytes."""
    base = load_accelerator("edge_npu")
    found = {}
    for bits in BITS:
        graph = edsr_graph(16, 64, 2, (bits, bits), residual_bits=bits)
        alone = traffic_mb(graph, resized(base, objective="dram", fusion=False))
        together = {
            size: traffic_mb(graph, resized(base, sram_kib=size, objective="dram"))
            for size in SRAM_KIB
        }
        found[bits] = alone, together
    return found


def print_table(found: dict[int, tuple[float, dict[int, float]]]) -> None:
    """As Markdown: a row for each width."""
    print("| bits | layer by layer, 512 KiB |" + "".join(f" {size} KiB |" for size in SRAM_KIB))
    print("|---|---|" + "---|" * len(SRAM_KIB))
    for bits, (alone, together) in found.items():
        cells = "".join(f" {together[size]:.0f} |" for size in SRAM_KIB)
        print(f"| w{bits}a{bits} | {alone:.0f} |{cells}")


def draw(found: dict[int, tuple[float, dict[int, float]]], file: Path) -> None:
    """A line for each width over the SRAM size, both axes logarithmic."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.2), layout="constrained")
    for bits, (_, together) in found.items():
        axes.plot(list(together), list(together.values()), marker="o", label=f"{bits} bits")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(SRAM_KIB, [str(size) for size in SRAM_KIB])
    axes.set_xlabel("SRAM, KiB")
    axes.set_ylabel("DRAM traffic of one image, MB")
    axes.set_title(f"EDSR-baseline ×2, {IMAGE.width}×{IMAGE.height} to twice that, in cascades")
    axes.grid(which="both", alpha=0.3)
    axes.legend()
    figure.savefig(file, dpi=120)


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    folder = parser.parse_args().out
    found = measured()
    print_table(found)
    if folder is not None:
        draw(found, folder / "bits_and_sram.png")


if __name__ == "__main__":
    main()
