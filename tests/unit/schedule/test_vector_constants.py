"""Constants of the vector unit's operators: bytes there and back."""

from dataclasses import fields

import numpy as np
import pytest

from hwsim.schedule.records import pack_records, unpack_records
from hwsim.schedule.vector_constants import constants_bytes, pack_constants, unpack_constants
from quant.common.codes import CodeKind
from quant.graph import (
    Concatenate,
    IntegerType,
    LookupTable,
    Multiply,
    Operator,
    ParametricRelu,
    Requantization,
    Requantize,
    TensorType,
)

CHANNELS = 3
S8 = TensorType(CHANNELS, IntegerType(8, CodeKind.SIGNED))


def _integers(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def _scaling(channels: int) -> Requantization:
    multiplier = _integers(2**31 - 1, 1, 77)[:channels]
    return Requantization(multiplier, _integers(31, 0, 62)[:channels], 3, -128, 127)


REQUANTIZE = Requantize(_integers(-(2**39), 2**39 - 1, -1), _scaling(3))
PRELU = ParametricRelu(5, _integers(-65535, 65535, 0), _scaling(3), _scaling(1))
TABLES = LookupTable(np.arange(-96, 96, dtype=np.int64).reshape(CHANNELS, 64))
CASES = {
    "requantize": (REQUANTIZE, 10),
    "prelu": (PRELU, 13),
    "multiply": (
        Multiply((1, 2), _scaling(3)),
        5,
    ),
}


@pytest.mark.parametrize(("operator", "record_bytes"), CASES.values(), ids=CASES)
def test_records_of_every_channel(operator: Operator, record_bytes: int) -> None:
    assert constants_bytes(operator, S8) == CHANNELS * record_bytes
    octets = pack_constants(operator, S8)
    assert len(octets) == CHANNELS * record_bytes
    _assert_equal(unpack_constants(operator, S8, octets), operator)


def test_bytes_that_change_change_the_operator() -> None:
    octets = pack_constants(REQUANTIZE, S8).copy()
    octets[10:15] = 0  # the second channel's bias
    rebuilt = unpack_constants(REQUANTIZE, S8, octets)
    assert isinstance(rebuilt, Requantize)
    assert rebuilt.bias.tolist() == [-(2**39), 0, -1]


@pytest.mark.parametrize(
    ("integer", "size_bytes"),
    [
        (IntegerType(8, CodeKind.SIGNED), 192),
        (IntegerType(7, CodeKind.ODD), 168),
    ],
)
def test_tables_are_packed_in_the_type_of_their_entries(
    integer: IntegerType, size_bytes: int
) -> None:
    table = TABLES.table | 1 if integer.kind is CodeKind.ODD else TABLES.table
    operator, output = LookupTable(table), TensorType(CHANNELS, integer)
    assert constants_bytes(operator, output) == size_bytes
    _assert_equal(unpack_constants(operator, output, pack_constants(operator, output)), operator)


def test_constants_of_one_channel_stay_in_registers() -> None:
    assert constants_bytes(Requantize(_integers(4), _scaling(1)), S8) == 0
    assert constants_bytes(Concatenate(), S8) == 0


def test_fields_are_twos_complement() -> None:
    values, sizes = [_integers(-1, 127), _integers(2**30, -(2**31))], (1, 4)
    octets = pack_records(values, sizes, 2)
    assert octets.tolist() == [[255, 0, 0, 0, 64], [127, 0, 0, 0, 128]]
    for read, written in zip(unpack_records(octets, sizes), values, strict=True):
        assert (read == written).all()


def _assert_equal(found: object, wanted: object) -> None:
    """Operators of equal constants; those of one channel may have become one for each."""
    assert type(found) is type(wanted)
    for part in fields(wanted):  # type: ignore[arg-type]
        one, other = getattr(found, part.name), getattr(wanted, part.name)
        if isinstance(other, Requantization):
            _assert_equal(one, other)
        else:
            np.testing.assert_array_equal(one, np.broadcast_to(other, np.shape(one)))
