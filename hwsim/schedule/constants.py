"""The bytes of a network's constants, as they lie in DRAM."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic.packing import pack_vector
from hwsim.schedule.groups import Group
from hwsim.schedule.layout import GroupConstants, WeightBlock, parameter_sizes
from hwsim.schedule.records import Integers, pack_records, unpack_records
from hwsim.schedule.storage import code_format
from hwsim.schedule.vector_constants import pack_constants
from quant.graph import Convolution


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
    """One record per output channel: bias, multiplier, shift, tap offsets; little-endian.

    Returns:
        uint8 [out_channels, bytes of a record].
    """
    requantization, outputs = convolution.requantization, convolution.out_channels
    offsets: list[Integers] = []
    if convolution.tap_offset is not None:
        offsets = list(convolution.tap_offset.reshape(outputs, -1).T)
    fields = convolution.bias, requantization.multiplier, requantization.shift, *offsets
    return pack_records(fields, parameter_sizes(len(offsets)), outputs)


def read_parameters(
    records: NDArray[np.uint8], taps: int
) -> tuple[Integers, Integers, Integers, Integers]:
    """Bias, multiplier, shift and tap offsets of every channel, from the bytes of the records.

    Args:
        records: uint8, of all channels.
        taps: how many offsets a record has.

    Returns:
        int64 [channels] each, and of the offsets [channels, taps].
    """
    bias, multiplier, shift, *offsets = unpack_records(records, parameter_sizes(taps))
    return bias, multiplier, shift, np.array(offsets, np.int64).reshape(taps, len(bias)).T
