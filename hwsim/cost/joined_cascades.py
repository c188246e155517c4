"""Cascades of programs that run one after the other, made one wherever they share operators.

Programs of one graph for images of other sizes may be cut into other cascades: what runs together
on a small patch may not fit on a large one. What is said of all of them together is said of the
finest division that none of them cuts through.
"""

from collections.abc import Iterable, Sequence


def joined_cascades(cascades: Iterable[Sequence[str]]) -> dict[str, int]:
    """The number of the joined cascade that each operator is in.

    Two operators are in one if they run together in any program, or each with a third.

    Args:
        cascades: names of the operators that run together in a program.

    Returns:
        Numbers by operator, counted from 0 in the order in which cascades first appear.
    """
    leaders: dict[str, str] = {}

    def leader(name: str) -> str:
        while leaders[name] != name:
            leaders[name] = name = leaders[leaders[name]]
        return name

    for names in cascades:
        for name in names:
            leaders.setdefault(name, name)
            leaders[leader(name)] = leader(names[0])
    numbers: dict[str, int] = {}
    return {name: numbers.setdefault(leader(name), len(numbers)) for name in leaders}
