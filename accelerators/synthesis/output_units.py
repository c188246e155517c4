"""Processing elements that keep an output: what is synthesized of each kind, and what it is fed.

Elements are fitted to their widths: what a machine of these widths never uses is tied, so that
bit-parallel elements have no shifter for slices. Serial ones serve any width of what is serial, up
to `SERIAL_BITS`. Accumulators have `GUARD_BITS` more than the widest product.
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
    joined,
    lane_ports,
    low_bits,
)

GUARD_BITS = 12
"""Sums of 4096 products fit."""

SERIAL_BITS = 16
"""The widest operand that is fed bit by bit."""

SERIAL_LANES = 16
"""Lanes of serial elements, as in the study that `nangate45` comes from."""

ROWS = 32
"""Of the array that the element is in the middle of: so many drained sums pass it."""

WINDOWS = 2
"""Outputs that each stream computes, of which the first is not measured."""

LEAST_CYCLES, MOST_CYCLES = 288, 1200
"""Of an output: products are taken from its beginning again, or left out, to stay between."""


@dataclass(frozen=True, slots=True)
class OutputKind:
    """How a kind of element is made.

    Attributes:
        lane: what its lanes do (`accelerators/rtl/lane_product.v`).
        serial_activations: whether activations come bit by bit.
        serial_weights: whether weights do.
        terms: whether weights come as signed powers of two.
    """

    lane: str
    serial_activations: bool = False
    serial_weights: bool = False
    terms: bool = False

    @property
    def is_serial(self) -> bool:
        """Whether any operand comes bit by bit."""
        return self.serial_activations or self.serial_weights

    @property
    def lanes(self) -> int:
        """Products that it adds in a cycle."""
        return SERIAL_LANES if self.is_serial else 1


OUTPUT_KINDS: dict[str, OutputKind] = {
    "output_stationary": OutputKind("multiply"),
    "activation_serial": OutputKind("gate_weight", serial_activations=True),
    "weight_serial": OutputKind("gate_activation", serial_weights=True),
    "bit_serial": OutputKind("count_bits", serial_activations=True, serial_weights=True),
    "shift_add": OutputKind("shift_add", terms=True),
}
"""By kind of datapath."""


@dataclass(frozen=True, slots=True)
class Size:
    """What of an element does not follow from its kind and widths.

    Attributes:
        guard_bits: by which its accumulator is wider than a product.
        lanes: products that it adds in a cycle; None for as many as its kind has.
    """

    guard_bits: int = GUARD_BITS
    lanes: int | None = None

    @property
    def suffix(self) -> str:
        """Of the element's name, where anything is not as usual."""
        guard = "" if self.guard_bits == GUARD_BITS else f"_g{self.guard_bits}"
        return guard + ("" if self.lanes is None else f"_l{self.lanes}")


USUAL = Size()


@dataclass(frozen=True, slots=True)
class _Widths:
    """Widths of an element's ports.

    A term of ``w`` bits has a sign, an exponent of w - 1 bits, and on its port a bit that says
    whether there is any; it stands for a weight of up to 2^(w - 1) bits.
    """

    activation_digit: int
    weight_digit: int
    sum_bits: int
    place_bits: int


def _widths(
    kind: OutputKind, weight_bits: int, activation_bits: int, guard_bits: int = GUARD_BITS
) -> _Widths:
    widest_weight = SERIAL_BITS if kind.serial_weights else weight_bits
    if kind.terms:
        widest_weight = 1 << (weight_bits - 1)
    widest_activation = SERIAL_BITS if kind.serial_activations else activation_bits
    places = (SERIAL_BITS - 1) * (kind.serial_activations + kind.serial_weights)
    return _Widths(
        1 if kind.serial_activations else activation_bits,
        1 if kind.serial_weights else weight_bits + kind.terms,
        widest_weight + widest_activation + guard_bits,
        max(places.bit_length(), 1),
    )


def output_unit(datapath: str, weight_bits: int, activation_bits: int, size: Size = USUAL) -> Unit:
    """The element of a kind for operands of these widths; of a serial one, the same for many.

    Args:
        datapath: a key of `OUTPUT_KINDS`.
        weight_bits: of a weight (of `shift_add`, of a term).
        activation_bits: of an activation.
        size: where it is not the usual one.
    """
    kind = OUTPUT_KINDS[datapath]
    lanes = size.lanes or kind.lanes
    widths = _widths(kind, weight_bits, activation_bits, size.guard_bits)
    name = datapath + size.suffix
    name += "" if kind.serial_weights else f"_w{weight_bits}"
    name += "" if kind.serial_activations else f"_a{activation_bits}"
    inputs = {"valid": 1, "first": 1, "last": 1, "drain_shift": 1, "drain_in": widths.sum_bits}
    inputs |= dict.fromkeys(lane_ports("activations", lanes), widths.activation_digit)
    inputs |= dict.fromkeys(lane_ports("weights", lanes), widths.weight_digit)
    inputs |= {"place": widths.place_bits, "subtract": 1} if kind.is_serial else {}
    inputs |= {} if kind.serial_activations else {"activations_signed": 1}
    control = [
        "place" if kind.is_serial else "1'b0",
        "1'b0" if kind.serial_weights else "1'b1",
        "1'b0" if kind.serial_activations else "activations_signed",
        "subtract" if kind.is_serial else "1'b0",
        *("last", "first", "valid"),
    ]
    return Unit(
        name,
        "output_element",
        {
            "KIND": kind.lane,
            "LANES": lanes,
            "ACTIVATION_BITS": widths.activation_digit,
            "WEIGHT_BITS": widths.weight_digit,
            "SUM_BITS": widths.sum_bits,
            "PLACE_BITS": widths.place_bits,
        },
        inputs,
        {
            "reset": "1'b0",
            "control_in": f"{{{', '.join(control)}}}",
            "activations_in": joined(lane_ports("activations", lanes)),
            "weights_in": joined(lane_ports("weights", lanes)),
            "drain_shift": "drain_shift",
            "drain_in": "drain_in",
        },
        {
            "control_out": 6 + widths.place_bits,
            "activations_out": lanes * widths.activation_digit,
            "weights_out": lanes * widths.weight_digit,
            "drain_out": widths.sum_bits,
        },
    )


def output_trial(
    datapath: str, products: Sequence[Product], size: Size = USUAL, seed: int = 0
) -> Trial:
    """Windows of products on an element, in the order in which an array feeds it.

    Args:
        datapath: a key of `OUTPUT_KINDS`.
        products: all of the same widths and reduction; of `shift_add`, weights are terms, each
            ``sign x (exponent + 1)``, or 0.
        size: as in `output_unit`.
        seed: of which pixels and channels the streams compute, and of what else is drained.
    """
    kind = OUTPUT_KINDS[datapath]
    generator = np.random.default_rng(seed)
    chosen = products_by_stream(products, STREAMS)
    weight_bits, activation_bits = chosen[0].weight_bits, chosen[0].activation_bits
    lanes = size.lanes or kind.lanes
    widths = _widths(kind, weight_bits, activation_bits, size.guard_bits)
    is_signed = np.array([product.is_signed for product in chosen], np.int64)

    cycles_a_step = (activation_bits if kind.serial_activations else 1) * (
        weight_bits if kind.serial_weights else 1
    )
    steps = chosen[0].activations.shape[1] // lanes
    steps = max(min(steps, MOST_CYCLES // cycles_a_step), -(-LEAST_CYCLES // cycles_a_step))
    activations, weights = _windows(chosen, steps, lanes, generator)
    sums = (activations * (_powers(weights) if kind.terms else weights)).sum(axis=(1, 2))
    codes = _coded_terms(weights, weight_bits) if kind.terms else weights
    digits_a = _digits(activations, activation_bits, kind.serial_activations)
    digits_w = _digits(codes, weight_bits, kind.serial_weights)
    # Every digit of a weight meets every digit of an activation, for one step after the other.
    pairs = [(i, j) for i in range(len(digits_w)) for j in range(len(digits_a))]

    def fed(digits: Integers) -> Integers:
        """[pairs, windows, steps, lanes, streams] to [lanes, cycles, streams]."""
        by_lane = np.moveaxis(digits, (3, 0), (0, 3))
        return np.ascontiguousarray(by_lane).reshape(lanes, -1, STREAMS)

    lanes_a = fed(digits_a[[j for _, j in pairs]])
    lanes_w = fed(digits_w[[i for i, _ in pairs]])
    cycles = lanes_a.shape[1] // WINDOWS
    time = np.arange(WINDOWS * cycles)
    drains = (time % cycles < ROWS // 2) & (time >= cycles)
    stimulus = {
        "valid": for_all_streams(np.ones_like(time)),
        "first": for_all_streams(time % cycles == 0),
        "last": for_all_streams(time % cycles == cycles - 1),
        "drain_shift": for_all_streams(drains),
        "drain_in": _drained(sums[0], drains, generator),
        **dict(zip(lane_ports("activations", lanes), lanes_a, strict=True)),
        **dict(zip(lane_ports("weights", lanes), lanes_w, strict=True)),
    }
    if kind.is_serial:
        pair = time % len(pairs)
        stimulus["place"] = for_all_streams(np.array([i + j for i, j in pairs])[pair])
        negative_a = np.outer([j == len(digits_a) - 1 for _, j in pairs], is_signed)
        negative_w = np.array([[i == len(digits_w) - 1] for i, _ in pairs])
        subtract = negative_a * kind.serial_activations ^ negative_w * kind.serial_weights
        stimulus["subtract"] = subtract[pair]
    if not kind.serial_activations:
        stimulus["activations_signed"] = np.tile(is_signed, (len(time), 1))
    done = np.arange(1, WINDOWS + 1) * cycles
    return Trial(
        # A window's sum is in the drain register in the cycle behind its last operands.
        {port: np.concatenate([values, values[:1]]) for port, values in stimulus.items()},
        cycles,
        lanes / len(pairs),
        (Expected("drain_out", done, low_bits(sums, widths.sum_bits)),),
    )


def _windows(
    products: Sequence[Product], steps: int, lanes: int, generator: np.random.Generator
) -> tuple[Integers, Integers]:
    """Operands of each stream's outputs, [windows, steps, lanes, streams], and their weights.

    An element computes one channel, of pixels that are an array's rows apart.
    """
    activations, weights = [], []
    for product in products:
        pixels, reduction = product.activations.shape
        taken = np.arange(steps * lanes) % reduction
        each = (generator.integers(0, pixels) + ROWS * np.arange(WINDOWS)) % pixels
        channel = generator.integers(0, product.weights.shape[1])
        whole = product.activations[each][:, taken]
        activations.append(whole.reshape(WINDOWS, steps, lanes))
        of_channel = np.tile(product.weights[taken, channel], (WINDOWS, 1))
        weights.append(of_channel.reshape(WINDOWS, steps, lanes))
    return np.stack(activations, axis=-1), np.stack(weights, axis=-1)


def _digits(operands: Integers, bits: int, is_serial: bool) -> Integers:
    """An operand's bits, lowest first, or the whole of it; [digits, ...]."""
    if not is_serial:
        return operands[np.newaxis]
    return np.stack([operands >> place & 1 for place in range(bits)])


def _powers(terms: Integers) -> Integers:
    """The integers that terms stand for."""
    powers: Integers = np.sign(terms) << np.maximum(np.abs(terms) - 1, 0)
    return powers


def _coded_terms(terms: Integers, bits: int) -> Integers:
    """Terms as a lane takes them: the exponent, above it the sign, above that whether it is one."""
    exponents = np.maximum(np.abs(terms) - 1, 0)
    codes: Integers = exponents | (terms < 0).astype(np.int64) << (bits - 1) | (terms != 0) << bits
    return codes


def _drained(sums: Integers, drains: Integers, generator: np.random.Generator) -> Integers:
    """What the elements above drain: outputs of other streams, and none in between."""
    others = sums[generator.integers(0, STREAMS, (len(drains), STREAMS))]
    return np.where(drains[:, np.newaxis], others, 0)
