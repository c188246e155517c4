"""What is read out of torch objects and calls, and the error where integers cannot follow."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from quant.common.errors import UnsupportedError
from quant.lowering.float_operators import Reals


def feature_maps(*operands: object) -> tuple[str, ...]:
    """The one feature map among the operands of an operator that takes nothing else."""
    match operands:
        case (str() as name,):
            return (name,)
        case _:
            raise UnsupportedError("a call with unusual arguments")


def map_and_constant(first: object, second: object) -> tuple[str, Reals]:
    """The feature map and the constant of an operator between the two."""
    name, constant = (first, second) if isinstance(first, str) else (second, first)
    if not isinstance(name, str):
        raise UnsupportedError("arithmetic on constants only")
    return name, per_channel(constant)


def per_channel(constant: object) -> Reals:
    """A number, or a tensor that differs from channel to channel only, as [1] or [channels]."""
    if isinstance(constant, bool) or not isinstance(constant, int | float | Tensor):
        raise UnsupportedError(f"arithmetic with {type(constant).__name__}")
    values = reals(constant) if isinstance(constant, Tensor) else np.array(float(constant))
    channels = values.shape[-3] if values.ndim >= 3 else 1
    if values.size != channels:
        raise UnsupportedError(f"arithmetic with a constant of shape {values.shape}")
    return values.reshape(channels)


def number(value: object) -> float:
    """A plain number among the arguments of a call."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnsupportedError("a call with unusual arguments")
    return float(value)


def count(value: object) -> int:
    """A whole number of at least 1 among the arguments of a call."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UnsupportedError("a call with unusual arguments")
    return value


def pair(value: object) -> tuple[int, int]:
    """One whole number for both directions, or two."""
    both = (value, value) if isinstance(value, int) else value
    match both:
        case [int() as down, int() as across]:
            return down, across
        case _:
            raise UnsupportedError("a call with unusual arguments")


def whole_factor(what: str, value: object) -> int:
    """A factor of enlargement, one whole number for both directions."""
    factors = list(value) if isinstance(value, Sequence) else [value]
    found = {number(factor) for factor in factors}
    if len(found) != 1 or not (factor := found.pop()).is_integer() or factor < 1:
        raise UnsupportedError(f"{what} by {value}, no whole number for both directions")
    return int(factor)


def reals(tensor: Tensor) -> Reals:
    """A tensor as float64."""
    values: Reals = tensor.detach().cpu().double().numpy()
    return values


def reals_or_none(tensor: Tensor | None) -> Reals | None:
    """A tensor as float64, where there is one."""
    return None if tensor is None else reals(tensor)
