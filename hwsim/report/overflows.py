"""The overflows of a run, as results record and people read them."""

from collections.abc import Sequence
from dataclasses import dataclass

from hwsim.machine import LayerOverflows
from quant.graph import Convolution, Graph, Size

_NAMED_LAYERS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstOverflow:
    """The first accumulator that overflowed, of the first layer where any did."""

    operator: str
    row: int
    column: int
    channel: int
    sum: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OverflowingLayer:
    """A convolution whose accumulators can overflow. ``count`` is None in an estimate."""

    operator: str
    bits: int
    overflow: str
    accumulators: int
    count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverflowRecord:
    """What overflowed in all layers together. Without pixels, only which layers can is known."""

    count: int | None
    first: FirstOverflow | None
    layers: tuple[OverflowingLayer, ...]


def possible_overflows(graph: Graph, image: Size) -> OverflowRecord | None:
    """What is known without pixels; None where no convolution declares an accumulator."""
    sizes = graph.sizes(image)
    layers = tuple(
        OverflowingLayer(
            operator=node.name,
            bits=node.operator.accumulator.bits,
            overflow=node.operator.accumulator.overflow,
            accumulators=sizes[node.name].pixels * node.output.channels,
            count=None,
        )
        for node in graph.nodes
        if isinstance(node.operator, Convolution) and node.operator.accumulator is not None
    )
    return OverflowRecord(count=None, first=None, layers=layers) if layers else None


def counted_overflows(found: Sequence[LayerOverflows]) -> OverflowRecord | None:
    """What a run counted; None where no convolution declares an accumulator."""
    if not found:
        return None
    layers = tuple(
        OverflowingLayer(
            operator=layer.operator,
            bits=layer.accumulator.bits,
            overflow=layer.accumulator.overflow,
            accumulators=layer.outputs,
            count=layer.overflows.count,
        )
        for layer in found
    )
    count = sum(layer.overflows.count for layer in found)
    return OverflowRecord(count=count, first=_first(found), layers=layers)


def _first(found: Sequence[LayerOverflows]) -> FirstOverflow | None:
    for layer in found:
        place, total = layer.overflows.first, layer.overflows.sum
        if place is not None and total is not None:
            row, column, channel = place
            return FirstOverflow(
                operator=layer.operator, row=row, column=column, channel=channel, sum=total
            )
    return None


def overflow_sentence(record: OverflowRecord) -> str:
    """A record in a few words."""
    layers = [layer for layer in record.layers if layer.count != 0]
    if not layers:
        return f"none, in {len(record.layers)} layers where sums can overflow"
    first = record.first
    if first is None:
        return f"possible in {_named(layers)}"
    (one,) = (layer for layer in layers if layer.operator == first.operator)
    others = [layer for layer in layers if layer is not one]
    return (
        f"{one.count:,} of {one.accumulators:,} accumulators of {one.operator} left {one.bits} "
        f"bits ({one.overflow}); first at row {first.row}, column {first.column}, channel "
        f"{first.channel}, with {first.sum:,}"
    ) + (f"; others in {_named(others)}" if others else "")


def _named(layers: Sequence[OverflowingLayer]) -> str:
    names = [
        layer.operator + ("" if layer.count is None else f" ({layer.count:,})")
        for layer in layers[:_NAMED_LAYERS]
    ]
    more = len(layers) - len(names)
    return ", ".join(names) + (f" and {more} more layers" if more else "")
