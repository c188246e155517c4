"""Costs put together: parts of one image one after the other, and what is expected of several."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TypeVar

from hwsim.cost.account import GroupCost, ProgramCost
from hwsim.cost.charges import Charges
from hwsim.cost.joined_cascades import joined_cascades

Shares = Sequence[Fraction]
KeyT = TypeVar("KeyT")


def prefixed(cost: ProgramCost, prefix: str) -> ProgramCost:
    """The same cost, its groups and operators named with something in front."""
    groups = []
    for each in cost.groups:
        nodes = tuple(prefix + node for node in each.group.nodes)
        group = replace(each.group, name=prefix + each.group.name, nodes=nodes)
        groups.append(replace(each, group=group))
    return replace(cost, groups=tuple(groups))


def in_sequence(costs: Sequence[ProgramCost]) -> ProgramCost:
    """Costs of programs that run one after the other; groups of one name become one.

    Cascades that share an operator become one too (`joined_cascades`).
    """
    ones = [Fraction(1)] * len(costs)
    merged = []
    for groups, weights in _by_name(costs, ones):
        group = _weighted(groups, weights)
        macs = sum(part.group.macs for part in groups)
        merged.append(replace(group, group=replace(group.group, macs=macs)))
    return replace(costs[0], groups=_numbered(merged, costs))


def expected(costs: Sequence[ProgramCost], shares: Shares) -> ProgramCost:
    """The mean cost of programs of which one runs, each in a share of all cases.

    Counts are rounded to the nearest whole number, group by group. Of what describes a group, the
    most SRAM counts; all else is of the first program that has the group.

    Args:
        costs: of each program.
        shares: of the cases, 1 in all.
    """
    merged = [_weighted(groups, weights) for groups, weights in _by_name(costs, shares)]
    return replace(costs[0], groups=_numbered(merged, costs))


def _numbered(merged: Iterable[GroupCost], costs: Sequence[ProgramCost]) -> tuple[GroupCost, ...]:
    """Merged groups with the numbers of the joined cascades they are in, in that order."""
    cascades: dict[tuple[int, int], list[str]] = {}
    for program, cost in enumerate(costs):
        for each in cost.groups:
            cascades.setdefault((program, each.group.cascade), []).extend(each.group.nodes)
    numbers = joined_cascades(cascades.values())
    numbered = [
        replace(each, group=replace(each.group, cascade=numbers[each.group.nodes[0]]))
        for each in merged
    ]
    return tuple(sorted(numbered, key=lambda each: each.group.cascade))


def _by_name(
    costs: Sequence[ProgramCost], weights: Shares
) -> Iterable[tuple[list[GroupCost], list[Fraction]]]:
    named: dict[str, tuple[list[GroupCost], list[Fraction]]] = {}
    for cost, weight in zip(costs, weights, strict=True):
        for group in cost.groups:
            groups, of_groups = named.setdefault(group.group.name, ([], []))
            groups.append(group)
            of_groups.append(weight)
    return named.values()


def _weighted(groups: Sequence[GroupCost], weights: Shares) -> GroupCost:
    first = groups[0].group
    charges: Charges = Counter(_sums([group.charges for group in groups], weights))
    energy_uj: dict[str, float] = {}
    for group, weight in zip(groups, weights, strict=True):
        for name, part in group.energy_by_component_uj.items():
            energy_uj[name] = energy_uj.get(name, 0.0) + part * float(weight)
    return GroupCost(
        replace(first, sram_bytes=max(group.group.sram_bytes for group in groups)),
        round(sum(g.cycles * weight for g, weight in zip(groups, weights, strict=True))),
        _sums([group.busy_cycles for group in groups], weights),
        charges,
        energy_uj,
    )


def _sums(counts: Sequence[Mapping[KeyT, int]], weights: Shares) -> dict[KeyT, int]:
    total: dict[KeyT, Fraction] = {}
    for part, weight in zip(counts, weights, strict=True):
        for key, count in part.items():
            total[key] = total.get(key, Fraction(0)) + count * weight
    return {key: round(value) for key, value in total.items()}
