"""What is measured: units of every kind of datapath, at which widths, on which operands."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from accelerators.datapaths.interface import folds
from accelerators.synthesis.output_units import (
    GUARD_BITS,
    OUTPUT_KINDS,
    Size,
    output_trial,
    output_unit,
)
from accelerators.synthesis.part_units import (
    adder_trial,
    adder_unit,
    multiplier_trial,
    multiplier_unit,
)
from accelerators.synthesis.products import Product, random_products
from accelerators.synthesis.scale_units import (
    random_elements,
    random_sums,
    requantizer_trial,
    requantizer_unit,
    vector_lane_trial,
    vector_lane_unit,
)
from accelerators.synthesis.stationary_units import (
    STATIONARY_KINDS,
    stationary_trial,
    stationary_unit,
)
from accelerators.synthesis.unit import Trial, Unit
from hwsim.calibration.recorded import Recording
from hwsim.verify.stepped.digits import terms_of

WIDTHS = tuple(range(1, 17))
"""Widths in bits that are measured unless others are asked for."""

RANDOM, RECORDED = "random", "recorded"

CROSSED = (1, 2, 4, 8, 16)
"""Widths of which every pair is measured; of the others, both operands have the same."""

_EXCHANGED = ("input_stationary", "weight_serial")
"""Kinds that are others with their operands exchanged."""

_JOINED = (2, 4, 8)
"""Widths that a fusion unit can be set to."""

_TERM_BITS = (2, 3, 4, 5)
"""Of a term's sign and exponent; such terms make up weights of 2, 4, 8 and 16 bits."""

REQUANTIZERS = ((28, 8), (32, 16), (32, 32), (40, 32))
"""Widths of sums and multipliers."""

MULTIPLIERS = ((2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (8, 8), (12, 12), (16, 16))
ADDERS = (16, 32)
WIDER, WIDER_BITS = "wider_accumulator", 16
"""An element for 8 x 8 bits whose accumulator has so many bits more."""

LANES = (4, 64)
"""Of serial elements for 8 x 8 bits, beside those that all others have."""

_REFERENCE = (8, 8)
_VECTOR_BITS = 8
"""Of codes that the vector unit is given."""

Records = Callable[[int, int], Recording | None]
"""What a network computes with at a width of weights and of activations; None if it cannot."""
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Point:
    """One measurement.

    Attributes:
        datapath: kind of datapath, ``requantizer`` or ``vector_lane``.
        weight_bits: width of a weight (of `shift_add`, of a term); of a requantizer, of the sum.
        activation_bits: width of an activation; of a requantizer, of the multiplier.
        operands: `RANDOM`, `RECORDED`, or with ``_add`` behind it, of an addition.
        unit: what is synthesized.
        trial: makes what it is fed; None where the network has no such operands.
    """

    datapath: str
    weight_bits: int
    activation_bits: int
    operands: str
    unit: Unit
    trial: Callable[[], Trial | None]


def points(widths: Sequence[int], records: Records) -> list[Point]:
    """Everything there is to measure, small units first.

    Args:
        widths: of operands, 1 to 16.
        records: of the network that operands are recorded from.
    """
    found = [
        point
        for datapath in (*OUTPUT_KINDS, *STATIONARY_KINDS)
        for pair in _pairs(datapath, widths)
        for point in _of_datapath(datapath, pair, records)
    ]
    found.sort(key=lambda point: max(point.weight_bits, point.activation_bits))
    return [*found, *_parts(), *_behind_the_array(records)]


def _pairs(datapath: str, widths: Sequence[int]) -> list[Pair]:
    """Widths of weights and activations of a kind."""
    if datapath == "shift_add":
        activations = [bits for bits in widths if bits in (*CROSSED, 6, 12)]
        return [(term, bits) for term in _TERM_BITS for bits in activations]
    chosen = _JOINED if datapath == "composable" else CROSSED
    pairs = {(one, other) for one in widths for other in widths if {one, other} <= {*chosen}}
    if datapath not in ("composable", *_EXCHANGED):
        pairs |= {(bits, bits) for bits in widths}
    if datapath == "activation_serial":  # any width of activations on the units that there are
        pairs |= {(bits, 8) for bits in widths if 8 in widths}
    return sorted(pairs)


def _of_datapath(datapath: str, pair: Pair, records: Records) -> Iterator[Point]:
    is_output = datapath in OUTPUT_KINDS
    unit = (output_unit if is_output else stationary_unit)(datapath, *pair)
    trial_of = output_trial if is_output else stationary_trial
    has_terms = is_output and OUTPUT_KINDS[datapath].terms

    def random() -> Trial:
        products = _random_terms(*pair) if has_terms else random_products(*pair)
        return trial_of(datapath, products)

    def recorded() -> Trial | None:
        weight_bits = 1 << (pair[0] - 1) if has_terms else pair[0]
        recording = records(weight_bits, pair[1])
        if recording is None:
            return None
        products = recording.products
        if has_terms:
            products = tuple(_in_terms(product, pair[0]) for product in products)
        return trial_of(datapath, products)

    yield Point(datapath, *pair, RANDOM, unit, random)
    yield Point(datapath, *pair, RECORDED, unit, recorded)


def _random_terms(term_bits: int, activation_bits: int) -> tuple[Product, ...]:
    """Terms of any sign and exponent, none of them absent."""
    (product,) = random_products(term_bits, activation_bits)
    generator = np.random.default_rng([term_bits, activation_bits])
    signs = generator.choice(np.array([-1, 1]), product.weights.shape)
    exponents = generator.integers(0, 1 << (term_bits - 1), product.weights.shape)
    return (Product(product.activations, signs * (exponents + 1), activation_bits, term_bits),)


def _in_terms(product: Product, term_bits: int) -> Product:
    """Every weight as so many terms as the widest needs, one cycle each."""
    count = folds(product.weight_bits, 2)
    terms = terms_of(product.weights, count).values  # [terms, reduction, channels]
    return Product(
        np.repeat(product.activations, count, axis=1),
        terms.transpose(1, 0, 2).reshape(-1, product.weights.shape[1]),
        product.activation_bits,
        term_bits,
        product.is_signed,
    )


def _parts() -> Iterator[Point]:
    """Multipliers and adders alone; elements with a wider accumulator, and with other lanes."""
    for pair in MULTIPLIERS:
        yield Point(
            "multiplier", *pair, RANDOM, multiplier_unit(*pair), _call(multiplier_trial, *pair)
        )
    for bits in ADDERS:
        yield Point("adder", bits, bits, RANDOM, adder_unit(bits), _call(adder_trial, bits))
    yield _sized(WIDER, "output_stationary", Size(GUARD_BITS + WIDER_BITS))
    for datapath in ("activation_serial", "bit_serial"):
        for lanes in LANES:
            yield _sized(f"{datapath}, {lanes} lanes", datapath, Size(lanes=lanes))


def _sized(name: str, datapath: str, size: Size) -> Point:
    """An element for 8 x 8 bits of another size."""
    return Point(
        name,
        *_REFERENCE,
        RANDOM,
        output_unit(datapath, *_REFERENCE, size),
        lambda: output_trial(datapath, random_products(*_REFERENCE), size),
    )


def _call(trial: Callable[..., Trial], *widths: int) -> Callable[[], Trial]:
    return lambda: trial(*widths)


def _behind_the_array(records: Records) -> Iterator[Point]:
    """Requantizers, and last the lane of the vector unit, which takes longest."""
    for sum_bits, multiplier_bits in REQUANTIZERS:
        unit = requantizer_unit(sum_bits, multiplier_bits)
        widths = (sum_bits, multiplier_bits)
        trial = _call(_random_requantizer, *widths)
        yield Point("requantizer", *widths, RANDOM, unit, trial)
        if multiplier_bits == max(bits for _, bits in REQUANTIZERS):
            yield Point("requantizer", *widths, RECORDED, unit, lambda: _recorded_sums(records))
    lane, bits = vector_lane_unit(), (_VECTOR_BITS, _VECTOR_BITS)
    for adds, suffix in ((False, ""), (True, "_add")):
        yield Point("vector_lane", *bits, RANDOM + suffix, lane, _call(_random_lane, adds))
    yield Point("vector_lane", *bits, f"{RECORDED}_add", lane, lambda: _recorded_additions(records))


def _random_requantizer(sum_bits: int, multiplier_bits: int) -> Trial:
    return requantizer_trial(random_sums(sum_bits, multiplier_bits))


def _random_lane(adds: bool) -> Trial:
    return vector_lane_trial(random_elements(_VECTOR_BITS, adds=adds))


def _recorded_sums(records: Records) -> Trial | None:
    recording = records(_VECTOR_BITS, _VECTOR_BITS)
    return None if recording is None else requantizer_trial(recording.sums)


def _recorded_additions(records: Records) -> Trial | None:
    recording = records(_VECTOR_BITS, _VECTOR_BITS)
    if recording is None or recording.additions is None:
        return None
    return vector_lane_trial(recording.additions)
