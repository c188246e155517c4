"""Where each type of operator runs, which says how it is grouped, emitted and stored."""

from enum import Enum, auto

from quant.graph import (
    Add,
    BilinearResize,
    Concatenate,
    Convolution,
    Encode,
    LookupTable,
    Multiply,
    NearestResize,
    Normalization,
    Operator,
    ParametricRelu,
    PixelShuffle,
    Requantize,
    ScaledConvolution,
    Statistics,
)


class Role(Enum):
    """What becomes of an operator."""

    ARRAY = auto()
    """On the MAC array, from a window of input rows: opens a group."""
    INTERPOLATION = auto()
    """On the vector unit, from a window of input rows: opens a group."""
    ELEMENTWISE = auto()
    """On the vector unit, on a tile: joins a group."""
    REMAP = auto()
    """Other addresses of a store: joins a group, and nothing joins behind it."""
    REDUCTION = auto()
    """On the vector unit, over all tiles: opens a group, and nothing joins it."""


ROLES: dict[type[Operator], Role] = {
    Convolution: Role.ARRAY,
    ScaledConvolution: Role.ARRAY,
    BilinearResize: Role.INTERPOLATION,
    Add: Role.ELEMENTWISE,
    Multiply: Role.ELEMENTWISE,
    Requantize: Role.ELEMENTWISE,
    ParametricRelu: Role.ELEMENTWISE,
    LookupTable: Role.ELEMENTWISE,
    Concatenate: Role.ELEMENTWISE,
    Normalization: Role.ELEMENTWISE,
    Encode: Role.ELEMENTWISE,
    PixelShuffle: Role.REMAP,
    NearestResize: Role.REMAP,
    Statistics: Role.REDUCTION,
}
"""Transposed convolutions and average pools are expanded before (`hwsim.schedule.expansion`)."""

JOINING = (Role.ELEMENTWISE, Role.REMAP)
"""Roles whose operators join the group that produces the latest of their inputs."""
OWN_GRID = (Role.ARRAY, Role.INTERPOLATION, Role.ELEMENTWISE)
"""Roles whose output has the pixel grid that the group's tiles cut; others' input has it."""
WINDOWED = (Role.ARRAY, Role.INTERPOLATION)
"""Roles whose operators read more of their input than the tile they compute."""


def role(operator: Operator) -> Role:
    """What becomes of an operator."""
    return ROLES[type(operator)]
