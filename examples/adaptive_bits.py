"""Do bits that each image chooses pay, on bit-parallel, bit-serial and composable arrays?

    python -m examples.adaptive_bits --data Set14

AdaBM makes three variants of a network, with one bit less, none and one more in every adaptive
layer, and lets each picture choose. The control is the same three variants, chosen as often but
without looking at the picture: its quality is the mean over pictures and shares, and it needs no
front end. What adaptivity gains in quality, and what its front end costs, are the differences.
Pictures choose as a whole, or in patches. Prints the tables of docs/results/adaptive_bits.md.
"""

import argparse
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accelerators import EnergyModel, load_accelerator
from examples.subject import held_out, load_subject, priced
from hwsim.adaptive import front_end, select_layerwise
from hwsim.compare.pictures import JudgedPicture
from hwsim.estimation import Estimator
from hwsim.machine import KERNELS, run_layerwise
from hwsim.simulation import estimate
from quant.graph import Size
from quant.graph.adaptive import OFFSETS, AdaptiveGraph
from quant.graph.bits import feature_average_bits
from quant.imaging import luma_psnr_db
from quant.imaging.evaluation import Place, patches
from quant.policy import BitPolicy

MACHINES = ("edge_npu", "edge_sr_npu", "bit_fusion")
IMAGE = Size(180, 320)
"""What costs are counted for."""
PATCH_PIXELS = 96

Cost = tuple[float, float]
"""Millijoules and milliseconds of an image."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What pictures, or patches of them, chose, and what came of it.

    Attributes:
        name: of the pieces that choose.
        shares: of the pixels, by variant.
        adaptive_db: luma PSNR where each piece has what it chose, mean over pictures.
        fixed_db: the same where all have one variant, by variant.
    """

    name: str
    shares: tuple[float, ...]
    adaptive_db: float
    fixed_db: tuple[float, ...]

    @property
    def blind_db(self) -> float:
        """Quality of the shares without a look at the picture."""
        return math.fsum(s * db for s, db in zip(self.shares, self.fixed_db, strict=True))


def pieces(picture: JudgedPicture, side: int | None) -> Iterator[Place]:
    """A picture whole, or in squares of which the last ones take the rest."""
    height, width = picture.low.shape[:2]
    if side is None:
        yield slice(0, height), slice(0, width)
    else:
        yield from patches(height, width, side)


def chosen(adaptive: AdaptiveGraph, pictures: Sequence[JudgedPicture], side: int | None) -> Choices:
    """Let pieces choose, and compute every piece under every variant."""
    pixels: Counter[int] = Counter()
    adaptive_db = []
    fixed_db: list[list[float]] = [[] for _ in adaptive.variants]
    for picture in pictures:
        scale = picture.high.shape[0] // picture.low.shape[0]
        own: NDArray[np.uint8] = np.empty_like(picture.high)
        by_variant = [np.empty_like(picture.high) for _ in adaptive.variants]
        for rows, columns in pieces(picture, side):
            codes = picture.low[rows, columns].astype(np.int32)
            place = (
                slice(rows.start * scale, rows.stop * scale),
                slice(columns.start * scale, columns.stop * scale),
            )
            choice = select_layerwise(adaptive, codes, KERNELS).variant
            pixels[choice] += codes.shape[0] * codes.shape[1]
            for whole, graph in zip(by_variant, adaptive.variants, strict=True):
                whole[place] = run_layerwise(graph, codes, KERNELS)
            own[place] = by_variant[choice][place]
        adaptive_db.append(luma_psnr_db(picture.high, own, scale))
        for decibels, whole in zip(fixed_db, by_variant, strict=True):
            decibels.append(luma_psnr_db(picture.high, whole, scale))
    total = sum(pixels.values())
    return Choices(
        "whole pictures" if side is None else f"patches of {side}",
        tuple(pixels[variant] / total for variant in range(len(OFFSETS))),
        math.fsum(adaptive_db) / len(pictures),
        tuple(math.fsum(decibels) / len(pictures) for decibels in fixed_db),
    )


def costs(adaptive: AdaptiveGraph, energy: EnergyModel) -> list[Cost]:
    """Millijoules and milliseconds of one image: each variant's, then the front end's."""
    estimator = Estimator(energy.accelerator, energy)
    found = [estimator.cost(graph, IMAGE) for graph in adaptive.variants]
    selector = estimate(adaptive.selector, energy.accelerator, energy, IMAGE)
    found.append(front_end(selector, energy.accelerator, energy))
    return [(cost.energy_uj / 1000, cost.latency_ms) for cost in found]


def expected_cost(shares: Sequence[float], variants: Sequence[Cost], front: Cost) -> Cost:
    """What an image costs on average that chooses in these shares."""
    means = np.asarray(shares) @ np.asarray(variants) + np.asarray(front)
    return float(means[0]), float(means[1])


def main() -> None:
    """Print the study's tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", default="edsr_baseline_x2")
    parser.add_argument("--method", default="adabm")
    parser.add_argument("--bits", nargs="+", default=["w4a4", "w6a6"])
    parser.add_argument("--data", type=Path, help="folder of high-resolution pictures")
    arguments = parser.parse_args()

    subject = load_subject(arguments.network, arguments.method)
    pictures = held_out(arguments.data, subject.scale)
    for bits in arguments.bits:
        adaptive = subject.quantize(BitPolicy.parse(bits))
        assert isinstance(adaptive, AdaptiveGraph)
        averages = [feature_average_bits(graph) for graph in adaptive.variants]
        print(f"{arguments.network}, base {bits}, mean bits {averages}")
        print(
            "| who chooses | shares −1, 0, +1 | −1, dB | 0, dB | +1, dB | chosen, dB | blind, dB "
            "| gain, dB |\n|---|---|---|---|---|---|---|---|"
        )
        made = [chosen(adaptive, pictures, side) for side in (None, PATCH_PIXELS)]
        for each in made:
            shares = ", ".join(f"{share:.0%}" for share in each.shares)
            fixed = " | ".join(f"{decibels:.3f}" for decibels in each.fixed_db)
            print(
                f"| {each.name} | {shares} | {fixed} | {each.adaptive_db:.3f} "
                f"| {each.blind_db:.3f} | {each.adaptive_db - each.blind_db:+.3f} |",
                flush=True,
            )
        print(
            "| machine | −1, mJ, ms | 0 | +1 | front end | chosen, whole pictures | patches |\n"
            "|---|---|---|---|---|---|---|"
        )
        for name in MACHINES:
            found = costs(adaptive, priced(load_accelerator(name)))
            *variants, front = found
            means = [expected_cost(each.shares, variants, front) for each in made]
            row = " | ".join(f"{mj:.2f}, {ms:.2f}" for mj, ms in (*found, *means))
            print(f"| {name} | {row} |", flush=True)


if __name__ == "__main__":
    main()
