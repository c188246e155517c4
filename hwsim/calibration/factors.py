"""From measured points to a file of datapath factors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from accelerators.curves import Grid
from accelerators.synthesis.liberty import Library
from accelerators.synthesis.output_units import GUARD_BITS, OUTPUT_KINDS
from hwsim.calibration.campaign import Measured
from hwsim.calibration.fits import Figure, fitted, largest_error, rounded
from hwsim.calibration.points import RANDOM, RECORDED, WIDER, WIDER_BITS
from quant.common.errors import UserError

Document = dict[str, Any]

REFERENCE = ("output_stationary", 8, 8)
"""What everything is relative to."""


@dataclass(frozen=True, slots=True)
class Study:
    """What a study is called and made with.

    Attributes:
        name: of the file.
        library: the cells.
        technology_nm: node of the library; None where it is not known, and then there are no areas
            of parts.
        tools: programs and their versions.
        network: what operands were recorded from.
        command: that makes the file.
    """

    name: str
    library: Library
    technology_nm: int | None
    tools: tuple[str, ...]
    network: str
    command: str


@dataclass(frozen=True, slots=True)
class _Kind:
    """How figures of a kind of datapath are put.

    Attributes:
        source: what was synthesized.
        static: terms of the fit of what is spent whatever the operands are.
        area: terms of the fit of areas.
        registers: terms of flip-flops; none where the clock stays inside the energy.
        accumulator_registers: see `accelerators.datapath_factors`.
        lanes: by which areas are divided.
        widths_bits: that the unit can be set to.
    """

    source: str
    static: tuple[str, ...]
    area: tuple[str, ...]
    registers: tuple[str, ...] = ()
    accumulator_registers: int = 1
    lanes: int = 1
    widths_bits: tuple[int, ...] = ()


_BOTH = ("constant", "per_bit", "per_bit_pair")
_EACH = ("constant", "per_weight_bit", "per_activation_bit", "per_bit_pair")
_LANES = OUTPUT_KINDS["activation_serial"].lanes

_KINDS: Mapping[str, _Kind] = {
    "output_stationary": _Kind(
        f"output_element: operand registers, an accumulator of w + a + {GUARD_BITS} bits and a "
        "drain register as wide",
        _BOTH,
        _BOTH,
        ("constant", "per_bit"),
        2,
    ),
    "weight_stationary": _Kind(
        "stationary_element: the weight in use, the next one and the one that passes, an "
        "activation register, and a sum that moves down, of w + a + 7 bits; the accumulator "
        "memory behind a column is not part of it",
        _EACH,
        _EACH,
        _EACH[:3],
        0,
    ),
    "input_stationary": _Kind(
        "the same, holding activations",
        _EACH,
        _EACH,
        _EACH[:3],
        0,
    ),
    "activation_serial": _Kind(
        f"output_element of {_LANES} lanes that take an activation's bits one by one",
        _EACH,
        ("constant", "per_weight_bit"),
        lanes=_LANES,
    ),
    "weight_serial": _Kind(
        f"output_element of {_LANES} lanes that take a weight's bits one by one",
        _EACH,
        ("constant", "per_activation_bit"),
        lanes=_LANES,
    ),
    "bit_serial": _Kind(
        f"output_element of {_LANES} lanes that take both operands' bits one by one",
        _EACH,
        ("constant",),
        lanes=_LANES,
    ),
    "composable": _Kind(
        "stationary_element with a fusion unit of 16 products of 2 x 2 bits, for 8 x 8 bits",
        _EACH,
        ("constant",),
        widths_bits=(2, 4, 8),
    ),
    "shift_add": _Kind(
        "output_element of one lane that shifts: weight bits are those of a term, its sign and "
        "exponent, and a figure is that of one term",
        _EACH,
        _EACH,
    ),
}


def factors_document(measured: Sequence[Measured], study: Study) -> Document:
    """What the file holds, as the schema `accelerators.datapath_factors` wants it.

    Raises:
        UserError: the 8 x 8 unit that everything is relative to was not measured.
    """
    random = [point for point in measured if point.operands == RANDOM]
    recorded = [point for point in measured if point.operands == RECORDED]
    reference = [point for point in random if _key(point) == REFERENCE]
    if not reference:
        raise UserError(
            "factors are relative to 8 x 8 bits, but 8 is not among the widths; add it to --widths"
        )
    reference_pj = rounded(reference[0].energy.delayed_pj)
    found = {kind: _figures(random, kind) for kind in _KINDS}
    kinds = [kind for kind, points in found.items() if points]
    library = study.library
    document: Document = {
        "name": study.name,
        "version": 1,
        "description": f"Relative energy and area of processing elements in {library.name} cells, "
        "by datapath and operand widths",
        "source": "this project's Verilog (accelerators/rtl), synthesized and simulated gate by "
        f"gate with the cells of {library.name}",
        "energy": [
            _energy(kind, found[kind], _figures(recorded, kind), reference_pj) for kind in kinds
        ],
        "area": [_area(kind, found[kind], random) for kind in kinds],
        "clock": {
            "source": "clock net and clock pin of a flip-flop, both edges",
            "pj_per_flop": rounded(_clock_pj(random)),
        },
        "requantizer_by_bit_product": {
            "source": "requantizers, one output a cycle, by the widths of sum and multiplier",
            "points": _curve(random, "requantizer", lambda point: point.energy.delayed_pj),
            "below_first_point": "proportional",
        },
        "requantizer_reference_pj": reference_pj,
        "provenance": {
            "library": library.name,
            "library_sha256": library.sha256,
            "supply_v": library.supply_v,
            "tools": list(study.tools),
            "operands": [
                "measured_pj: uniformly random signed integers, in the order in which an array "
                "feeds an element",
                f"recorded_pj: those of {study.network}'s commonest convolutions, quantized to "
                "these widths, in the same order",
            ],
            "toggles": "with the library's delays by load and edge, which swallow shorter pulses; "
            "no wires",
            "command": study.command,
        },
    }
    if study.technology_nm is not None:
        document["parts"] = _parts(random, library, study.technology_nm)
    return document


def _key(point: Measured) -> tuple[str, int, int]:
    return point.datapath, point.weight_bits, point.activation_bits


@dataclass(frozen=True, slots=True)
class _Figures:
    """What was measured of a kind, by widths."""

    energies_pj: list[Figure]
    points: list[Measured]

    def __bool__(self) -> bool:
        return bool(self.points)


def _figures(measured: Sequence[Measured], kind: str) -> _Figures:
    points = sorted((point for point in measured if point.datapath == kind), key=_key)
    energies = [
        (point.weight_bits, point.activation_bits, rounded(point.energy.delayed_pj))
        for point in points
    ]
    return _Figures(energies, points)


def _energy(name: str, random: _Figures, recorded: _Figures, reference_pj: float) -> Document:
    kind = _KINDS[name]
    grid = _grid(random.energies_pj)
    of_grid = Grid.model_validate(grid)
    error = max(abs(of_grid.at(w, a) / energy_pj - 1) for w, a, energy_pj in random.energies_pj)
    found: Document = {
        "datapaths": [name],
        "source": f"{kind.source}; "
        + (
            f"other widths that were measured are missed by {100 * error:.0f} % at most"
            if error
            else "no other widths were measured"
        ),
        "reference_pj": reference_pj,
        "by_widths": grid,
        "static": fitted(
            [
                (point.weight_bits, point.activation_bits, point.energy.clock_pj)
                for point in random.points
            ],
            kind.static,
        ),
    }
    if kind.widths_bits:
        found["widths_bits"] = list(kind.widths_bits)
    if kind.registers:
        flops = [
            (point.weight_bits, point.activation_bits, float(point.hardware.flip_flops))
            for point in random.points
        ]
        found["register_bits"] = fitted(flops, kind.registers)
        found["accumulator_registers"] = kind.accumulator_registers
    found["measured_pj"] = [list(figure) for figure in random.energies_pj]
    if recorded:
        found["recorded_pj"] = [list(figure) for figure in recorded.energies_pj]
    return found


def _grid(figures: Sequence[Figure]) -> Document:
    """Figures at the widths of activations that 8-bit weights (or the narrowest) were measured at.

    None is below that of narrower operands.
    """
    known = {(w, a): figure for w, a, figure in figures}
    common = 8 if (8, 8) in known else min(w for w, _ in known)
    columns = sorted(a for w, a in known if w == common)
    weights = sorted({w for w, _ in known if all((w, a) in known for a in columns)})
    rows = np.array([[known[w, a] for a in columns] for w in weights])
    rows = np.maximum.accumulate(np.maximum.accumulate(rows, axis=0), axis=1)
    return {"weight_bits": weights, "activation_bits": columns, "rows": rows.tolist()}


def _area(name: str, figures: _Figures, random: Sequence[Measured]) -> Document:
    kind = _KINDS[name]
    areas = {
        point.unit: (
            point.weight_bits,
            point.activation_bits,
            rounded(point.hardware.area_ge / kind.lanes),
        )
        for point in figures.points
    }
    of_units = list(areas.values())
    fit = fitted(of_units, kind.area)
    found: Document = {
        "datapaths": [name],
        "source": f"{kind.source}; the fit misses by {100 * largest_error(of_units, fit):.0f} % "
        "at most" + (f"; a lane's share of {kind.lanes}" if kind.lanes > 1 else ""),
        "fit": fit,
        "measured_ge": [list(figure) for figure in of_units],
    }
    if kind.accumulator_registers == 2:
        found["accumulator_bits"] = {"constant": float(GUARD_BITS), "per_bit": 1.0}
        found["accumulator_bit_ge"] = rounded(_accumulator_bit_ge(random))
        found["further_lanes"] = "multipliers"
    if name in OUTPUT_KINDS:
        found["drain"] = "inside"
    return found


def _of(random: Sequence[Measured], datapath: str) -> list[Measured]:
    return [point for point in random if point.datapath == datapath]


def _clock_pj(random: Sequence[Measured]) -> float:
    point = next(point for point in random if _key(point) == REFERENCE)
    return point.hardware.clock_pj / point.hardware.flip_flops


def _accumulator_bit_ge(random: Sequence[Measured]) -> float:
    """What a bit more of accumulator adds to an element, drain register and all."""
    narrow = next(point for point in random if _key(point) == REFERENCE)
    (wide,) = _of(random, WIDER)
    return (wide.hardware.area_ge - narrow.hardware.area_ge) / WIDER_BITS


def _curve(random: Sequence[Measured], datapath: str, figure: Any) -> list[list[float]]:
    """Points by the product of both widths, none below the one before."""
    points = sorted(
        _of(random, datapath), key=lambda point: point.weight_bits * point.activation_bits
    )
    found: list[list[float]] = []
    for point in points:
        least = found[-1][1] if found else 0.0
        pairs = point.weight_bits * point.activation_bits
        found.append([float(pairs), max(rounded(figure(point)), least)])
    return found


def _parts(random: Sequence[Measured], library: Library, technology_nm: int) -> Document:
    """What a machine's area is put together from, beside the elements."""
    flip_flop_ge = _flip_flop_ge(library)
    adder = max(_of(random, "adder"), key=lambda point: point.weight_bits)
    adder_bit_ge = adder.hardware.area_ge / adder.weight_bits

    def area(point: Measured) -> float:
        return point.hardware.area_ge

    return {
        "cells": {
            "source": f"{library.name}: its smallest two-input NAND and flip-flop",
            "technology_nm": technology_nm,
            "nand2_um2": library.gate_area,
            "flip_flop_ge": rounded(flip_flop_ge),
        },
        "accumulator": {
            "source": f"an adder of {adder.weight_bits} bits of the same study, and a flip-flop",
            "ge_per_bit": rounded(adder_bit_ge + flip_flop_ge),
        },
        "multiplier_ge_by_bit_product": {
            "source": "multipliers of signed operands of the same study, both of one width",
            "points": _curve(random, "multiplier", area),
            "below_first_point": "proportional",
        },
        "requantizer_ge_by_bit_product": {
            "source": "requantizers of the same study",
            "points": _curve(random, "requantizer", area),
            "below_first_point": "proportional",
        },
    }


def _flip_flop_ge(library: Library) -> float:
    areas = []
    for name in library.names:
        try:
            cell = library.cell(name)
        except UserError:  # of a kind that is not mapped to
            continue
        if cell.flip_flop is not None and not cell.flip_flop.is_falling:
            areas.append(cell.area)
    return min(areas) / library.gate_area
