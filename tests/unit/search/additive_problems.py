"""Additive problems to solve: small ones to enumerate, one of a network's size, and its links."""

from itertools import pairwise, product

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Links = list[Integers | None]


@st.composite
def additive_problems(
    draw: st.DrawFn, objectives: int | None = None, linked: bool = False
) -> tuple[list[Integers], Links]:
    """Layers [choices, objectives] and links, with ties common or values large."""
    count = objectives or draw(st.integers(2, 4))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    high = draw(st.sampled_from((3, 20, 2**56)))
    choices = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    layers = [random.integers(-high // 3, high, (size, count)) for size in choices]
    links: Links = [None] * (len(choices) - 1)
    if linked:
        for place, sizes in enumerate(pairwise(choices)):
            if draw(st.booleans()):
                links[place] = random.integers(-high // 3, high, (*sizes, count))
    return layers, links


def total(layers: list[Integers], links: Links, picks: tuple[int, ...]) -> tuple[int, ...]:
    """The sums of one choice per layer."""
    sums = sum(layer[pick] for layer, pick in zip(layers, picks, strict=True))
    for link, pair in zip(links, pairwise(picks), strict=True):
        if link is not None:
            sums = sums + link[pair]
    return tuple(int(each) for each in sums)


def every_total(layers: list[Integers], links: Links) -> set[tuple[int, ...]]:
    """The sums of every combination."""
    return {
        total(layers, links, picks) for picks in product(*(range(len(layer)) for layer in layers))
    }


def best_of(totals: set[tuple[int, ...]]) -> set[tuple[int, ...]]:
    """Those that no other equals or beats in every sum."""
    rows = np.array(sorted(totals))
    beats = (rows[:, None] <= rows[None]).all(axis=2)
    return {tuple(map(int, row)) for row in rows[beats.sum(axis=0) == 1]}


def network_problem(layers: int, objectives: int, seed: int = 0) -> list[Integers]:
    """Errors, energy, cycles and bytes of all pairs of 2 to 8 bits, much as networks have them.

    The layers of the body cost the same; their errors differ, by layer and by choice.
    """
    random = np.random.default_rng(seed)
    widths = np.arange(2, 9)
    weights, activations = (width.reshape(-1) for width in np.meshgrid(widths, widths))
    problem = []
    for layer in range(layers):
        size = 10 if 0 < layer < layers - 3 else int(random.integers(1, 20))
        noise = sum(
            random.lognormal(0, 1.2) * 4.0**-width * random.uniform(0.9, 1.1, len(width))
            for width in (weights, activations)
        )
        columns = (
            1e8 * noise,
            size * 1e9 * (0.6 * weights * activations / 64 + 0.0125 * (weights + activations)),
            size * 3e3 * np.maximum(-(-weights // 2) * -(-activations // 4), weights + activations),
            size * (900 * weights + 4000 * activations),
        )
        problem.append(np.stack(columns[:objectives], axis=1).astype(np.int64))
    return problem
