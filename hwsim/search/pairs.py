"""What two neighbouring layers' choices add together, beyond what each adds by itself.

A tensor is stored at its consumer's width, a machine changes widths between layers, and errors of
neighbours are correlated: such terms depend on both choices. One table for each pair of layers
holds them, for errors and for costs alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hwsim.search.pareto import Integers
from hwsim.search.resource import Resource
from hwsim.search.rules import Group
from quant.common.errors import UserError

Indices = NDArray[np.intp]

PairTables = Mapping[tuple[int, int], Integers]
"""By the positions of two layers, int64 [choices, choices]: what their choices add together."""


@dataclass(frozen=True, slots=True, eq=False)
class PairTerms:
    """Pair tables for the error and for costs that are sums; a missing table adds nothing.

    Attributes:
        error: in units of `UNITS_PER_SQUARED_CODE`.
        cost: femtojoules, cycles or bytes; SRAM has none, being no sum.
    """

    error: PairTables = field(default_factory=dict)
    cost: Mapping[Resource, PairTables] = field(default_factory=dict)

    def of(self, resource: Resource | None) -> PairTables:
        """The tables of a resource; None: of the error."""
        return self.error if resource is None else self.cost.get(resource, {})

    def totals(self, resource: Resource | None, columns: Indices) -> Integers:
        """What the pairs of each policy add.

        Args:
            resource: of which; None: the error.
            columns: [policies, layers], the choice of each layer.

        Returns:
            int64 [policies].
        """
        sums = np.zeros(len(columns), np.int64)
        for (first, second), table in self.of(resource).items():
            sums += table[columns[:, first], columns[:, second]]
        return sums


def within_group(tables: PairTables, group: Group, choices: Indices) -> Integers:
    """What pairs inside a group of tied layers add, int64 [choices]."""
    members = set(group)
    inside = [
        table[choices, choices]
        for (first, second), table in tables.items()
        if first in members and second in members
    ]
    return np.sum(inside, axis=0, dtype=np.int64) if inside else np.zeros(len(choices), np.int64)


def between_groups(
    tables: PairTables, groups: Sequence[Group], usable: Sequence[Indices], layers: Sequence[str]
) -> list[Integers | None]:
    """What choices of each group and of the next add together; None for nothing.

    Args:
        tables: by the positions of layers.
        groups: positions of tied layers, each layer once.
        usable: for each group the choices it has.
        layers: names, for messages.

    Returns:
        For each group but the last, int64 [choices, choices of the next].

    Raises:
        UserError: a pair belongs to groups that are not neighbours.
    """
    group_of = {layer: place for place, group in enumerate(groups) for layer in group}
    links: list[Integers | None] = [None] * (len(groups) - 1)
    for (first, second), table in tables.items():
        here, there = group_of[first], group_of[second]
        if here == there:
            continue
        if abs(here - there) != 1:
            raise UserError(
                f"pair of {layers[first]} and {layers[second]}: expected layers that choose one "
                "after the other, but ties put others between them; tie other layers"
            )
        if here > there:
            here, there, table = there, here, table.T
        known = links[here]
        cut = table[np.ix_(usable[here], usable[there])]
        links[here] = cut if known is None else known + cut
    return links


def stacked(links: Sequence[Sequence[Integers | None]]) -> list[Integers | None]:
    """Links of several objectives as links with an axis for objectives behind.

    Args:
        links: for each objective the links of neighbours.
    """
    joined: list[Integers | None] = []
    for of_pair in zip(*links, strict=True):
        known = [link for link in of_pair if link is not None]
        if not known:
            joined.append(None)
            continue
        nothing = np.zeros_like(known[0])
        joined.append(np.stack([nothing if link is None else link for link in of_pair], axis=-1))
    return joined
