"""What layers may choose from: exceptions by pattern, fixed ends, layers that choose alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quant.common.errors import UserError, suggestion
from quant.policy import LayerBits, fits_layer

Group = tuple[int, ...]
"""Positions of layers that have the same bits as one another."""


def of_layers(
    groups: Sequence[Group], chosen: Sequence[NDArray[np.intp]] | NDArray[np.intp]
) -> NDArray[np.intp]:
    """Policies by layer from policies by group.

    Args:
        groups: each layer once.
        chosen: for each group [policies], the choice of its layers.

    Returns:
        intp [policies, layers].
    """
    columns = np.empty((len(chosen[0]), sum(map(len, groups))), np.intp)
    for group, choice in zip(groups, chosen, strict=True):
        columns[:, list(group)] = choice[:, None]
    return columns


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the layers that fit a pattern may choose from, instead of every pair of widths.

    Attributes:
        pattern: a layer's path, or that of a module around it, as in policies.
        choices: their bits; a single entry fixes them.
    """

    pattern: str
    choices: tuple[LayerBits, ...]


@dataclass(frozen=True, slots=True)
class LayerRules:
    """Rules beyond the widths that all layers may have.

    Attributes:
        allowed: exceptions; of several that fit a layer, the last counts.
        first_and_last: bits of the first and last layer, unless an exception says otherwise.
        tied: patterns; the layers that fit one have the same bits as one another.
    """

    allowed: tuple[Allowed, ...] = ()
    first_and_last: LayerBits | None = None
    tied: tuple[str, ...] = ()

    def with_exceptions(self, usual: Sequence[LayerBits]) -> tuple[LayerBits, ...]:
        """The usual choices and behind them those that only exceptions have."""
        fixed = () if self.first_and_last is None else (self.first_and_last,)
        special = (bits for entry in self.allowed for bits in entry.choices)
        return tuple(dict.fromkeys((*usual, *fixed, *special)))

    def permitted(
        self, layers: Sequence[str], choices: Sequence[LayerBits], usual: Sequence[LayerBits]
    ) -> NDArray[np.bool_]:
        """What each layer may choose, ties included.

        Args:
            layers: names of the convolutions, first to last.
            choices: the columns.
            usual: what a layer may choose that no exception names.

        Returns:
            bool [layers, choices].

        Raises:
            UserError: a pattern fits no layer, or tied layers have no choice in common.
        """
        permitted = np.array([[bits in usual for bits in choices] for _ in layers])
        if self.first_and_last is not None:
            permitted[[0, -1]] = [bits == self.first_and_last for bits in choices]
        for entry in self.allowed:
            row = [bits in entry.choices for bits in choices]
            permitted[_fitting(entry.pattern, layers)] = row
        for group in self.groups(layers):
            common = permitted[list(group)].all(axis=0)
            if not common.any():
                names = ", ".join(layers[layer] for layer in group)
                raise UserError(
                    f"tied layers {names}: expected bits that each of them may have, found none; "
                    "allow them the same bits or untie them"
                )
            permitted[list(group)] = common
        return permitted

    def groups(self, layers: Sequence[str]) -> tuple[Group, ...]:
        """Layers that have the same bits as one another: their positions, each layer once.

        Raises:
            UserError: a pattern fits no layer.
        """
        leader = list(range(len(layers)))
        for pattern in self.tied:
            fitting = _fitting(pattern, layers)
            joined = {leader[layer] for layer in fitting}
            leader = [min(joined) if each in joined else each for each in leader]
        members: dict[int, list[int]] = {}
        for layer, first in enumerate(leader):
            members.setdefault(first, []).append(layer)
        return tuple(tuple(group) for group in members.values())


def _fitting(pattern: str, layers: Sequence[str]) -> list[int]:
    fitting = [position for position, name in enumerate(layers) if fits_layer(pattern, name)]
    if not fitting:
        raise UserError(
            f"layer '{pattern}': expected the name or a pattern of the network's layers; "
            f"{suggestion(pattern, layers)}"
        )
    return fitting
