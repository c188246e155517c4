"""Random convolutions, and what the reference makes of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from hwsim.arithmetic import reference
from hwsim.arithmetic._instruction_sets import TABLE
from hwsim.arithmetic.convolution import (
    KERNELS,
    ConvolutionKernel,
    PackedConvolution,
    pack_convolution,
)
from hwsim.arithmetic.geometry import DENSE, Geometry
from hwsim.arithmetic.packing import CodeFormat
from quant.common.requantization import Requantization
from tests.unit.arithmetic.strategies import (
    code_arrays,
    formats,
    generators,
    geometries,
    scalings,
)


@dataclass(frozen=True, slots=True)
class Case:
    ifm: NDArray[np.int32]
    input: CodeFormat
    weight: NDArray[np.int32]
    bias: NDArray[np.int64]
    scaling: Requantization
    geometry: Geometry = DENSE

    def pack(self, *kernels: ConvolutionKernel) -> PackedConvolution:
        return pack_convolution(
            self.weight,
            self.bias,
            self.scaling,
            self.input.low,
            self.input.high,
            self.geometry,
            kernels or KERNELS,
        )

    def expected(self) -> NDArray[np.int64]:
        accumulator = reference.convolve(self.ifm, self.weight, self.bias, self.geometry)
        return reference.requantize(accumulator, self.scaling)


def _largest_sum(weight: NDArray[np.int32], bias: NDArray[np.int64], code: CodeFormat) -> int:
    products = np.abs(weight.astype(np.int64)).sum(axis=(1, 2, 3)) * max(-code.low, code.high)
    return int(products.max() + np.abs(bias).max())


def widest_operands(kernel: ConvolutionKernel) -> int:
    """Bits of operands of any kind with which every case is exact.

    With 11 bits, at most 144 taps of 2^22 and the bias stay below 2^31.
    """
    eight_bits = {row.name for row in TABLE if row.operand is np.uint8}
    return 7 if kernel.name in eight_bits else 11


@st.composite
def cases(draw: st.DrawFn, maximum_bits: int = 16) -> Case:
    geometry = draw(geometries())
    inputs = draw(st.integers(1, 9 // geometry.groups)) * geometry.groups
    outputs = draw(st.integers(1, 35 // geometry.groups)) * geometry.groups
    kernel = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    window = geometry.window(kernel)
    height = draw(st.integers(window[0], window[0] + 3 * geometry.stride[0]))
    width = draw(st.integers(window[1], window[1] + 14 * geometry.stride[1]))
    code = draw(formats(maximum_bits))
    ifm = draw(code_arrays(code, (height, width, inputs)))
    weight = draw(
        code_arrays(draw(formats(maximum_bits)), (outputs, *kernel, inputs // geometry.groups))
    )
    bias_bits = draw(st.integers(0, 2 * maximum_bits))
    bias = draw(generators).integers(-(2**bias_bits), 2**bias_bits, outputs)
    scaling = draw(scalings(outputs, _largest_sum(weight, bias, code)))
    return Case(ifm, code, weight, bias, scaling, geometry)
