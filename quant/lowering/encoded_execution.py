"""A network in the codes of its encodings, computed in real numbers: the oracle of a graph.

Every feature map is decoded, the operator computed in floating point, and the result rounded to the
nearest code, halves to even. Weights, biases, slopes and border constants are the real numbers that
stored integers stand for, but no multiplier or shift takes part: a graph's codes may differ from
these only where a value lies next to the middle between two codes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from quant.common.codes import CodeKind
from quant.graph.types import Padding
from quant.lowering.encoded_points import point_values, run_time_codes
from quant.lowering.encodings import MapEncoding
from quant.lowering.execution import constants_of, result_of
from quant.lowering.float_network import FloatNetwork
from quant.lowering.float_operators import (
    FloatAffine,
    FloatInput,
    FloatLayer,
    FloatOperator,
    FloatPRelu,
)
from quant.lowering.integer_operators import (
    stored_bias,
    stored_offset,
    stored_slope,
    stored_taps,
    zeros_of_taps,
)
from quant.lowering.plan import Copy, Encodings, Step, plan
from quant.lowering.run_time_points import RunTimeOperator, operand_encoding


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
        self._encodings = encodings
        self._output = network.output
        self._dtype = dtype
        self._operators = {step.name: _decoded(step, encodings) for step in self._steps}
        self._bordered = {
            step.name
            for step in self._steps
            if isinstance(step.operator, FloatLayer)
            and step.node not in encodings.points
            and stored_taps(step.operator, encodings.weights[step.node], step.sources[0])
            is not None
        }
        self._constants = {
            name: ()
            if isinstance(operator, Copy | RunTimeOperator)
            else constants_of(operator, dtype)
            for name, operator in self._operators.items()
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

    def oracle(self, image: NDArray[np.uint8]) -> Self:
        """What computes the codes of the graph that an image runs: there is but one."""
        return self

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
        if isinstance(step.operator, RunTimeOperator):
            return tuple(  # type: ignore[return-value]
                result[0].permute(1, 2, 0).numpy()
                for result in run_time_codes(step.operator, tensors)
            )
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
        if isinstance(step.operator, RunTimeOperator):
            return run_time_codes(step.operator, operands)[0]
        return encoded(self._values(step, operands), step.target)

    def _values(self, step: Step, operands: list[Tensor]) -> Tensor:
        operator = self._operators[step.name]
        assert not isinstance(operator, RunTimeOperator)
        points = self._encodings.points.get(step.node)
        if points is not None and isinstance(operator, FloatLayer):
            wide = self._encodings.inputs[step.node]
            values = [point_values(points, wide, operands[0], operands[1])]
            return result_of(operator, values, self._constants[step.name])
        values = [
            decoded(codes, source) for codes, source in zip(operands, step.sources, strict=True)
        ]
        if isinstance(operator, Copy):
            return values[0] + self._copied_offset(step)
        if isinstance(operator, FloatLayer) and _pads_with_a_code(step.sources[0]):
            values = [_padded(values[0], operator.padding, step.sources[0])]
            operator = replace(operator, padding=Padding())
        elif step.name in self._bordered and isinstance(operator, FloatLayer):
            values = [_with_insides(values[0], operator)]
        return result_of(operator, values, self._constants[step.name])

    @staticmethod
    def _copied_offset(step: Step) -> float:
        """What a copy adds to values because its offset is a whole number of codes."""
        assert isinstance(step.operator, Copy)
        if step.is_table or step.operator.coarsens_image:
            return 0.0
        return float(stored_offset(np.ones(1), np.zeros(1), step.sources[0], step.target)[0])


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


def _decoded(step: Step, encodings: Encodings) -> FloatOperator | Copy | RunTimeOperator:
    """The operator with the real constants its integers stand for."""
    operator = step.operator
    if isinstance(operator, FloatPRelu) and not step.is_table:
        return replace(operator, slope=stored_slope(operator))
    if isinstance(operator, FloatAffine) and not step.is_table:
        stored = stored_offset(operator.scale, operator.offset, step.sources[0], step.target)
        return replace(operator, offset=stored)
    if not isinstance(operator, FloatLayer):
        return operator
    weights, source = encodings.weights[step.node], step.sources[0]
    if step.node in encodings.points:
        source = operand_encoding(encodings.inputs[step.node])
    real = replace(
        operator,
        weight=weights.weight * weights.scale[:, None, None, None],
        bias=stored_bias(operator, weights, source, step.target),
    )
    taps = stored_taps(operator, weights, source)
    if taps is None:
        return real
    # What rounding adds at a tap is the weight of a channel that is 1 inside the image.
    unit = source.scale * weights.scale[:, None, None]
    excess = unit * (taps + zeros_of_taps(operator, weights, source))
    return replace(
        real,
        weight=np.concatenate([real.weight, excess[..., None]], axis=3),
        bias=real.bias - excess.sum(axis=(1, 2)),
    )


def _has_taps(step: Step, encodings: Encodings) -> bool:
    """Whether a step is a convolution with tap offsets."""
    if not isinstance(step.operator, FloatLayer) or step.node in encodings.points:
        return False
    weights = encodings.weights[step.node]
    return stored_taps(step.operator, weights, step.sources[0]) is not None


def _with_insides(values: Tensor, layer: FloatLayer) -> Tensor:
    """With a channel of ones behind those of each group."""
    batch, channels, height, width = values.shape
    groups = values.view(batch, layer.groups, channels // layer.groups, height, width)
    ones = torch.ones_like(groups[:, :, :1])
    return torch.cat([groups, ones], dim=2).view(batch, -1, height, width)


def _pads_with_a_code(source: MapEncoding) -> bool:
    """Whether taps outside the image differ from the real number 0."""
    return not (source.has_zero or source.pads_exactly)


def _padded(values: Tensor, padding: Padding, source: MapEncoding) -> Tensor:
    outside = _of_channels(source.scale * (source.zero_codes - source.zero), values)
    sides = (padding.left, padding.right, padding.top, padding.bottom)
    return functional.pad(values - outside, sides) + outside


def _of_channels(numbers: NDArray[np.float64], like: Tensor) -> Tensor:
    return torch.from_numpy(np.asarray(numbers, np.float64)).to(like.dtype)[:, None, None]
