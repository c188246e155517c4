"""Processing elements that hold operands: what is synthesized of each kind, and what it is fed.

An element in the middle of a column multiplies what it holds by what streams past, pixel by pixel
(or, where activations are held, channel by channel), and adds the sum from above. While a fold
streams past, the operands that the column holds next come down.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from accelerators.synthesis.products import Product, products_by_stream
from accelerators.synthesis.simulator import STREAMS
from accelerators.synthesis.unit import (
    Expected,
    Integers,
    Trial,
    Unit,
    for_all_streams,
    low_bits,
)

ROWS = 32
"""Of the array that the element is in the middle of."""

ROW = ROWS // 2
"""Of the element."""

FOLDS = 2
"""Loads of the array that each stream passes, of which the first is not measured."""

COMPOSABLE_BITS = 8
"""Both native widths of a fusion unit."""

_OPERAND_BITS = 16
"""The widest operand that a fusion unit holds."""

_BRICK_BITS = 2
_MODE_BITS = 3


@dataclass(frozen=True, slots=True)
class StationaryKind:
    """How a kind of element is made.

    Attributes:
        element: what it does (`accelerators/rtl/stationary_element.v`).
        holds_weights: or else activations.
    """

    element: str
    holds_weights: bool = True


STATIONARY_KINDS: dict[str, StationaryKind] = {
    "weight_stationary": StationaryKind("multiply"),
    "input_stationary": StationaryKind("multiply", holds_weights=False),
    "composable": StationaryKind("bricks"),
}
"""By kind of datapath."""


@dataclass(frozen=True, slots=True)
class _Widths:
    """What an element holds and takes at a time, and the sum it passes on.

    A fusion unit has as many operands of `held_field` and `stream_field` bits side by side as it
    makes products; what is left of its ports is 0.
    """

    held_bits: int
    stream_bits: int
    held_field: int
    stream_field: int
    products: int
    sum_bits: int


def _widths(kind: StationaryKind, weight_bits: int, activation_bits: int) -> _Widths:
    if kind.element == "bricks":
        native = COMPOSABLE_BITS
        bricks = (native // _BRICK_BITS) ** 2
        products = native // weight_bits * (native // activation_bits)
        sum_bits = 2 * native + 2 + (bricks - 1).bit_length() + (ROWS - 1).bit_length()
        held, stream = _OPERAND_BITS * native // 2, native * native // 2
        return _Widths(held, stream, weight_bits, activation_bits, products, sum_bits)
    held, stream = weight_bits, activation_bits
    if not kind.holds_weights:
        held, stream = stream, held
    sum_bits = weight_bits + activation_bits + 2 + (ROWS - 1).bit_length()
    return _Widths(held, stream, held, stream, 1, sum_bits)


def stationary_unit(datapath: str, weight_bits: int, activation_bits: int) -> Unit:
    """The element of a kind for operands of these widths; a fusion unit serves 2, 4 and 8 bits."""
    kind = STATIONARY_KINDS[datapath]
    widths = _widths(kind, weight_bits, activation_bits)
    joins = kind.element == "bricks"
    native = (COMPOSABLE_BITS,) * 2 if joins else (weight_bits, activation_bits)
    row_bits = (ROWS - 1).bit_length()
    # {slice of the held operand, held signed, streamed signed, first of a fold, valid}
    signs = ("1'b1", "activations_signed")
    held_signed, streamed_signed = signs if kind.holds_weights else reversed(signs)
    control = f"{{1'b0, {held_signed}, {streamed_signed}, first, valid}}"
    inputs = {
        "valid": 1,
        "first": 1,
        "activations_signed": 1,
        "stream": widths.stream_bits,
        "held_row": row_bits + 1,
        "held": widths.held_bits,
        "sum": widths.sum_bits,
    }
    inputs |= {"weight_mode": _MODE_BITS, "activation_mode": _MODE_BITS} if joins else {}
    return Unit(
        datapath if joins else f"{datapath}_w{weight_bits}_a{activation_bits}",
        "stationary_element",
        {
            "KIND": kind.element,
            "ROW_BITS": row_bits,
            "WEIGHT_BITS": native[0],
            "ACTIVATION_BITS": native[1],
            "HELD_BITS": widths.held_bits,
            "STREAM_BITS": widths.stream_bits,
            "MODE_BITS": _MODE_BITS,
            "INDEX_BITS": 1,
            "SUM_BITS": widths.sum_bits,
        },
        inputs,
        {
            "reset": "1'b0",
            "row": f"{row_bits}'d{ROW}",
            "weight_mode": "weight_mode" if joins else "0",
            "activation_mode": "activation_mode" if joins else "0",
            "control_in": control,
            "stream_in": "stream",
            "held_row_in": "held_row",
            "held_in": "held",
            "sum_in": "sum",
        },
        {
            "control_out": 5,
            "stream_out": widths.stream_bits,
            "held_row_out": row_bits + 1,
            "held_out": widths.held_bits,
            "sum_out": widths.sum_bits,
        },
    )


def stationary_trial(datapath: str, products: Sequence[Product], seed: int = 0) -> Trial:
    """Folds of products on an element, in the order in which an array feeds it.

    Args:
        datapath: a key of `STATIONARY_KINDS`.
        products: all of the same widths and shape.
        seed: of the part of a product that each stream's element has.
    """
    kind = STATIONARY_KINDS[datapath]
    generator = np.random.default_rng(seed)
    chosen = products_by_stream(products, STREAMS)
    weight_bits, activation_bits = chosen[0].weight_bits, chosen[0].activation_bits
    widths = _widths(kind, weight_bits, activation_bits)
    parts = [_part(kind, product, widths, generator) for product in chosen]
    stream = np.stack([part.stream for part in parts], axis=-1)  # [cycles, products, streams]
    column = np.stack([part.column for part in parts], axis=-1)  # [folds + 1, rows, products, ...]
    above = np.stack([part.above for part in parts], axis=-1)
    made = np.stack([part.made for part in parts], axis=-1)

    cycles = len(stream)
    length = cycles // FOLDS
    fold, position = np.divmod(np.arange(cycles), length)
    loads = position < ROWS
    loaded = _packed(column[fold + 1, np.minimum(position, ROWS - 1)], widths.held_field)
    begun = np.ones(cycles, np.int64)
    signs = np.array([product.is_signed for product in chosen], np.int64)
    stimulus = {
        "valid": for_all_streams(begun),
        "first": for_all_streams(position == 0),
        "activations_signed": np.tile(signs, (cycles, 1)),
        "stream": _packed(stream, widths.stream_field),
        "held_row": for_all_streams(np.where(loads, position << 1 | 1, 0)),
        "held": np.where(loads[:, np.newaxis], loaded, 0),
        "sum": low_bits(above, widths.sum_bits),
    }
    if kind.element == "bricks":
        stimulus["weight_mode"] = for_all_streams(begun * (weight_bits.bit_length() - 1))
        stimulus["activation_mode"] = for_all_streams(begun * (activation_bits.bit_length() - 1))
    # In front, a cycle in which the first fold's operand reaches this row.
    for port, values in stimulus.items():
        stimulus[port] = np.concatenate([np.zeros_like(values[:1]), values])
    stimulus["held_row"][0] = ROW << 1 | 1
    stimulus["held"][0] = _packed(column[:1, ROW], widths.held_field)[0]
    return Trial(
        stimulus,
        length + 1,
        widths.products,
        (Expected("sum_out", np.arange(2, cycles + 1), low_bits(made, widths.sum_bits)[:-1]),),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """What one stream's element has of a product.

    Attributes:
        stream: what passes it, [cycles, products].
        column: what its column holds, [folds + 1, rows, products].
        above: sums that reach it, [cycles].
        made: the same with its own products, [cycles].
    """

    stream: Integers
    column: Integers
    above: Integers
    made: Integers


def _part(
    kind: StationaryKind, product: Product, widths: _Widths, generator: np.random.Generator
) -> _Part:
    """A column's share of a product: as many operands of the reduction as its rows hold.

    Where a product has fewer, they are taken again from its beginning.
    """
    passing, held = product.activations, product.weights.T
    if not kind.holds_weights:
        passing, held = held, passing
    depth = ROWS * widths.products
    streams, columns, above, made = [], [], [], []
    for fold in range(FOLDS + 1):
        first = generator.integers(0, product.weights.shape[0])
        places = (first + np.arange(depth)) % product.weights.shape[0]
        column = held[generator.integers(0, len(held)), places].reshape(ROWS, widths.products)
        columns.append(column)
        if fold == FOLDS:
            break
        fed = passing[:, places].reshape(len(passing), ROWS, widths.products)
        products = (fed * column).sum(axis=2)
        streams.append(fed[:, ROW])
        above.append(products[:, :ROW].sum(axis=1))
        made.append(products[:, : ROW + 1].sum(axis=1))
    return _Part(
        np.concatenate(streams), np.stack(columns), np.concatenate(above), np.concatenate(made)
    )


def _packed(fields: Integers, bits: int) -> Integers:
    """Operands side by side, the first one lowest; [cycles, operands, streams] to two axes."""
    shifts = (bits * np.arange(fields.shape[1]))[:, np.newaxis]
    words: Integers = np.bitwise_or.reduce(low_bits(fields, bits) << shifts, axis=1)
    return words
