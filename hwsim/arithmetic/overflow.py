"""Convolution in accumulators of a declared width, as fast as what can be proved allows.

`pack_bounded_convolution` proves from the actual weights and the range of the input which of three
ways computes `reference.accumulate` exactly (``docs/operators/accumulators.md``):

- no sum can leave the accumulator: the convolution of `hwsim.arithmetic.convolution`, unchanged;
- only whole sums matter and 32 bits hold them: sums by the same kernels, then brought into range;
- else sums are stepped in their order, in 32 or 64 bits.
"""

from dataclasses import dataclass
from math import prod
from typing import Protocol

import numpy as np

from hwsim.arithmetic import _kernels_overflow
from hwsim.arithmetic._jit import Codes, Wide
from hwsim.arithmetic._kernels_bounds import extremes
from hwsim.arithmetic._kernels_requantization import Scaling, Sums
from hwsim.arithmetic._requantization import (
    LARGEST_PRODUCT,
    check_requantization,
    check_sums,
    sums_problem,
)
from hwsim.arithmetic._threads import BANDS_PER_THREAD, default_threads, map_bands, split_rows
from hwsim.arithmetic.convolution import (
    PackedConvolution,
    convolve,
    output_size,
    pack_convolution,
)
from hwsim.arithmetic.geometry import DENSE, Geometry
from hwsim.arithmetic.overflows import Overflows
from hwsim.arithmetic.requantization_modes import kernel_scaling
from quant.common.accumulators import Accumulator
from quant.common.requantization import Requantization

SUMS_PER_BAND = 2**18
"""Sums kept at a time: 1 MiB of 32 bits, which a core's own cache holds."""

MACS_PER_BAND = 2_000_000
"""Work worth handing to a thread: about a millisecond where every sum is looked at."""

UNSCALED = Requantization(
    np.ones(1, np.int64), np.zeros(1, np.int64), 0, -(2**31), 2**31 - 1, "half_up"
)
"""Sums of 32 bits as they are."""


class Way(Protocol):
    """A way to compute what accumulators hold."""

    def sums(self, ifm: Codes) -> tuple[Sums, Overflows]:
        """For int32 [H, W, I], already padded: [height, width, O], contiguous, and the overflows.

        Raises:
            ValueError: an input code is out of the declared range.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _Settled:
    """Whole sums of 32 bits by the fast kernels, then brought into the accumulator's range.

    Attributes:
        exact: the convolution, unscaled.
        accumulator: of ``wrap`` or ``saturate_final``.
    """

    exact: PackedConvolution
    accumulator: Accumulator

    def sums(self, ifm: Codes) -> tuple[Sums, Overflows]:
        """As `Way` says."""
        sums = convolve(self.exact, ifm, threads=1)
        return sums, _settle(sums, self.accumulator)


@dataclass(frozen=True, slots=True, eq=False)
class _Stepped:
    """One product after the other, for sums whose order matters or that need 64 bits.

    Attributes:
        weight: int32 [O, KH, KW, I/groups].
        lanes: the same [groups, KH, KW, I/groups, O/groups], of the registers' type.
        bias: int64 [O].
        geometry: of the convolution.
        input: the least and the greatest input code.
        accumulator: what sums are kept in.
    """

    weight: Codes
    lanes: Sums
    bias: Wide
    geometry: Geometry
    input: tuple[int, int]
    accumulator: Accumulator

    def sums(self, ifm: Codes) -> tuple[Sums, Overflows]:
        """As `Way` says."""
        codes, geometry = np.ascontiguousarray(ifm), self.geometry
        least, greatest = extremes(codes.reshape(-1))
        if least < self.input[0] or greatest > self.input[1]:
            raise ValueError(
                f"convolution input: codes {least} … {greatest} leave the {self.input[0]} … "
                f"{self.input[1]} it was packed for"
            )
        size = geometry.output_size(codes.shape[:2], self.weight.shape[1:3])
        sums = np.empty((*size, len(self.weight)), self.lanes.dtype)
        clamps = self.accumulator.minds_every_step
        wide = -LARGEST_PRODUCT, LARGEST_PRODUCT
        limits = (self.accumulator.low, self.accumulator.high) if clamps else wide
        count, first = _kernels_overflow.accumulate_steps(
            codes, self.lanes, self.bias, geometry.stride, geometry.dilation, limits, sums
        )
        if not clamps:
            return sums, _settle(sums, self.accumulator)
        if not count:
            return sums, Overflows()
        place = _place(first, sums)
        return sums, Overflows(count, place, self._first_sum_outside(codes, place))

    def _first_sum_outside(self, ifm: Codes, place: tuple[int, int, int]) -> int:
        """The first partial sum of an output that left the accumulator."""
        row, column, channel = place
        outputs, kernel_height, kernel_width, inputs = self.weight.shape
        stride, dilation = self.geometry.stride, self.geometry.dilation
        first = channel // (outputs // self.geometry.groups) * inputs
        window = ifm[row * stride[0] :: dilation[0], column * stride[1] :: dilation[1]]
        operands = window[:kernel_height, :kernel_width, first : first + inputs].astype(np.int64)
        products = (operands * self.weight[channel]).reshape(-1)
        partial = np.cumsum(np.append(self.bias[channel], products))
        outside = (partial < self.accumulator.low) | (partial > self.accumulator.high)
        return int(partial[outside.argmax()])


def _settle(sums: Sums, accumulator: Accumulator) -> Overflows:
    """Bring exact sums into an accumulator's range, in place."""
    count, first, first_sum = _kernels_overflow.bring_into_range(
        sums.reshape(-1), accumulator.low, accumulator.high, accumulator.overflow == "wrap"
    )
    return Overflows(count, _place(first, sums), int(first_sum)) if count else Overflows()


def _place(index: int, sums: Sums) -> tuple[int, int, int]:
    row, column, channel = (int(axis) for axis in np.unravel_index(index, sums.shape))
    return row, column, channel


@dataclass(frozen=True, slots=True, eq=False)
class BoundedConvolution:
    """A convolution's constants for a declared accumulator; see `pack_bounded_convolution`.

    Attributes:
        accumulator: what sums are kept in.
        proved: the convolution where no input makes a sum overflow, else None.
        exact: the convolution with wide accumulators, unscaled.
        way: how accumulators are computed where some input makes them overflow.
        scaling: from sums to codes.
    """

    accumulator: Accumulator
    proved: PackedConvolution | None
    exact: PackedConvolution
    way: Way
    scaling: Scaling


def pack_bounded_convolution(
    weight: Codes,
    bias: Wide,
    requantization: Requantization,
    input_low: int,
    input_high: int,
    accumulator: Accumulator,
    geometry: Geometry = DENSE,
) -> BoundedConvolution:
    """Prepare a convolution's constants for `convolve_bounded`.

    Args:
        weight: int32 [O, KH, KW, I/groups], magnitudes below 2^16.
        bias: int64 [O], what every sum begins with.
        requantization: accumulator to code, with parameters of O channels or of one for all.
        input_low: the least input code, pad codes included; magnitude below 2^16.
        input_high: the greatest.
        accumulator: what sums are kept in.
        geometry: stride, dilation and groups.

    Raises:
        ValueError: as `hwsim.arithmetic.convolution.pack_convolution`.
    """
    span = input_low, input_high
    exact = pack_convolution(weight, bias, UNSCALED, *span, geometry)
    mode = check_requantization("convolution", requantization, len(weight))
    check_sums("convolution", -accumulator.low, mode, requantization)
    # The kernels bound sums in whatever order, which beside a large bias is the wider bound.
    requantizes = sums_problem(exact.bounds.accumulator, mode, requantization) is None
    proved = None
    if requantizes and accumulator.always_holds(weight, bias, *span):
        proved = pack_convolution(weight, bias, requantization, *span, geometry)
    scaling = kernel_scaling(bias, requantization, len(weight))
    way = _way(exact, weight, bias, accumulator)
    return BoundedConvolution(accumulator, proved, exact, way, scaling)


def _way(exact: PackedConvolution, weight: Codes, bias: Wide, accumulator: Accumulator) -> Way:
    if not accumulator.minds_every_step and exact.bounds.sums_fit(32):
        return _Settled(exact, accumulator)
    _, *taps = weight.shape
    grouped = weight.reshape(exact.geometry.groups, -1, *taps)
    lanes = np.ascontiguousarray(np.moveaxis(grouped, 1, -1), _step_type(exact, accumulator))
    return _Stepped(weight, lanes, bias, exact.geometry, exact.bounds.input, accumulator)


def _step_type(exact: PackedConvolution, accumulator: Accumulator) -> type[np.signedinteger]:
    """32 bits where they hold any product added to whatever an accumulator that clamps holds."""
    weights, inputs = exact.bounds.weight, exact.bounds.input
    product = max(abs(weight * code) for weight in weights for code in inputs)
    fits = accumulator.minds_every_step and product - accumulator.low < 2**31
    return np.int32 if fits else np.int64


def convolve_bounded(
    packed: BoundedConvolution, ifm: Codes, threads: int | None = None
) -> tuple[Codes, Overflows]:
    """Convolve a padded image in the declared accumulators and requantize what they hold.

    Args:
        packed: the constants.
        ifm: int32 [H, W, I], already padded, codes in the packed input_low … input_high.
        threads: at most this many; by default ``NUMBA_NUM_THREADS`` or all processors.

    Returns:
        Codes as those of `hwsim.arithmetic.convolution.convolve`, and the sums that left their
        accumulator. Under ``error`` the codes of those are of no use (`reference.accumulate`).

    Raises:
        ValueError: the image has another type or depth, is smaller than the window, or holds a
            code out of range.
    """
    if packed.proved is not None:
        return convolve(packed.proved, ifm, threads), Overflows()
    height, width = output_size(packed.exact, ifm)
    channels, kernel = packed.exact.weight_shape[0], packed.exact.weight_shape[1:3]
    stride, window = packed.exact.geometry.stride[0], packed.exact.geometry.window(kernel)[0]
    ofm = np.empty((height, width, channels), np.int32)
    found: list[Overflows] = []

    def convolve_band(band: tuple[int, int]) -> bool:
        first, end = band
        sums, overflows = packed.way.sums(ifm[first * stride : (end - 1) * stride + window])
        codes = ofm[first:end].reshape(-1, channels)
        _kernels_overflow.requantize_sums(sums.reshape(-1), packed.scaling, codes)
        found.append(overflows.moved(first, 0, 0))
        return True

    usable = default_threads() if threads is None else threads
    macs = height * width * prod(packed.exact.weight_shape)
    shared = 1 if usable == 1 else min(macs // MACS_PER_BAND, usable * BANDS_PER_THREAD)
    bands = max(ofm.size // SUMS_PER_BAND, shared)
    map_bands(convolve_band, split_rows(height, bands), usable)
    return ofm, Overflows.merged(found)
