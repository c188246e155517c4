"""At equal energy, what do mixed bits gain over the best uniform ones?

    python -m examples.uniform_against_mixed --data Set14 --out runs/uniform_against_mixed

For several uniform policies, the search looks for the most faithful mixed policy that costs no more
energy. Both are judged on pictures that neither calibration nor search has seen, and run on the
simulated machine. Uniform policies are all pairs of widths; those that another one beats in energy
and fidelity are left out. Prints the table of docs/results/uniform_against_mixed.md.
"""

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from accelerators import load_accelerator
from examples.subject import fixed_graph, held_out, load_subject, priced
from hwsim.cli.search_inputs import search_pictures
from hwsim.cli.subject import FloatSubject
from hwsim.compare.pictures import JudgedPicture
from hwsim.estimation import Estimator
from hwsim.machine import KERNELS, run_layerwise
from hwsim.search import LayerRules, Limits, Pictures, SearchRequest, Target, output_mse, search
from hwsim.simulation import compare, simulate
from quant.graph import Graph, Size
from quant.imaging import luma_psnr_db
from quant.policy import BitPolicy, LayerBits

ENDS = LayerBits(8, 8)
"""Of the first and the last layer, in every policy."""


@dataclass(frozen=True, slots=True)
class Uniform:
    """A pair of widths for all layers but the ends.

    Attributes:
        bits: the widths.
        policy: the whole policy.
        energy_uj: of one image of the size asked for.
        mse: on the search pictures, in squared codes.
    """

    bits: LayerBits
    policy: BitPolicy
    energy_uj: float
    mse: float


@dataclass(frozen=True, slots=True)
class Judged:
    """A policy on the held-out pictures.

    Attributes:
        psnr_db: luma PSNR to the originals, mean over pictures.
        to_float_db: PSNR to the float network's output, over all values.
        values: integers of the machine that were compared.
        mismatches: how many of them differ from the graph's.
    """

    psnr_db: float
    to_float_db: float
    values: int
    mismatches: int


def uniform_policies(
    subject: FloatSubject, target: Target, pictures: Pictures, widths: Sequence[int]
) -> list[Uniform]:
    """Every uniform policy that no other beats in energy and error, the cheapest first."""
    estimator = Estimator(target.accelerator, target.energy)
    found = []
    for weight_bits, activation_bits in product(widths, repeat=2):
        bits = LayerBits(weight_bits, activation_bits)
        policy = BitPolicy(bits, ENDS)
        graph = fixed_graph(subject, policy)
        energy_uj = estimator.cost(graph, target.image_size).energy_uj
        found.append(Uniform(bits, policy, energy_uj, output_mse(graph, pictures)))
        print(f"uniform {bits}: {energy_uj:,.0f} uJ, error {found[-1].mse:.4f}", flush=True)
    best: list[Uniform] = []
    for uniform in sorted(found, key=lambda each: (each.energy_uj, each.mse)):
        if not best or uniform.mse < best[-1].mse:
            best.append(uniform)
    return best


def mixed_policy(
    subject: FloatSubject,
    target: Target,
    pictures: Pictures,
    widths: tuple[int, ...],
    energy_uj: float,
    folder: Path,
) -> tuple[BitPolicy, float]:
    """The most faithful mixed policy found that takes no more energy, and what it takes."""
    request = SearchRequest(
        target.image_size,
        widths=widths,
        limits=Limits(max_energy_uj=energy_uj),
        rules=LayerRules(first_and_last=ENDS),
        front_points=2,
        uniform_widths=(),
        run_on_machine=False,
    )
    found = search(request, subject.quantize, pictures, target, folder).recommended()
    return found.policy, found.measured.energy_uj


def judged(
    graph: Graph,
    target: Target,
    pictures: Sequence[JudgedPicture],
    references: Sequence[np.ndarray],
) -> Judged:
    """A graph on pictures: quality of whole pictures, and the smallest run on the machine."""
    encoding = graph.node(graph.output).output.encoding
    squares, size, decibels = 0.0, 0, []
    for picture, reference in zip(pictures, references, strict=True):
        codes = run_layerwise(graph, picture.low.astype(np.int32), KERNELS)
        decoded = encoding.scale * (codes.astype(np.float64) - np.array(encoding.zero_point))
        squares += float(np.square(decoded - reference).sum())
        size += codes.size
        scale = picture.high.shape[0] // picture.low.shape[0]
        decibels.append(luma_psnr_db(picture.high, codes.astype(np.uint8), scale))
    smallest = min(pictures, key=lambda picture: picture.low.size).low.astype(np.int32)
    output = simulate(graph, target.accelerator, target.energy, smallest).output
    compared = compare(output, graph, smallest, KERNELS)
    return Judged(
        math.fsum(decibels) / len(decibels),
        10 * math.log10(255**2 * size / squares),
        compared.values,
        compared.mismatches,
    )


def main() -> None:
    """Print the study's table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", default="edsr_baseline_x2")
    parser.add_argument("--accelerator", default="edge_npu")
    parser.add_argument("--data", type=Path, help="folder of high-resolution pictures")
    parser.add_argument("--size", type=int, nargs=2, default=(180, 320), metavar=("H", "W"))
    parser.add_argument("--widths", type=int, nargs="+", default=[2, 3, 4, 5, 6, 7, 8])
    parser.add_argument("--least-db", type=float, default=25.0, help="of uniform policies to beat")
    parser.add_argument("--budgets", type=int, default=8, help="uniform policies to beat, at most")
    parser.add_argument("--out", type=Path, default=Path("runs/uniform_against_mixed"))
    arguments = parser.parse_args()

    subject = load_subject(arguments.network)
    accelerator = load_accelerator(arguments.accelerator)
    target = Target(accelerator, priced(accelerator), Size(*arguments.size))
    seen, unseen = search_pictures(subject, None), held_out(arguments.data, subject.scale)
    references = [subject.enlarge(picture.low) for picture in unseen]
    print(
        "| energy at most, mJ | uniform | dB | to float, dB | mixed, energy, mJ | dB "
        "| to float, dB | gain, dB | integers on the machine, mismatches |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    faithful = [
        uniform
        for uniform in uniform_policies(subject, target, seen, arguments.widths)
        if 10 * math.log10(255**2 / uniform.mse) >= arguments.least_db
    ]
    places = np.linspace(len(faithful) - 1, 0, min(arguments.budgets, len(faithful))).round()
    for uniform in (faithful[int(place)] for place in reversed(places)):
        widths = tuple(arguments.widths)
        policy, energy_uj = mixed_policy(
            subject, target, seen, widths, uniform.energy_uj, arguments.out
        )
        (arguments.out / f"mixed_at_{uniform.bits}.yaml").write_text(policy.to_yaml())
        one = judged(fixed_graph(subject, uniform.policy), target, unseen, references)
        other = judged(fixed_graph(subject, policy), target, unseen, references)
        print(
            f"| {uniform.energy_uj / 1000:.2f} | {uniform.bits} | {one.psnr_db:.3f} "
            f"| {one.to_float_db:.2f} | {energy_uj / 1000:.2f} | {other.psnr_db:.3f} "
            f"| {other.to_float_db:.2f} | {other.psnr_db - one.psnr_db:+.3f} "
            f"| {one.values + other.values:,}, {one.mismatches + other.mismatches} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
