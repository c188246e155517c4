"""Two ways in which ONNX models say how numbers are quantized: QDQ and QONNX.

Between operators are real numbers, unit · (code − offset). A quantizer brings a result to codes and
back: in QDQ two operators with the codes between them, in QONNX one of any width.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from quant.common.codes import CodeKind
from quant.graph import IntegerType, TensorType
from quant.graph.types import MAXIMUM_BITS
from quant.interchange.onnx_draft import FLOAT, Draft, Shape, Stored

QONNX_DOMAIN = "qonnx.custom_op.general"
NEAREST = "half_even"
_LEAST_WEIGHT_BITS = 4

_QONNX_ROUNDINGS = {
    "half_up": "ROUND",
    "half_down": "ROUND",
    "half_even": "ROUND",
    "floor": "FLOOR",
    "ceil": "CEIL",
    "trunc_zero": "DOWN",
    "half_away": "HALF_UP",
}
"""QONNX's names of roundings. Its HALF_UP takes halves away from zero, and it has none that takes
them up or down: the nearest integer will do, wherever no result is a half."""


@dataclass(frozen=True, slots=True)
class Coding:
    """How a feature map is quantized.

    Attributes:
        name: of the feature map.
        tensor: its codes and their meaning.
        shape: in the model.
        unit: real number of one step.
        offset: the code of 0.
        rounding: of real numbers to codes.
    """

    name: str
    tensor: TensorType
    shape: Shape
    unit: np.float32
    offset: int
    rounding: str = NEAREST

    @property
    def limits(self) -> tuple[np.float32, np.float32]:
        """Real numbers of the least and the greatest code."""
        integer = self.tensor.integer
        low, high = (np.float32(code - self.offset) for code in (integer.low, integer.high))
        return self.unit * low, self.unit * high

    def __str__(self) -> str:
        encoding = self.tensor.encoding
        zeros = ", ".join(str(zero) for zero in encoding.zero_point[:4])
        return f"{self.tensor} codes, scale {encoding.scale:.9g}, zero point {zeros}"


class Dialect(Protocol):
    """How quantizers are written."""

    operator_sets: ClassVar[Mapping[str, int]]
    """Version of each domain of operators."""
    ir_version: ClassVar[int]
    """Version of the file."""

    def element(self, tensor: TensorType) -> int:
        """ONNX's type of the codes at an end of the model."""

    def dequantize_input(self, draft: Draft, coding: Coding) -> str:
        """From what the model is given to real numbers; gives their tensor's name."""

    def quantize(self, draft: Draft, coding: Coding, real: str) -> str:
        """From real numbers to codes and back; gives the name of the tensor of real numbers."""

    def weights(
        self,
        draft: Draft,
        name: str,
        weight: NDArray[np.int64],
        integer: IntegerType,
        scales: NDArray[np.float32],
    ) -> str:
        """Constant weights [out, in, rows, columns], a scale for all or for each output."""

    def biases(
        self, draft: Draft, name: str, bias: NDArray[np.int64], scales: NDArray[np.float32]
    ) -> str:
        """Constant biases, integers in steps of their scales."""


class Qdq:
    """QuantizeLinear and DequantizeLinear, with codes of 8 or 16 bits between them.

    Narrower codes are clamped to their range before; ONNX's of 4 bits are left to weights, because
    ONNX Runtime 1.32 cannot optimize quantizers to them behind a Clip.
    """

    operator_sets: ClassVar[Mapping[str, int]] = {
        "": 21
    }  # the first with integers of 4 and 16 bits
    ir_version: ClassVar[int] = 10

    def element(self, tensor: TensorType) -> int:
        """The narrowest of ONNX's integers."""
        return Stored.of(tensor.integer).element

    def dequantize_input(self, draft: Draft, coding: Coding) -> str:
        """The codes as they are given."""
        draft.tensors[coding.name] = self.element(coding.tensor), coding.shape
        return self._dequantize(draft, coding)

    def quantize(self, draft: Draft, coding: Coding, real: str) -> str:
        """To codes and back."""
        integer = coding.tensor.integer
        stored = Stored.of(integer)
        if (stored.low, stored.high) != (integer.low, integer.high):
            real = _within(draft, coding, real)
        draft.operator(
            "QuantizeLinear",
            [real, *self._encoding(draft, coding)],
            coding.name,
            coding.shape,
            stored.element,
            name=f"{coding.name}.quantize",
            text=str(coding),
        )
        return self._dequantize(draft, coding)

    def weights(
        self,
        draft: Draft,
        name: str,
        weight: NDArray[np.int64],
        integer: IntegerType,
        scales: NDArray[np.float32],
    ) -> str:
        """Integers and their scales."""
        stored = Stored.of(integer, _LEAST_WEIGHT_BITS)
        codes = draft.integers(name, stored.element, weight)
        real = [codes, draft.constant(f"{name}.scale", _scalar_or_vector(scales))]
        axis: dict[str, Any] = {"axis": 0} if scales.size > 1 else {}
        text = f"{integer} weights"
        return draft.operator(
            "DequantizeLinear", real, f"{name}.real", weight.shape, text=text, **axis
        )

    def biases(
        self, draft: Draft, name: str, bias: NDArray[np.int64], scales: NDArray[np.float32]
    ) -> str:
        """Integers of 32 bits and their scales, real numbers where they are wider."""
        integer = IntegerType(32, CodeKind.SIGNED)
        if not integer.contains(bias):
            return draft.constant(name, (bias * scales).astype(np.float32))
        codes = draft.integers(name, Stored.of(integer).element, bias)
        real = [codes, draft.constant(f"{name}.scale", _scalar_or_vector(scales))]
        axis: dict[str, Any] = {"axis": 0} if scales.size > 1 else {}
        return draft.operator("DequantizeLinear", real, f"{name}.real", bias.shape, **axis)

    def _encoding(self, draft: Draft, coding: Coding) -> list[str]:
        """Scale and zero point, made constants once."""
        scale, zero = f"{coding.name}.scale", f"{coding.name}.zero"
        if scale not in draft.constants:
            draft.constant(scale, coding.unit)
            draft.integers(zero, self.element(coding.tensor), np.array(coding.offset))
        return [scale, zero]

    def _dequantize(self, draft: Draft, coding: Coding) -> str:
        return draft.operator(
            "DequantizeLinear",
            [coding.name, *self._encoding(draft, coding)],
            f"{coding.name}.real",
            coding.shape,
        )


class Qonnx:
    """QONNX's Quant, of any width; what lies between is real numbers only."""

    operator_sets: ClassVar[Mapping[str, int]] = {"": 13, QONNX_DOMAIN: 1}
    ir_version: ClassVar[int] = 8

    def element(self, tensor: TensorType) -> int:
        """Real numbers."""
        return FLOAT

    def dequantize_input(self, draft: Draft, coding: Coding) -> str:
        """Real numbers, quantized once more."""
        draft.tensors[coding.name] = FLOAT, coding.shape
        return self._quantize(draft, coding, coding.name, f"{coding.name}.quantized")

    def quantize(self, draft: Draft, coding: Coding, real: str) -> str:
        """To codes and back, in one operator."""
        bits, signed = _consecutive(coding.tensor.integer)
        if not _holds_only(bits, signed, coding.tensor.integer):
            real = _within(draft, coding, real)
        return self._quantize(draft, coding, real, coding.name)

    def _quantize(self, draft: Draft, coding: Coding, real: str, output: str) -> str:
        scale = draft.constant(f"{coding.name}.scale", coding.unit)
        zero = draft.constant(f"{coding.name}.zero", np.float32(coding.offset))
        bits, attributes = self._width(draft, coding.name, coding.tensor.integer)
        return draft.operator(
            "Quant",
            [real, scale, zero, bits],
            output,
            coding.shape,
            domain=QONNX_DOMAIN,
            name=f"{coding.name}.quantize",
            text=str(coding),
            rounding_mode=_QONNX_ROUNDINGS[coding.rounding],
            **attributes,
        )

    def weights(
        self,
        draft: Draft,
        name: str,
        weight: NDArray[np.int64],
        integer: IntegerType,
        scales: NDArray[np.float32],
    ) -> str:
        """Real numbers, and the width they are quantized to."""
        steps = scales.reshape(-1, 1, 1, 1) if scales.size > 1 else scales.reshape(())
        real = (weight * steps).astype(np.float32)
        bits, attributes = self._width(draft, name, integer)
        inputs = [
            draft.constant(f"{name}.given", real),
            draft.constant(f"{name}.scale", steps),
            draft.constant(f"{name}.zero", np.float32(0)),
            bits,
        ]
        return draft.operator(
            "Quant",
            inputs,
            name,
            weight.shape,
            domain=QONNX_DOMAIN,
            name=f"{name}.quantize",
            text=f"{integer} weights",
            rounding_mode="ROUND",
            **attributes,
        )

    def biases(
        self, draft: Draft, name: str, bias: NDArray[np.int64], scales: NDArray[np.float32]
    ) -> str:
        """Real numbers."""
        return draft.constant(name, (bias * scales).astype(np.float32))

    def _width(self, draft: Draft, name: str, integer: IntegerType) -> tuple[str, dict[str, Any]]:
        """The width as a constant, and whether there is a sign."""
        bits, signed = _consecutive(integer)
        constant = draft.constant(f"{name}.bits", np.float32(bits))
        return constant, {"signed": int(signed), "narrow": 0}


def _consecutive(integer: IntegerType) -> tuple[int, bool]:
    """Width and sign of the least run of integers that holds a type's.

    -1 and 1 are QONNX's one signed bit; there are no -1 and 0 of one bit.
    """
    if integer == IntegerType(1, CodeKind.ODD):
        return 1, True
    signed = integer.low < 0
    for bits in range(1 + signed, MAXIMUM_BITS + 2):
        found = IntegerType(bits, CodeKind.SIGNED if signed else CodeKind.UNSIGNED)
        if found.low <= integer.low and integer.high <= found.high:
            return bits, signed
    raise ValueError(f"no integers of at most {MAXIMUM_BITS + 1} bits for {integer}")


def _holds_only(bits: int, signed: bool, integer: IntegerType) -> bool:
    """Whether a run of integers is no wider than a type."""
    if bits == signed == 1:
        return True
    found = IntegerType(bits, CodeKind.SIGNED if signed else CodeKind.UNSIGNED)
    return (found.low, found.high) == (integer.low, integer.high)


def _within(draft: Draft, coding: Coding, real: str) -> str:
    """Real numbers brought into the range of a type that is narrower than what stores it."""
    limits = [
        draft.constant(f"{coding.name}.{which}", limit)
        for which, limit in zip(("least", "greatest"), coding.limits, strict=True)
    ]
    text = f"to {coding.tensor.integer}"
    return draft.operator("Clip", [real, *limits], f"{coding.name}.within", coding.shape, text=text)


def _scalar_or_vector(scales: NDArray[np.float32]) -> NDArray[np.float32]:
    return scales if scales.size > 1 else scales.reshape(())
