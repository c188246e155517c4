"""Which is the smallest accelerator that holds 30 frames per second to full HD at 0.1 dB less?

    python -m examples.smallest_accelerator --data Set14

Policies come first: the narrowest uniform ones that lose at most 0.1 dB of PSNR against the float
network, on pictures that calibration has not seen, and a mixed one as good, searched for the least
time on the array whose time depends on bits. Then machines: arrays of two kinds, the smallest
first, each with the least SRAM that is tried. A machine does the job if an image of 540 x 960
pixels takes at most a thirtieth of a second under one of the policies. Prints the tables of
docs/results/smallest_accelerator.md.
"""

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from accelerators import Accelerator, load_accelerator, resized
from accelerators.machine_size import MachineSize
from examples.subject import fixed_graph, held_out, load_subject, priced
from hwsim.cli.search_inputs import search_pictures
from hwsim.cli.subject import FloatSubject
from hwsim.compare.pictures import JudgedPicture
from hwsim.cost import ProgramCost
from hwsim.estimation import Estimator
from hwsim.machine import KERNELS, run_layerwise
from hwsim.schedule import ScheduleError
from hwsim.search import LayerRules, Limits, Resource, SearchRequest, Target, search
from quant.graph import Graph, Size
from quant.imaging import luma_psnr_db
from quant.policy import BitPolicy, LayerBits

IMAGE = Size(540, 960)
"""Twice as high and wide it is full HD."""
MOST_MS = 1000 / 30
MOST_LOST_DB = 0.1
WIDTHS = (4, 5, 6, 7, 8)
ENDS = LayerBits(8, 8)
SEARCHED = "edge_sr_npu"
FIDELITIES_DB = (43.0, 48.0, 0.25)
"""To the float network's output, on the search pictures: first, last, step."""
SRAM_KIB = (96, 128, 192, 256, 512)
SHAPES = {
    "edge_npu": [(rows, columns) for columns in (16, 32) for rows in range(8, 65, 4)],
    "edge_sr_npu": [(rows, columns) for columns in (8, 16) for rows in range(6, 49, 2)],
}
"""Rows and columns of each kind of array that are tried."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A machine that does the job.

    Attributes:
        accelerator: the machine.
        size: how much hardware it is.
        policy: what the network runs with.
        cost: of one image.
    """

    accelerator: Accelerator
    size: MachineSize
    policy: BitPolicy
    cost: ProgramCost


def mean_psnr_db(graph: Graph, pictures: Sequence[JudgedPicture], scale: int) -> float:
    """Luma PSNR of what a graph makes of pictures, mean over them."""
    decibels = []
    for picture in pictures:
        codes = run_layerwise(graph, picture.low.astype(np.int32), KERNELS)
        decibels.append(luma_psnr_db(picture.high, codes.astype(np.uint8), scale))
    return math.fsum(decibels) / len(decibels)


def faithful_policies(
    subject: FloatSubject, pictures: Sequence[JudgedPicture], float_db: float
) -> list[BitPolicy]:
    """Uniform policies that lose little, of which none is narrower than another."""
    narrowest: list[LayerBits] = []
    for bits in (LayerBits(*pair) for pair in product(WIDTHS, repeat=2)):
        psnr_db = mean_psnr_db(fixed_graph(subject, BitPolicy(bits, ENDS)), pictures, subject.scale)
        print(f"| {bits} | {psnr_db:.3f} | {psnr_db - float_db:+.3f} |", flush=True)
        if psnr_db >= float_db - MOST_LOST_DB:
            narrowest.append(bits)
    return [
        BitPolicy(bits, ENDS)
        for bits in narrowest
        if not any(
            other != bits
            and other.weight_bits <= bits.weight_bits
            and other.activation_bits <= bits.activation_bits
            for other in narrowest
        )
    ]


def mixed_policy(
    subject: FloatSubject, pictures: Sequence[JudgedPicture], least_db: float, folder: Path
) -> BitPolicy | None:
    """The fastest mixed policy found on `SEARCHED` that is faithful enough; None if none is."""
    accelerator = load_accelerator(SEARCHED)
    target, seen = Target(accelerator, priced(accelerator), IMAGE), search_pictures(subject, None)
    for least_to_float_db in np.arange(*FIDELITIES_DB):
        request = SearchRequest(
            IMAGE,
            widths=WIDTHS,
            minimize=Resource.LATENCY,
            limits=Limits(min_psnr_db=float(least_to_float_db)),
            rules=LayerRules(first_and_last=ENDS),
            front_points=4,
            uniform_widths=(),
        )
        policy = search(request, subject.quantize, seen, target, folder).recommended().policy
        psnr_db = mean_psnr_db(fixed_graph(subject, policy), pictures, subject.scale)
        print(f"| mixed, {least_to_float_db:.2f} dB to float | {psnr_db:.3f} | |", flush=True)
        if psnr_db >= least_db:
            return policy
    return None


def machines(name: str) -> Iterator[tuple[MachineSize, list[Accelerator]]]:
    """Arrays of a kind, the smallest first, each with all sizes of SRAM."""
    base = load_accelerator(name)
    arrays = [resized(base, rows=rows, columns=columns) for rows, columns in SHAPES[name]]
    sized = [(MachineSize.of(priced(array)), array) for array in arrays]
    for size, array in sorted(sized, key=lambda pair: (pair[0].multipliers, pair[1].array.rows)):
        yield size, [resized(array, sram_kib=sram_kib) for sram_kib in SRAM_KIB]


def smallest(name: str, graphs: dict[BitPolicy, Graph]) -> Answer | None:
    """The smallest machine of a kind that is fast enough, with the policy that is fastest on it."""
    for size, sizes_of_sram in machines(name):
        # Most SRAM first: if that is too slow, less is not tried.
        answer = None
        for accelerator in reversed(sizes_of_sram):
            found = fastest(accelerator, graphs)
            if found is None or found[1].latency_ms > MOST_MS:
                break
            answer = Answer(accelerator, MachineSize.of(priced(accelerator)), *found)
        if answer is not None:
            return answer
        print(f"{name}: {size.multipliers} multipliers are too few", flush=True)
    return None


def fastest(
    accelerator: Accelerator, graphs: dict[BitPolicy, Graph]
) -> tuple[BitPolicy, ProgramCost] | None:
    """The policy that takes least time on a machine; None where it has room for none."""
    estimator = Estimator(accelerator, priced(accelerator))
    found = []
    for policy, graph in graphs.items():
        try:
            found.append((policy, estimator.cost(graph, IMAGE)))
        except ScheduleError:
            continue
    return min(found, key=lambda each: (each[1].cycles, each[1].energy_uj), default=None)


def _name(policy: BitPolicy) -> str:
    return f"{policy.default}, searched" if policy.overrides else str(policy.default)


def main() -> None:
    """Print the study's tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", default="mobile_sr_x2")
    parser.add_argument("--data", type=Path, help="folder of high-resolution pictures")
    parser.add_argument("--out", type=Path, default=Path("runs/smallest_accelerator"))
    arguments = parser.parse_args()

    subject = load_subject(arguments.network)
    pictures = held_out(arguments.data, subject.scale)
    as_float = [
        luma_psnr_db(
            picture.high,
            np.rint(subject.enlarge(picture.low)).astype(np.uint8),
            subject.scale,
        )
        for picture in pictures
    ]
    float_db = math.fsum(as_float) / len(as_float)
    print(f"| policy | PSNR, dB | against float, {float_db:.3f} dB |\n|---|---|---|")
    graphs = {
        policy: fixed_graph(subject, policy)
        for policy in faithful_policies(subject, pictures, float_db)
    }
    mixed = mixed_policy(subject, pictures, float_db - MOST_LOST_DB, arguments.out)
    if mixed is not None:
        graphs[mixed] = fixed_graph(subject, mixed)
        print(mixed.to_yaml())
    print("narrowest that lose little:", ", ".join(map(_name, graphs)))
    print(
        "| machine | array | multipliers | array, kGE | SRAM, KiB | mm² | policy | ms | mJ | MB |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name in SHAPES:
        answer = smallest(name, graphs)
        if answer is None:
            print(f"| {name} | none of those tried | | | | | | | | |")
            continue
        array, size, cost = answer.accelerator.array, answer.size, answer.cost
        array_kge = "" if size.array_ge is None else f"{size.array_ge / 1000:.0f}"
        area_mm2 = "" if size.area_mm2 is None else f"{size.area_mm2:.2f}"
        traffic_mb = (cost.dram_read_bytes + cost.dram_write_bytes) / 1e6
        print(
            f"| {name} | {array.rows}×{array.columns} | {size.multipliers} | {array_kge} "
            f"| {size.sram_kib} | {area_mm2} | {_name(answer.policy)} | {cost.latency_ms:.2f} "
            f"| {cost.energy_uj / 1000:.2f} | {traffic_mb:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
