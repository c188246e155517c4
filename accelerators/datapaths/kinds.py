"""The kinds of MAC array by name, and the one a machine has."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from accelerators.datapaths.activation_serial import ActivationSerial
from accelerators.datapaths.bit_serial import BitSerial
from accelerators.datapaths.composable import Composable
from accelerators.datapaths.input_stationary import InputStationary
from accelerators.datapaths.interface import Datapath
from accelerators.datapaths.output_stationary import OutputStationary
from accelerators.datapaths.shift_add import ShiftAdd
from accelerators.datapaths.weight_serial import WeightSerial
from accelerators.datapaths.weight_stationary import WeightStationary

if TYPE_CHECKING:
    from accelerators.schema import Array

DATAPATHS: Mapping[str, Callable[["Array"], Datapath]] = {
    "output_stationary": OutputStationary,
    "weight_stationary": WeightStationary,
    "input_stationary": InputStationary,
    "activation_serial": ActivationSerial,
    "weight_serial": WeightSerial,
    "bit_serial": BitSerial,
    "composable": Composable,
    "shift_add": ShiftAdd,
}
"""By ``array.dataflow``; each is the module of that name, with a page in docs/datapaths/."""


@lru_cache(maxsize=256)  # asked for by every command and every tiling tried
def datapath_of(array: "Array") -> Datapath:
    """The datapath of an array, with its rules for cycles, reads and widths."""
    return DATAPATHS[array.dataflow](array)
