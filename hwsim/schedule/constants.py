"""The bytes of a network's constants, as they lie in DRAM."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic.packing import pack_vector
from hwsim.schedule.groups import Group
from hwsim.schedule.layout import GroupConstants, WeightBlock
from hwsim.schedule.records import Integers, pack_records, unpack_records
from hwsim.schedule.storage import BIAS_BYTES, MULTIPLIER_BYTES, SHIFT_BYTES, code_format
from hwsim.schedule.vector_constants import pack_constants
from quant.graph import Convolution

_PARAMETER_SIZES = (BIAS_BYTES, MULTIPLIER_BYTES, SHIFT_BYTES)


def write_constants(image: NDArray[np.uint8], group: Group, constants: GroupConstants) -> None:
    """Write a group's constants into a DRAM image where they were placed."""
    if group.convolution is not None:
        _write_weights(image, group.convolution, constants.weights)
    for node in group.nodes:
        if (place := constants.vectors.get(node.name)) is not None:
            octets = pack_constants(node.operator, node.output)
            image[place.address : place.address + place.size_bytes] = octets


def _write_weights(
    image: NDArray[np.uint8], convolution: Convolution, blocks: Sequence[WeightBlock]
) -> None:
    """A convolution's weights and parameter records, block by block."""
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
    requantization = convolution.requantization
    fields = (convolution.bias, requantization.multiplier, requantization.shift)
    return pack_records(fields, _PARAMETER_SIZES, convolution.out_channels)


def read_parameters(records: NDArray[np.uint8]) -> tuple[Integers, Integers, Integers]:
    """Bias, multiplier and shift of every channel, from the bytes of the records."""
    bias, multiplier, shift = unpack_records(records, _PARAMETER_SIZES)
    return bias, multiplier, shift
