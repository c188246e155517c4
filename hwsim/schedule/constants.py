"""The bytes of a network's constants, as they lie in DRAM."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic.packing import pack_vector
from hwsim.schedule.layout import WeightBlock
from hwsim.schedule.storage import BIAS_BYTES, MULTIPLIER_BYTES, PARAMETER_BYTES, code_format
from quant.graph import Convolution


def write_constants(
    image: NDArray[np.uint8], convolution: Convolution, blocks: Sequence[WeightBlock]
) -> None:
    """Write a convolution's weights and parameter records into a DRAM image, block by block."""
    records = parameter_records(convolution)
    for block in blocks:
        channels = slice(block.first_channel, block.first_channel + block.channels)
        weights = pack_vector(
            convolution.weight[channels].reshape(-1).astype(np.int32),
            code_format(convolution.weight_type),
        )
        image[block.address : block.address + block.weight_bytes] = weights
        start = block.parameter_address
        image[start : start + block.parameter_bytes] = records[channels].reshape(-1)


def parameter_records(convolution: Convolution) -> NDArray[np.uint8]:
    """One record of `PARAMETER_BYTES` per output channel: bias, multiplier, shift; little-endian.

    Returns:
        uint8 [out_channels, PARAMETER_BYTES].
    """
    channels = convolution.out_channels
    requantization = convolution.requantization
    multiplier = np.broadcast_to(requantization.multiplier, channels)
    shift = np.broadcast_to(requantization.shift, channels)
    return np.concatenate(
        [
            _little_endian(convolution.bias, BIAS_BYTES),
            _little_endian(multiplier, MULTIPLIER_BYTES),
            _little_endian(shift, PARAMETER_BYTES - BIAS_BYTES - MULTIPLIER_BYTES),
        ],
        axis=1,
    )


def read_parameters(
    records: NDArray[np.uint8],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Bias, multiplier and shift of every channel, from the bytes of the records."""
    table = records.reshape(-1, PARAMETER_BYTES)
    multiplier_end = BIAS_BYTES + MULTIPLIER_BYTES
    return (
        _integers(table[:, :BIAS_BYTES]),
        _integers(table[:, BIAS_BYTES:multiplier_end]),
        _integers(table[:, multiplier_end:]),
    )


def _little_endian(values: NDArray[np.int64], size_bytes: int) -> NDArray[np.uint8]:
    octets = np.ascontiguousarray(values, dtype="<i8").view(np.uint8).reshape(-1, 8)
    return octets[:, :size_bytes]


def _integers(octets: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Two's complement integers of any number of bytes up to eight."""
    wide = np.zeros((len(octets), 8), np.uint8)
    wide[:, : octets.shape[1]] = octets
    unused_bits = 64 - 8 * octets.shape[1]
    values = wide.view(np.dtype("<i8"))[:, 0] << unused_bits
    return np.asarray(values >> unused_bits, np.int64)
