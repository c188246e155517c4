"""Whether named tensors are those a network needs, in words."""

from collections.abc import Mapping

Shapes = Mapping[str, tuple[int, ...]]

_NAMED = 3  # tensors named in a sentence; the others are counted


def describe_misfit(wanted: Shapes, given: Shapes) -> str:
    """What is wrong with tensors that do not fit; empty when they do.

    Args:
        wanted: the network's names and shapes.
        given: the file's.

    Returns:
        For instance "1 missing ('head.0.bias'), 2 superfluous ('a', 'b'), 1 of another shape
        ('tail.1.weight': expected 3x64x3x3, found 12x64x3x3)".
    """
    reshaped = [
        f"'{name}': expected {_text(shape)}, found {_text(given[name])}"
        for name, shape in wanted.items()
        if name in given and given[name] != shape
    ]
    kinds = {
        "missing": [f"'{name}'" for name in wanted if name not in given],
        "superfluous": [f"'{name}'" for name in sorted(given) if name not in wanted],
        "of another shape": reshaped,
    }
    return ", ".join(_told(kind, names) for kind, names in kinds.items() if names)


def _told(kind: str, names: list[str]) -> str:
    more = ", …" if len(names) > _NAMED else ""
    return f"{len(names)} {kind} ({', '.join(names[:_NAMED])}{more})"


def _text(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "one number"
