"""Additions and products of codes and constants as ONNX Runtime computes them: a table for each."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from quant.common.float32 import fused_multiply_add
from quant.graph import Encoding, FusedTerms, TensorType
from quant.graph.operators import Integers
from quant.interchange import derivation
from quant.interchange.derivation import zero_point


def table(
    kind: str, source: TensorType, constant: TensorType, codes: Integers, output: TensorType
) -> Integers:
    """What becomes of every code of a feature map, int64 [channels or 1, codes].

    The runtime takes the constant for the second operand, whichever it is.

    Args:
        kind: ``Add`` or ``Mul``.
        source: the feature map.
        constant: type and encoding of the constant.
        codes: of the constant, int64 [channels or 1], zero point included.
        output: the result.
    """
    every = np.arange(source.integer.low, source.integer.high + 1)[None]
    return _TABLES[kind](every, codes[:, None], source, constant, output)


def _sums(
    every: Integers, codes: Integers, source: TensorType, constant: TensorType, output: TensorType
) -> Integers:
    add = derivation.onnx_addition(source, constant, output, derivation.whole_range(output))
    assert isinstance(add.term_rounding, FusedTerms)
    bits = np.array([*add.multipliers, add.term_rounding.addend], np.int32)
    first, second, addend = bits.view(np.float32)
    total = fused_multiply_add(every, first, fused_multiply_add(codes, second, addend))
    return _nearest(total, output)


def _products(
    every: Integers, codes: Integers, source: TensorType, constant: TensorType, output: TensorType
) -> Integers:
    scales = [np.float32(tensor.encoding.scale) for tensor in (source, constant, output)]
    product = (every - zero_point(source)) * (codes - zero_point(constant))
    scaled = product.astype(np.float32) * (scales[0] * scales[1] / scales[2])
    return _nearest(scaled + np.float32(zero_point(output)), output)


def _nearest(real: derivation.Singles, output: TensorType) -> Integers:
    low, high = derivation.whole_range(output)
    nearest: Integers = np.rint(np.clip(real, np.float32(low), np.float32(high))).astype(np.int64)
    return nearest


_TABLES: dict[str, Callable[..., Integers]] = {"Add": _sums, "Mul": _products}


def constant_type(source: TensorType, scale: float, zero: int) -> TensorType:
    """A constant of a feature map's kind of codes."""
    return replace(source, channels=1, encoding=Encoding(scale, (zero,)))
