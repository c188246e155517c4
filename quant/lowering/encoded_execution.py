"""A network in the codes of its encodings, computed in real numbers: the oracle of a graph.

Every feature map is decoded, the operator computed in floating point, and the result rounded to the
nearest code, halves to even. Weights, biases, slopes and border constants are the real numbers that
stored integers stand for, but no multiplier or shift takes part: a graph's codes may differ from
these only where a value lies next to the middle between two codes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from quant.common.codes import CodeKind
from quant.graph.types import Padding
from quant.lowering.encodings import MapEncoding
from quant.lowering.execution import constants_of, result_of
from quant.lowering.float_network import FloatNetwork
from quant.lowering.float_operators import (
    UNCLAMPED,
    FloatAffine,
    FloatConvolution,
    FloatInput,
    FloatLayer,
    FloatOperator,
    FloatPRelu,
)
from quant.lowering.integer_operators import (
    stored_bias,
    stored_offset,
    stored_slope,
    stored_tap_errors,
)
from quant.lowering.plan import Copy, Encodings, Step, plan


class EncodedExecution:
    """A folded float network under encodings, ready to run on pictures.

    Args:
        network: a folded network.
        encodings: how its tensors are encoded.
        dtype: what is computed in; float64 where codes are to be compared.
    """

    def __init__(
        self, network: FloatNetwork, encodings: Encodings, dtype: torch.dtype = torch.float64
    ) -> None:
        self._steps = plan(network, encodings)
        self._by_name = {step.name: step for step in self._steps}
        self._output = network.output
        self._dtype = dtype
        self._operators = {step.name: _decoded(step, encodings) for step in self._steps}
        self._constants = {
            name: () if isinstance(operator, Copy) else constants_of(operator, dtype)
            for name, operator in self._operators.items()
        }
        self._tap_errors = {
            step.name: errors
            for step in self._steps
            if isinstance(step.operator, FloatLayer)
            if (errors := _tap_errors(step, encodings, dtype)) is not None
        }
        last_read = {step.name: position for position, step in enumerate(self._steps)}
        for position, step in enumerate(self._steps):
            last_read.update(dict.fromkeys(step.inputs, position))
        self._last_read = last_read

    def codes(self, image: NDArray[np.uint8]) -> Iterator[tuple[str, NDArray[np.int64]]]:
        """The codes of every feature map, in order, under the names they have in the graph.

        Args:
            image: uint8, height x width x colours.

        Yields:
            The name and int64, height x width x channels.
        """
        for name, codes in self._tensors(image):
            yield name, codes[0].permute(1, 2, 0).to(torch.int64).numpy()

    def picture(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The picture that comes out, uint8, height x width x colours."""
        result = next(codes for name, codes in self._tensors(image) if name == self._output)
        return result[0].permute(1, 2, 0).to(torch.uint8).numpy()

    @torch.no_grad()
    def codes_from(
        self, name: str, operands: Sequence[NDArray[np.integer[Any]]]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The codes of one feature map from given codes of those it is computed from.

        Args:
            name: of the feature map, not that of the image.
            operands: integers, height x width x channels each.

        Returns:
            int64, height x width x channels, and float64 of the same shape: how far, in codes,
            each value was from the middle between two codes, where either would be as near.
        """
        tensors = [torch.from_numpy(o).permute(2, 0, 1)[None].to(self._dtype) for o in operands]
        step = self._by_name[name]
        values = self._values(step, tensors)
        codes, places = encoded(values, step.target), _places(values, step.target)
        to_middle = 0.5 - (places - places.round()).abs()
        return (
            codes[0].permute(1, 2, 0).to(torch.int64).numpy(),
            to_middle[0].permute(1, 2, 0).double().numpy(),
        )

    @torch.no_grad()
    def _tensors(self, image: NDArray[np.uint8]) -> Iterator[tuple[str, Tensor]]:
        pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]
        pixels = pixels.to(self._dtype)
        alive: dict[str, Tensor] = {}
        for position, step in enumerate(self._steps):
            codes = self._codes(step, [alive[name] for name in step.inputs] or [pixels])
            yield step.name, codes
            alive[step.name] = codes
            for name in (*step.inputs, step.name):
                if self._last_read[name] <= position:
                    alive.pop(name, None)

    def _codes(self, step: Step, operands: list[Tensor]) -> Tensor:
        if isinstance(step.operator, FloatInput):
            return operands[0]
        return encoded(self._values(step, operands), step.target)

    def _values(self, step: Step, operands: list[Tensor]) -> Tensor:
        operator = self._operators[step.name]
        values = [
            decoded(codes, source) for codes, source in zip(operands, step.sources, strict=True)
        ]
        if isinstance(operator, Copy):
            return values[0] + self._copied_offset(step)
        if isinstance(operator, FloatLayer) and _pads_with_a_code(step.sources[0]):
            values = [_padded(values[0], operator.padding, step.sources[0])]
            operator = replace(operator, padding=Padding())
        if step.name in self._tap_errors:
            return self._with_stored_border(step, operator, values)
        return result_of(operator, values, self._constants[step.name])

    @staticmethod
    def _copied_offset(step: Step) -> float:
        """What a copy adds to values because its offset is a whole number of codes."""
        assert isinstance(step.operator, Copy)
        if step.is_table or step.operator.coarsens_image:
            return 0.0
        return float(stored_offset(np.ones(1), np.zeros(1), step.sources[0], step.target)[0])

    def _with_stored_border(
        self, step: Step, operator: FloatOperator, values: list[Tensor]
    ) -> Tensor:
        """A convolution whose border constants are what integers stand for.

        The stored bias has the errors of all taps; taps outside the image have none.
        """
        assert isinstance(operator, FloatConvolution)
        errors = self._tap_errors[step.name]
        unclamped = replace(operator, clamp=UNCLAMPED)
        result = result_of(unclamped, values, self._constants[step.name])
        inside = replace(unclamped, groups=1)
        ones = torch.ones_like(values[0][:, :1])
        lacking = result_of(inside, [ones], (errors, -errors.sum(dim=(1, 2, 3))))
        return (result + lacking).clamp(*operator.clamp)


def decoded(codes: Tensor, encoding: MapEncoding) -> Tensor:
    """The real numbers that codes stand for, in the codes' type, batch x channels x …."""
    return encoding.scale * (codes - _of_channels(encoding.zero, codes))


def encoded(values: Tensor, encoding: MapEncoding) -> Tensor:
    """The codes of real numbers, halves to even, in the values' type, batch x channels x …."""
    codes = _places(values, encoding).round()
    if encoding.integer.kind is CodeKind.ODD:
        codes = 2 * codes - encoding.integer.high
    return codes.clamp(encoding.integer.low, encoding.integer.high)


def _places(values: Tensor, encoding: MapEncoding) -> Tensor:
    """Where real numbers lie among the codes, which are counted one by one."""
    places = values / encoding.scale + _of_channels(encoding.zero, values)
    if encoding.integer.kind is CodeKind.ODD:
        return (places + encoding.integer.high) / 2
    return places


def _decoded(step: Step, encodings: Encodings) -> FloatOperator | Copy:
    """The operator with the real constants its integers stand for."""
    operator = step.operator
    if isinstance(operator, FloatPRelu) and not step.is_table:
        return replace(operator, slope=stored_slope(operator))
    if isinstance(operator, FloatAffine) and not step.is_table:
        stored = stored_offset(operator.scale, operator.offset, step.sources[0], step.target)
        return replace(operator, offset=stored)
    if not isinstance(operator, FloatLayer):
        return operator
    weights = encodings.weights[step.node]
    return replace(
        operator,
        weight=weights.weight * weights.scale[:, None, None, None],
        bias=stored_bias(operator, weights, step.sources[0], step.target),
    )


def _tap_errors(step: Step, encodings: Encodings, dtype: torch.dtype) -> Tensor | None:
    """Of a convolution, out_channels x 1 x kernel height x kernel width."""
    assert isinstance(step.operator, FloatLayer)
    errors = stored_tap_errors(step.operator, encodings.weights[step.node], step.sources[0])
    return None if errors is None else torch.from_numpy(errors).to(dtype)[:, None]


def _pads_with_a_code(source: MapEncoding) -> bool:
    """Whether taps outside the image differ from the real number 0."""
    return not (source.has_zero or source.pads_exactly)


def _padded(values: Tensor, padding: Padding, source: MapEncoding) -> Tensor:
    outside = _of_channels(source.scale * (source.zero_codes - source.zero), values)
    sides = (padding.left, padding.right, padding.top, padding.bottom)
    return functional.pad(values - outside, sides) + outside


def _of_channels(numbers: NDArray[np.float64], like: Tensor) -> Tensor:
    return torch.from_numpy(np.asarray(numbers, np.float64)).to(like.dtype)[:, None, None]
