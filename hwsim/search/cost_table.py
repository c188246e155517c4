"""How much each choice of each layer changes the cost of a network that is divided in one way.

As long as the same layers run together, costs add up: each choice changes what its cascade, and
the one that makes its input, multiply, hold and move. Every entry is the difference between two
prices of the whole network, one layer changed (`FixedDivision`), so the tensor between two layers
is counted at its reader's width. Exact are multiplications, bytes over the DRAM bus and words of
SRAM as long as a cascade's strips and steps stay; units that wait for one another, and strips that
get narrower, add only nearly.

Whether layers can run together is a limit on a sum as well: what a cascade needs of SRAM is the
sum of its constants and of the rows it holds (`Rooms`).

The most SRAM in use is the largest of those sums; a layer that runs alone is cut anew for each
width, so there is a table of what it occupies.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwsim.search.resource import Resource

Integers = NDArray[np.int64]

SUMMED = (Resource.ENERGY, Resource.LATENCY, Resource.DRAM)
"""Costs of which layers' shares are added; SRAM is used again by the next cascade."""


@dataclass(frozen=True, slots=True, eq=False)
class Rooms:
    """The SRAM that cascades need.

    Attributes:
        demand: int64 [cascades, layers, choices], bytes each choice needs beyond those at the
            center; exact.
        center: int64 [cascades], bytes needed at the center.
        machine_bytes: SRAM there is.
    """

    demand: Integers
    center: Integers
    machine_bytes: int

    def used(self, columns: NDArray[np.intp]) -> Integers:
        """What each cascade needs under each policy.

        Args:
            columns: intp [policies, layers], the choice of each layer.

        Returns:
            int64 [cascades, policies], in bytes.
        """
        used = np.empty((len(self.center), len(columns)), np.int64)
        for row, demand in enumerate(self.demand):
            layers = np.flatnonzero(demand.any(axis=1))  # a few of all
            used[row] = self.center[row] + demand[layers, columns[:, layers]].sum(axis=1)
        return used

    def fit(self, columns: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Whether policies find room.

        Args:
            columns: intp [policies, layers], the choice of each layer.
        """
        return np.asarray((self.used(columns) <= self.machine_bytes).all(axis=0))


@dataclass(frozen=True, slots=True, eq=False)
class CostTable:
    """Change of cost with each choice, from a policy at the center.

    Attributes:
        parts: the layers and other operators that run together, by name.
        base: cost at the center, by resource: femtojoules, cycles, bytes.
        change: int64 [layers, choices] for each of `SUMMED`; 0 where a choice is not available.
        sram: int64 [layers, choices], bytes of SRAM of the cascade the layer runs in, or of the
            layer if it runs alone, the others as at the center; 0 where a choice is not available.
        alone: bool [layers], whether the layer runs alone.
        other_sram: bytes of SRAM of the largest cascade without a convolution.
        available: bool [layers, choices], false where the machine has no room or a rule forbids.
        rooms: what cascades need to be walked through as at the center; where it is there, the
            table is right.
        low_rooms: what they need in the same strips with the fewest rows; where only that is
            there, the table is nearly right.
        rank: what the scheduler minimizes (`FixedDivision.rank`), of the center.
        rank_change: int64 [layers, choices], how each choice changes it.
    """

    parts: tuple[tuple[str, ...], ...]
    base: dict[Resource, int]
    change: dict[Resource, Integers]
    sram: Integers
    alone: NDArray[np.bool_]
    other_sram: int
    available: NDArray[np.bool_]
    rooms: Rooms
    low_rooms: Rooms
    rank: int
    rank_change: Integers

    def is_available(self, columns: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Whether each layer of policies may have its choice.

        Args:
            columns: intp [policies, layers], the choice of each layer.
        """
        return np.asarray(self.available[np.arange(columns.shape[1]), columns].all(axis=1))

    def is_right(self, columns: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Whether policies can be cut exactly as at the center; ``columns`` as above."""
        return self.is_available(columns) & self.rooms.fit(columns)

    def is_nearly_right(self, columns: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Whether policies can at least be divided as at the center; ``columns`` as above."""
        return self.is_available(columns) & self.low_rooms.fit(columns)

    def ranks(self, columns: NDArray[np.intp]) -> Integers:
        """What the scheduler minimizes, of policies that are divided as at the center.

        Args:
            columns: intp [policies, layers], the choice of each layer.
        """
        sums: Integers = self.rank_change[np.arange(columns.shape[1]), columns].sum(axis=1)
        return self.rank + sums

    def costs(self, resource: Resource, columns: NDArray[np.intp]) -> Integers:
        """What policies cost, divided as at the center.

        Args:
            resource: of which.
            columns: intp [policies, layers], the choice of each layer.
        """
        layers = np.arange(columns.shape[1])
        if resource is Resource.SRAM:
            return self._most_sram(columns)
        sums: Integers = self.change[resource][layers, columns].sum(axis=1)
        return self.base[resource] + sums

    def _most_sram(self, columns: NDArray[np.intp]) -> Integers:
        layers = np.flatnonzero(self.alone)
        most = np.full(len(columns), self.other_sram, np.int64)
        for sizes in (self.sram[layers, columns[:, layers]].T, self.rooms.used(columns)):
            most = np.maximum(most, np.max(sizes, axis=0, initial=0))
        return most
