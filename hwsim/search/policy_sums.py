"""Sums of table entries for many policies at once: millions a second."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hwsim.search._kernels import add_entries, add_link
from hwsim.search.surface import Integers, Links


def policy_sums(
    layers: Sequence[Integers],
    policies: NDArray[np.integer],
    links: Links | None = None,
) -> Integers:
    """What each policy's choices add up to.

    Args:
        layers: for each layer int64 [choices, objectives].
        policies: [policies, layers], an index into each layer's choices.
        links: for each layer but the last what choices of it and of the next add together, int64
            [choices, choices of the next, objectives], or None for nothing.

    Returns:
        int64 [policies, objectives].
    """
    counts = np.array([len(layer) for layer in layers])
    if policies.ndim != 2 or policies.shape[1] != len(layers):
        raise ValueError(f"expected [policies, {len(layers)}] choices, given {policies.shape}")
    if ((policies < 0) | (policies >= counts)).any():
        raise ValueError("expected choices that their layers have, given others")
    chosen = np.ascontiguousarray(policies, np.int32)
    objectives = layers[0].shape[1]
    tables = np.zeros((len(layers), counts.max(), objectives), np.int64)
    for table, layer in zip(tables, layers, strict=True):
        table[: len(layer)] = layer
    sums = np.zeros((len(chosen), objectives), np.int64)
    add_entries(tables, chosen, sums)
    for first, link in enumerate(links or ()):
        if link is not None:
            add_link(link, first, first + 1, chosen, sums)
    return sums
