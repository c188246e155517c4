"""The Verilog of an array as a design to simulate, and where the codes that leave it belong."""

import numpy as np
from numpy.typing import NDArray

from accelerators.datapaths.interface import Work, folds
from accelerators.datapaths.kinds import datapath_of
from accelerators.datapaths.stationary_grid import StationaryGrid
from accelerators.rtl import parameters as rtl
from accelerators.rtl.library import sources
from accelerators.schema import Array
from hwsim.verify.rtl.design import Design, Setting, Stream
from hwsim.verify.rtl.outcome import Outcome
from hwsim.verify.rtl.words import unpack

Wide = NDArray[np.int64]

_COUNT_BITS, _INDEX_BITS, _MODE_BITS = 24, 5, 3


def _settings(bits_of: dict[str, int]) -> tuple[Setting, ...]:
    return tuple(Setting(name, bits) for name, bits in bits_of.items())


_OUTPUT_SETTINGS = _settings(
    {
        "tiles": _COUNT_BITS,
        "pixel_tiles": _COUNT_BITS,
        "steps": _COUNT_BITS,
        "weight_digits": _INDEX_BITS,
        "activation_digits": _INDEX_BITS,
        "activations_signed": 1,
        "scale_count": _COUNT_BITS,
    }
)
_STATIONARY_SETTINGS = _settings(
    {
        "blocks": _COUNT_BITS,
        "stream_length": _COUNT_BITS,
        "turns": _COUNT_BITS,
        "loads": _INDEX_BITS,
        "held_slices": _INDEX_BITS,
        "stream_slices": _INDEX_BITS,
        "held_signed": 1,
        "streamed_signed": 1,
        "weight_mode": _MODE_BITS,
        "activation_mode": _MODE_BITS,
        "scale_count": _COUNT_BITS,
    }
)


def array_design(
    array: Array, rounding: str = "half_up", scales: int = 16, zero_point_first: bool = False
) -> Design:
    """The Verilog of an array; its streams are scales and whole operands, its output codes.

    Args:
        array: of an accelerator.
        rounding: the requantizers' mode.
        scales: as in `accelerators.rtl.parameters.array_module`.
        zero_point_first: likewise.

    Raises:
        UserError: there is no Verilog for the array or the mode.
    """
    module = rtl.array_module(array, rounding, scales, zero_point_first)
    items = rtl.item_bits(array)
    if module.keeps_outputs:
        operands = (
            Stream("activations", array.rows * items.of_rows),
            Stream("weights", array.columns * items.of_columns),
        )
    else:
        operands = (
            Stream("held", array.columns * items.of_columns),
            Stream("streamed", array.rows * items.of_rows),
        )
    return Design(
        module.name,
        sources(module.name),
        (Stream("scales", rtl.SCALE_BITS), *operands),
        (codes_stream(array),),
        _OUTPUT_SETTINGS if module.keeps_outputs else _STATIONARY_SETTINGS,
        module.parameters,
        counts_from=operands[0].name,
    )


def codes_stream(array: Array) -> Stream:
    """What leaves an array: a lane a column."""
    return Stream("codes", rtl.CODE_BITS, lanes=array.columns)


def code_places(array: Array, work: Work) -> Wide:
    """Which output each code is that leaves a column, in the order in which they leave.

    Returns:
        [columns, codes of a column]: the output's pixel x channels + channel, or -1 where it only
        fills up a tile.
    """
    datapath, columns = datapath_of(array), np.arange(array.columns)
    if isinstance(datapath, StationaryGrid):
        return _stationary_places(datapath, work)
    block = np.arange(folds(work.channels, array.columns)) * array.columns
    tile = np.arange(folds(work.pixels, array.rows)) * array.rows
    rows = np.arange(array.rows)[::-1]  # the bottom row's code leaves first
    pixels = (tile[:, np.newaxis] + rows)[np.newaxis, np.newaxis]
    channels = (block + columns[:, np.newaxis])[:, :, np.newaxis, np.newaxis]
    return _places(work, pixels, channels)


def _stationary_places(grid: StationaryGrid, work: Work) -> Wide:
    columns = np.arange(grid.array.columns)[:, np.newaxis]
    held, streamed = work.channels, work.pixels
    if not grid.holds_weights:
        held, streamed = streamed, held
    block = np.arange(folds(held, len(columns))) * len(columns)
    of_held, of_stream = (block + columns)[:, :, np.newaxis], np.arange(streamed)[np.newaxis]
    if grid.holds_weights:
        return _places(work, of_stream[np.newaxis], of_held)
    return _places(work, of_held, of_stream[np.newaxis])


def _places(work: Work, pixels: Wide, channels: Wide) -> Wide:
    inside = (pixels < work.pixels) & (channels < work.channels)
    places = np.where(inside, pixels * work.channels + channels, -1)
    return places.reshape(len(places), -1)


def codes_of(array: Array, work: Work, outcome: Outcome) -> Wide:
    """The codes that left the columns, where they belong, [pixels, channels]; 0 where missing."""
    codes = np.zeros(work.pixels * work.channels, np.int64)
    names = codes_stream(array).lane_names
    for name, lane in zip(names, code_places(array, work), strict=True):
        found = unpack(outcome.outputs[name], rtl.CODE_BITS, is_signed=True)[: len(lane), 0]
        places = lane[: len(found)]
        codes[places[places >= 0]] = found[places >= 0]
    return codes.reshape(work.pixels, work.channels)
