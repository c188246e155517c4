"""Calls that cut a feature map into runs of channels: split, chunk and indexing."""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch

from quant.common.errors import UnsupportedError
from quant.lowering.float_operators import FloatSlice

CUTS: frozenset[object] = frozenset((torch.split, torch.chunk, "split", "chunk"))
"""Functions, and names of tensor methods, whose result is several runs of channels."""

INDEXING = operator.getitem

_SIZES = ("split_size_or_sections", "split_size", "chunks")
_CHANNEL_DIMENSIONS = (1, -3)


@dataclass(frozen=True, slots=True)
class Parts:
    """A feature map cut into runs of channels, none of which was taken yet."""

    source: str
    slices: tuple[FloatSlice, ...]


def cut(
    function: object, operands: Sequence[object], keywords: Mapping[str, object], channels: int
) -> Parts:
    """What split or chunk make of a feature map.

    Args:
        function: a member of `CUTS`.
        operands: positional arguments, the feature map first.
        keywords: the other arguments.
        channels: of the feature map.

    Raises:
        UnsupportedError: it is not the channels that are cut.
    """
    name = getattr(function, "__name__", str(function))
    source, *rest = operands
    dimension = keywords.get("dim", rest[1] if len(rest) > 1 else 0)
    sizes = (
        rest[0] if rest else next(iter(value for key, value in keywords.items() if key != "dim"))
    )
    if dimension not in _CHANNEL_DIMENSIONS or not isinstance(source, str):
        raise UnsupportedError(f"{name} along dimension {dimension}")
    if isinstance(sizes, int):
        size = sizes if name == "split" else -(-channels // sizes)
        sizes = [min(size, channels - start) for start in range(0, channels, size)]
    if not isinstance(sizes, list | tuple) or sum(sizes) != channels:
        raise UnsupportedError(f"{name} of {channels} channels into {sizes}")
    ends = list(accumulate(sizes))
    return Parts(
        source,
        tuple(FloatSlice(end - size, end) for end, size in zip(ends, sizes, strict=True)),
    )


def indexed(value: object, index: object, channels: int | None) -> tuple[FloatSlice, str]:
    """One of several parts, or the channels x[:, a:b]: the slice and what it is of.

    Raises:
        UnsupportedError: any other index.
    """
    match value, index:
        case Parts(source, slices), int() as position if -len(slices) <= position < len(slices):
            return slices[position], source
        case str() as source, (slice() as batch, slice(step=None) as run, *others):
            whole = slice(None)
            if channels is not None and batch == whole and all(o in (whole, ...) for o in others):
                start, stop, _ = run.indices(channels)
                if start < stop:
                    return FloatSlice(start, stop), source
    raise UnsupportedError("an index other than a run of channels")
