"""Solvers of the bit search on the tables of a network: how good, how many points, how fast.

Run: python -m benchmarks.bit_search [--tables FOLDER] [--network NAME] [--rounds N]
     [--resources energy,latency]
Needs pymoo (pip install 'hwsim[evolve]'); without it NSGA-II is left out.

Tables are those of a search (--tables: its --out folder) or made once, by measuring every choice
of every layer of a network on two small crops (a few minutes for edsr_tiny_x2, a quarter of an hour
for edsr_baseline_x2), and kept in --keep. Contenders take turns, each round with another seed. The
hypervolume is a share of that of all points of all contenders together; errors count in decibels,
errors and costs from the least to the most on the front, the reference being 1.1 of that.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import load, processor
from hwsim.search.dominance import undominated_points
from hwsim.search.hypervolume import hypervolume
from hwsim.search.policy_sums import policy_sums
from hwsim.search.quality_table import UNITS_PER_SQUARED_CODE
from hwsim.search.resource import SHOWN, Resource
from hwsim.search.surface import Integers, pareto_surface
from hwsim.search.weighted import sweep

TABLE = "cost_table.json"
EVALUATIONS = 2_000
"""Of NSGA-II and random search, times 1, 10 and 100."""
POPULATION = 200
SWEEP_STEPS = 100
REFERENCE = 1.1
CROP = 24


@dataclass(frozen=True)
class Problem:
    """The tables of a network.

    Attributes:
        layers: for each layer int64 [choices, objectives], the error first.
        base: int64 [objectives], what sums are differences from.
        widths: for each layer int [choices, 2], of weights and activations.
    """

    layers: list[Integers]
    base: Integers
    widths: list[NDArray[np.int64]]


@dataclass
class Contender:
    """A solver and what its rounds gave.

    Attributes:
        name: what it is called.
        solve: from a seed to sums [points, objectives], mutually undominated.
        evaluations: sums of policies it asks for; None for those that do not enumerate.
    """

    name: str
    solve: Callable[[int], Integers]
    evaluations: int | None = None
    seconds: list[float] = field(default_factory=list)
    found: list[Integers] = field(default_factory=list)


def read_problem(folder: Path, resources: Sequence[Resource]) -> Problem:
    """The tables of a search's folder."""
    content = json.loads((folder / TABLE).read_text(encoding="utf-8"))
    names = ["mse", *(SHOWN[resource].key for resource in resources)]
    units = [UNITS_PER_SQUARED_CODE, *(SHOWN[resource].per_unit for resource in resources)]
    cubes = np.array([content[f"{name}_change"] for name in names], np.float64)
    pairs = np.array([[w, a] for w in content["weight_bits"] for a in content["activation_bits"]])
    layers, widths = [], []
    for layer in np.moveaxis(cubes, 1, 0).reshape(len(content["layers"]), len(names), -1):
        available = ~np.isnan(layer).any(axis=0)
        whole = np.rint(layer[:, available] * np.array(units)[:, None]).astype(np.int64)
        layers.append(np.ascontiguousarray(whole.T))
        widths.append(pairs[available])
    base = [round(content["base"][name] * unit) for name, unit in zip(names, units, strict=True)]
    return Problem(layers, np.array(base), widths)


def make_tables(network: str, folder: Path) -> None:
    """Measure every choice of every layer, two small crops and a small image; once a folder."""
    from accelerators import EnergyModel, load_accelerator, load_energy_table
    from hwsim.search import Pictures, SearchRequest, Target, search, tables_json
    from quant.graph import Size
    from quant.imaging import calibration_photographs
    from quant.methods import quantizer
    from quant.networks import load_network, network_config
    from quant.networks.inference import enlarge

    if (folder / TABLE).exists():
        return
    float_network = load_network(network, None, None)
    crops = [image[:CROP, :CROP] for image in calibration_photographs(scale=1)[:2]]
    calibration = calibration_photographs(network_config(network).scale)
    accelerator = load_accelerator("edge_npu")
    size = Size(128, 128)
    found = search(
        SearchRequest(size, tuple(range(2, 9)), front_points=2, uniform_widths=()),
        quantizer(float_network, "percentile", calibration),
        Pictures(
            [crop.astype(np.int32) for crop in crops],
            [enlarge(float_network, crop) for crop in crops],
        ),
        Target(
            accelerator, EnergyModel(accelerator, load_energy_table(accelerator.energy_table)), size
        ),
        folder,
        lambda done, total: print(f"\rmeasured {done} of {total}", end="", flush=True),
    )
    print()
    (folder / TABLE).write_text(tables_json(found), encoding="utf-8")


def contenders(problem: Problem) -> list[Contender]:
    """All that can run here."""
    layers = problem.layers
    chosen = [
        Contender("dynamic program", lambda seed: pareto_surface(layers).sums),
        Contender(
            "dynamic program, trimmed",
            lambda seed: pareto_surface(layers, maximum_compared=1 << 16).sums,
        ),
        Contender(
            f"Lagrangian sweep, {SWEEP_STEPS} weights a cost",
            lambda seed: _best(policy_sums(layers, sweep(layers, SWEEP_STEPS))),
        ),
    ]
    for times in (1, 10, 100):
        count = EVALUATIONS * times
        if _has_pymoo():
            chosen.append(
                Contender(
                    f"NSGA-II, {count} evaluations",
                    lambda seed, count=count: evolve(problem, count, seed),
                    count,
                )
            )
        chosen.append(
            Contender(
                f"random, {count} evaluations",
                lambda seed, count=count: _random(layers, count, seed),
                count,
            )
        )
    return chosen


def _has_pymoo() -> bool:
    from importlib.util import find_spec

    return find_spec("pymoo") is not None


def _best(sums: Integers) -> Integers:
    return sums[undominated_points(sums)]


def _random(layers: list[Integers], count: int, seed: int) -> Integers:
    random = np.random.default_rng(seed)
    counts = [len(layer) for layer in layers]
    return _best(policy_sums(layers, random.integers(0, counts, (count, len(layers)), np.int32)))


def evolve(problem: Problem, evaluations: int, seed: int) -> Integers:
    """NSGA-II over the widths of weights and activations of each layer; the best of all it saw."""
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.problem import Problem as PymooProblem
    from pymoo.operators.crossover.sbx import SBX
    from pymoo.operators.mutation.pm import PM
    from pymoo.operators.repair.rounding import RoundingRepair
    from pymoo.operators.sampling.rnd import IntegerRandomSampling
    from pymoo.optimize import minimize

    layers = problem.layers
    grid = np.unique(np.concatenate(problem.widths))
    place = np.full((len(layers), len(grid), len(grid)), -1)
    for layer, widths in enumerate(problem.widths):
        at = np.searchsorted(grid, widths)
        place[layer, at[:, 0], at[:, 1]] = np.arange(len(widths))
    numbers = np.arange(len(layers))
    archive = np.empty((0, layers[0].shape[1]), np.int64)

    class Policies(PymooProblem):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(
                n_var=2 * len(layers), n_obj=archive.shape[1], xl=0, xu=len(grid) - 1, vtype=int
            )

        def _evaluate(self, x: NDArray[np.int64], out: dict[str, object]) -> None:
            nonlocal archive
            picks = place[numbers, x[:, ::2], x[:, 1::2]]
            # A pair that a layer does not have counts as its first choice.
            sums = policy_sums(layers, np.maximum(picks, 0))
            archive = _best(np.concatenate([archive, sums]))
            decibels = 10 * np.log10(sums[:, :1] + problem.base[0] + 1.0)
            out["F"] = np.concatenate([decibels, sums[:, 1:]], axis=1)

    algorithm = NSGA2(
        pop_size=POPULATION,
        sampling=IntegerRandomSampling(),
        crossover=SBX(prob=0.9, eta=15, vtype=float, repair=RoundingRepair()),
        mutation=PM(eta=20, vtype=float, repair=RoundingRepair()),
        eliminate_duplicates=True,
    )
    minimize(Policies(), algorithm, ("n_eval", evaluations), seed=seed, verbose=False)
    return archive


def measure(problem: Problem, rounds: int = 3) -> list[Contender]:
    """Every contender `rounds` times, in turns; a first round of few layers only compiles."""
    for contender in contenders(Problem(problem.layers[:3], problem.base, problem.widths[:3])):
        contender.solve(0)
    chosen = contenders(problem)
    for seed in range(rounds):
        for contender in chosen:
            started = time.process_time()
            found = contender.solve(seed)
            contender.seconds.append(time.process_time() - started)
            contender.found.append(found + problem.base)
    return chosen


def shares_of_volume(chosen: list[Contender]) -> dict[str, list[float]]:
    """For each round of each contender its hypervolume as a share of that of all together."""
    everything = _scaled(_best(np.concatenate([x for each in chosen for x in each.found])))
    low, high = everything.min(axis=0), everything.max(axis=0)
    corner = np.full(len(low), REFERENCE)
    whole = hypervolume((everything - low) / (high - low), corner)
    return {
        each.name: [
            hypervolume((_scaled(x) - low) / (high - low), corner) / whole for x in each.found
        ]
        for each in chosen
    }


def _scaled(sums: Integers) -> NDArray[np.float64]:
    """Sums with errors as decibels."""
    return np.concatenate([10 * np.log10(sums[:, :1] + 1.0), sums[:, 1:].astype(float)], axis=1)


def print_table(chosen: list[Contender]) -> None:
    """As Markdown: a row for each contender, means over the rounds."""
    shares = shares_of_volume(chosen)
    print("| solver | points | hypervolume, % | worst | CPU, s | evaluations per CPU-s |")
    print("|---|---|---|---|---|---|")
    for each in chosen:
        percent = [100 * share for share in shares[each.name]]
        seconds = statistics.median(each.seconds)
        rate = "" if each.evaluations is None else f"{each.evaluations / seconds:,.0f}"
        points = round(statistics.mean(len(found) for found in each.found))
        print(
            f"| {each.name} | {points:,} | {statistics.mean(percent):.2f} | {min(percent):.2f} | "
            f"{seconds:.2f} | {rate} |"
        )


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tables", type=Path, help="the --out folder of a search")
    parser.add_argument("--network", default="edsr_tiny_x2", help="whose tables to make")
    parser.add_argument("--keep", type=Path, default=Path("runs/bit_search"))
    parser.add_argument("--resources", default="energy,latency")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    folder = arguments.tables or arguments.keep / arguments.network
    if arguments.tables is None:
        make_tables(arguments.network, folder)
    resources = [Resource(name) for name in arguments.resources.split(",")]
    problem = read_problem(folder, resources)
    counts = [len(layer) for layer in problem.layers]
    print(f"{processor()}, load {load()}")
    print(f"{folder.name}: {len(counts)} layers, {min(counts)} to {max(counts)} choices, error and")
    print(", ".join(SHOWN[resource].axis for resource in resources))
    print(f"exact: {pareto_surface(problem.layers).exact}\n")
    print_table(measure(problem, arguments.rounds))


if __name__ == "__main__":
    main()
