"""What tensors of a quantized ONNX model are while a graph is made of them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quant.common.errors import UnsupportedError
from quant.graph import CodeKind, Encoding, IntegerType, Padding, TensorType
from quant.graph.operators import Integers, Operator
from quant.interchange.derivation import Singles
from quant.interchange.onnx_model import ModelNode

Doubles = NDArray[np.float64]
Clamp = tuple[float, float]
UNCLAMPED: Clamp = (-inf, inf)
Pointwise = Callable[[Singles], Singles]
"""A function of real numbers in float32, [channels or 1, n] to [channels or 1, n]."""


@dataclass(frozen=True, slots=True, eq=False)
class Quantizer:
    """How real numbers become codes: the nearest of real / scale + zero.

    Attributes:
        integer: the codes.
        scale: float32 [1] or [channels].
        zero: int64 [1] or [channels].
        low: least code that comes out.
        high: greatest code that comes out.
        rounding: a primitive requantization mode.
        zero_first: whether the zero is added before the rounding.
    """

    integer: IntegerType
    scale: Singles
    zero: Integers
    low: int
    high: int
    rounding: str = "half_even"
    zero_first: bool = False

    @property
    def whole(self) -> bool:
        """Whether every code of the type may come out."""
        return (self.low, self.high) == (self.integer.low, self.integer.high)

    def of_feature_map(self) -> "Quantizer":
        """The same with one scale and one zero point.

        Raises:
            UnsupportedError: channels have scales or zero points of their own.
        """
        if len(set(self.scale.tolist())) > 1 or len(set(self.zero.tolist())) > 1:
            raise UnsupportedError("a feature map with a scale for each channel")
        return replace(self, scale=self.scale[:1], zero=self.zero[:1])

    def tensor(self, channels: int) -> TensorType:
        """The type of a feature map of such codes.

        Raises:
            UnsupportedError: as `of_feature_map`.
        """
        shared = self.of_feature_map()
        encoding = Encoding(float(shared.scale[0]), (int(shared.zero[0]),))
        return TensorType(channels, self.integer, encoding)

    def codes(self, real: Singles) -> Integers:
        """Codes of real numbers [channels or 1, n], computed in float32 as engines do."""
        with np.errstate(over="ignore"):  # an infinity is clamped
            steps = real / self.scale[:, None]
        zero = self.zero[:, None].astype(np.float32)
        if self.integer.kind is CodeKind.ODD:
            return np.where(steps >= 0, 1, -1).astype(np.int64)
        steps, behind = (steps + zero, 0 * zero) if self.zero_first else (steps, zero)
        limited = np.clip(steps, self.low - behind, self.high - behind)
        codes: Integers = (ROUNDINGS[self.rounding](limited) + behind).astype(np.int64)
        return codes


def _half_away(values: Singles) -> Singles:
    rounded: Singles = np.sign(values) * np.floor(np.abs(values) + np.float32(0.5))
    return rounded


ROUNDINGS: dict[str, Callable[[Any], Any]] = {
    "half_even": np.rint,
    "half_away": _half_away,
    "floor": np.floor,
    "ceil": np.ceil,
    "trunc_zero": np.trunc,
}
"""Rounding of real numbers to whole ones, by the mode that rounds sums so."""


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """A feature map of integers.

    Attributes:
        node: of the graph.
        tensor: its type.
        channels_last: whether the model has height and width before the channels here.
    """

    node: str
    tensor: TensorType
    channels_last: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Real:
    """A feature map of the real numbers that codes stand for.

    Attributes:
        node: of the graph, which makes the codes.
        tensor: type of the codes, and what they stand for here.
        padding: rows and columns of zeros around it.
        channels_last: whether the model has height and width before the channels here.
    """

    node: str
    tensor: TensorType
    padding: Padding = field(default_factory=Padding)
    channels_last: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class RealConstant:
    """A constant in codes: real = scale · integer, zero points taken off already.

    Attributes:
        integers: int64, of any shape.
        stored: the codes' type in the file.
        centred: type of the integers.
        scale: float32 [1] or [slices].
        axis: of the scales' slices.
        zero: of the codes, int64 [1] or [slices].
    """

    integers: Integers
    stored: IntegerType
    centred: IntegerType
    scale: Singles
    axis: int
    zero: Integers = field(default_factory=lambda: np.zeros(1, np.int64))

    def real(self) -> Doubles:
        """The real numbers, float64."""
        shape = [1] * self.integers.ndim
        if self.scale.size > 1:
            shape[self.axis] = self.scale.size
        return self.integers * self.scale.astype(np.float64).reshape(shape)


@dataclass(frozen=True, slots=True, eq=False)
class Pending:
    """The result of an operator on real numbers, to be quantized.

    real = clamp(scale · operator(operands) + offset), for pointwise operators ``steps`` instead.

    Attributes:
        kind: a name in `quant.interchange.onnx_emission.EMITTERS`.
        source: the operator.
        operands: feature maps and constants it reads.
        channels: of the result.
        scale: float64 [1] or [channels].
        offset: float64 [1] or [channels].
        clamp: least and greatest result.
        steps: of a copy of one feature map, functions applied to it one after the other.
        moves: operators that only move codes, behind the quantization.
    """

    kind: str
    source: ModelNode
    operands: tuple[Any, ...]
    channels: int
    scale: Doubles = field(default_factory=lambda: np.ones(1))
    offset: Doubles = field(default_factory=lambda: np.zeros(1))
    clamp: Clamp = UNCLAMPED
    steps: tuple[Pointwise, ...] = ()
    moves: tuple[Operator, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether nothing but the operator is computed."""
        return bool((self.scale == 1).all()) and not self.offset.any() and not self.steps


FeatureMap = Codes | Real
Value = Codes | Real | RealConstant | Pending | NDArray[Any]
