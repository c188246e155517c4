"""Constants of the vector unit's operators: what lies in memory, and the operator made of it again.

Constants of one channel sit in the unit's registers, set by the command. As soon as one of an
operator's constants differs between channels, a record for every channel is loaded like weights
are; so is every lookup table.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hwsim.arithmetic.packing import pack_vector, pixel_bytes, unpack_vector
from hwsim.schedule.records import Integers, Octets, pack_records, unpack_records
from hwsim.schedule.storage import BIAS_BYTES, MULTIPLIER_BYTES, SHIFT_BYTES, code_format
from quant.common.run_time_scaling import POINT_BITS
from quant.graph import (
    Add,
    BilinearResize,
    CodeKind,
    Encode,
    IntegerType,
    LookupTable,
    Multiply,
    Operator,
    ParametricRelu,
    Requantization,
    Requantize,
    ScaledConvolution,
    TensorType,
)

SLOPE_BYTES = 3
"""Bytes of a slope, which has up to 16 bits beside its sign."""
_SCALE_BYTES = (MULTIPLIER_BYTES, SHIFT_BYTES)


@dataclass(frozen=True, slots=True)
class _Record:
    """How an operator's constants lie in a record.

    Attributes:
        sizes: bytes of each field.
        fields: the constants of an operator, int64 [channels] or [1] each.
        rebuilt: the operator with other constants.
    """

    sizes: tuple[int, ...]
    fields: Callable[[Any], tuple[Integers, ...]]
    rebuilt: Callable[[Any, Sequence[Integers]], Operator]


def _scale(requantization: Requantization) -> tuple[Integers, Integers]:
    return requantization.multiplier, requantization.shift


def _rescaled(requantization: Requantization, scale: Sequence[Integers]) -> Requantization:
    return replace(requantization, multiplier=scale[0], shift=scale[1])


_SCALE_ONLY = _Record(
    _SCALE_BYTES,
    lambda operator: _scale(operator.requantization),
    lambda operator, fields: replace(
        operator, requantization=_rescaled(operator.requantization, fields)
    ),
)
_RECORDS: dict[type[Operator], _Record] = {
    Add: _SCALE_ONLY,
    Multiply: _SCALE_ONLY,
    BilinearResize: _SCALE_ONLY,
    Requantize: _Record(
        (BIAS_BYTES, *_SCALE_BYTES),
        lambda operator: (operator.bias, *_scale(operator.requantization)),
        lambda operator, fields: replace(
            operator,
            bias=fields[0],
            requantization=_rescaled(operator.requantization, fields[1:]),
        ),
    ),
    ParametricRelu: _Record(
        (SLOPE_BYTES, *_SCALE_BYTES, *_SCALE_BYTES),
        lambda operator: (
            operator.slope,
            *_scale(operator.positive),
            *_scale(operator.negative),
        ),
        lambda operator, fields: replace(
            operator,
            slope=fields[0],
            positive=_rescaled(operator.positive, fields[1:3]),
            negative=_rescaled(operator.negative, fields[3:5]),
        ),
    ),
}


_POINT = IntegerType(POINT_BITS, CodeKind.SIGNED)
POINT_CODE = code_format(_POINT)
"""How memories store points and thresholds."""
_TABLES: dict[type[Operator], str] = {
    LookupTable: "table",
    Encode: "thresholds",
    ScaledConvolution: "points",
}
"""Operators with a table, and the field that holds it."""


def _entry_type(operator: Operator, output: TensorType) -> IntegerType:
    """What a table's entries are: codes of the result, or points."""
    return output.integer if isinstance(operator, LookupTable) else _POINT


def constants_bytes(operator: Operator, output: TensorType) -> int:
    """Bytes of an operator's constants in memory; 0 where they all sit in registers.

    Weights and records of convolutions are not among them, decode tables are.
    """
    if (field := _TABLES.get(type(operator))) is not None:
        return pixel_bytes(getattr(operator, field).size, _entry_type(operator, output).bits)
    record = _RECORDS.get(type(operator))
    if record is None or all(len(field) == 1 for field in record.fields(operator)):
        return 0
    return sum(record.sizes) * output.channels


def pack_constants(operator: Operator, output: TensorType) -> Octets:
    """The bytes of constants that do not sit in registers.

    Args:
        operator: with `constants_bytes` above 0.
        output: type of its result.

    Returns:
        uint8 [constants_bytes].
    """
    if (field := _TABLES.get(type(operator))) is not None:
        entries = getattr(operator, field).reshape(-1).astype(np.int32)
        return pack_vector(entries, code_format(_entry_type(operator, output)))
    record = _RECORDS[type(operator)]
    fields = record.fields(operator)
    return pack_records(fields, record.sizes, output.channels).reshape(-1)


def unpack_constants(operator: Operator, output: TensorType, octets: Octets) -> Operator:
    """The operator with the constants that bytes in memory hold, those of registers kept."""
    if (field := _TABLES.get(type(operator))) is not None:
        table, code = getattr(operator, field), code_format(_entry_type(operator, output))
        entries = unpack_vector(octets, table.size, code)
        return replace(operator, **{field: entries.astype(np.int64).reshape(table.shape)})  # type: ignore[arg-type]
    record = _RECORDS[type(operator)]
    return record.rebuilt(operator, unpack_records(octets, record.sizes))
