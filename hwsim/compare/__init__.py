"""Methods, networks and machines in one table: quality, bits and costs of every combination."""

from hwsim.compare.costs import Spread
from hwsim.compare.pictures import PictureSet, read_picture_set
from hwsim.compare.request import DEFAULT_SIZE, CompareRequest, Enlarge, NetworkEntry
from hwsim.compare.result import Cell, CompareResult
from hwsim.compare.sweep import sweep

__all__ = [
    "DEFAULT_SIZE",
    "Cell",
    "CompareRequest",
    "CompareResult",
    "Enlarge",
    "NetworkEntry",
    "PictureSet",
    "Spread",
    "read_picture_set",
    "sweep",
]
