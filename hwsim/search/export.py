"""Tables for other search programs: costs by layer and widths, and policies as [layer, w, a]."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwsim.search.confirmation import Point
from hwsim.search.cost_table import SUMMED
from hwsim.search.divided import DividedModel
from hwsim.search.quality_table import UNITS_PER_SQUARED_CODE
from hwsim.search.resource import SHOWN, Resource
from hwsim.search.result import SearchResult

Json = dict[str, Any]
TABLE_NPY, TABLE_JSON = "cost_table.npy", "cost_table.json"


def cost_cube(model: DividedModel, resource: Resource) -> NDArray[np.float64]:
    """What each layer at each pair of widths costs.

    Args:
        model: the tables.
        resource: energy in µJ, latency in cycles, or DRAM traffic or SRAM in bytes.

    Returns:
        [layers, weight widths, activation widths], the widths those of `widths_of`; NaN where a
        layer may not have a pair or the machine has no room. Sums: the change from the base, so
        that the base and one entry per layer are the cost of a policy. SRAM: what the layer's
        cascade needs, of which the largest counts.
    """
    table = model.cost.sram if resource is Resource.SRAM else model.cost.change[resource]
    return _cube(model, table / SHOWN[resource].per_unit)


def widths_of(model: DividedModel) -> tuple[list[int], list[int]]:
    """The widths of weights and of activations that choices have, rising."""
    return (
        sorted({bits.weight_bits for bits in model.choices}),
        sorted({bits.activation_bits for bits in model.choices}),
    )


def write_cost_table(found: SearchResult, resource: Resource, path: Path) -> None:
    """Write `cost_cube` of one resource as ``.npy``: a look-up table indexed [layer, w, a]."""
    np.save(path, cost_cube(found.model, resource), allow_pickle=False)


def tables_json(found: SearchResult) -> str:
    """All tables with the names of their axes as JSON; null where a layer may not have a pair."""
    model = found.model
    weight_bits, activation_bits = widths_of(model)
    content: Json = {
        "axes": ["layers", "weight_bits", "activation_bits"],
        "layers": list(model.layers),
        "weight_bits": weight_bits,
        "activation_bits": activation_bits,
        "in_npy": SHOWN[found.request.resource].key,
        "base": {
            "bits": str(found.request.base),
            "mse": model.quality.base / UNITS_PER_SQUARED_CODE,
            **{
                SHOWN[resource].key: cost / SHOWN[resource].per_unit
                for resource, cost in model.cost.base.items()
            },
        },
        "mse_change": _nulled(_cube(model, model.quality.increase / UNITS_PER_SQUARED_CODE)),
        **{
            f"{SHOWN[resource].key}_change": _nulled(cost_cube(model, resource))
            for resource in SUMMED
        },
        "sram_bytes": _nulled(cost_cube(model, Resource.SRAM)),
        "other_sram_bytes": model.cost.other_sram,
    }
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


def policy_tables(points: Sequence[Point]) -> str:
    """Policies as rows [layer, weight bits, activation bits], with their label, as JSON."""
    content = [
        {
            "label": point.label,
            "residual_bits": point.policy.residual_bits,
            "bits": [
                [layer, bits.weight_bits, bits.activation_bits]
                for layer, bits in point.bits.items()
            ],
        }
        for point in points
    ]
    return json.dumps(content, indent=1) + "\n"


def _cube(model: DividedModel, table: NDArray[np.float64]) -> NDArray[np.float64]:
    weight_bits, activation_bits = widths_of(model)
    cube = np.full((len(model.layers), len(weight_bits), len(activation_bits)), np.nan)
    for column, bits in enumerate(model.choices):
        place = weight_bits.index(bits.weight_bits), activation_bits.index(bits.activation_bits)
        available = model.cost.available[:, column]
        cube[available, place[0], place[1]] = table[available, column]
    return cube


def _nulled(cube: NDArray[np.float64]) -> list[Any]:
    return [
        [[None if np.isnan(entry) else float(entry) for entry in row] for row in layer]
        for layer in cube
    ]
