"""Points that are chosen at run time, in real numbers: see `quant.lowering.encoded_execution`.

Values are divided by the exact reach, without a reciprocal; means are those of the codes, halves
rounded to even.
"""

import torch
from torch import Tensor

from quant.common.run_time_scaling import (
    LARGEST_POINT,
    RECIPROCAL_FRACTION_BITS,
    nearest_point_thresholds,
)
from quant.lowering.encodings import MapEncoding
from quant.lowering.run_time_points import (
    EncodePoints,
    Normalize,
    PointEncoding,
    RunTimeOperator,
    Summarize,
)


def run_time_codes(operator: RunTimeOperator, operands: list[Tensor]) -> tuple[Tensor, Tensor]:
    """The integers an operator makes, and how far each was from becoming another.

    Args:
        operator: what stands before a layer.
        operands: integers as reals, 1 x channels x height x width each.

    Returns:
        Integers, and distances: of codes in parts of the reach, otherwise 0.
    """
    match operator:
        case Summarize():
            exact = _summary(operands[0])
            return exact, torch.zeros_like(exact)
        case Normalize(is_centred=is_centred):
            exact = _normalization(operands[0], is_centred)
            return exact, torch.zeros_like(exact)
        case EncodePoints(encoding=encoding):
            return _nearest(encoding, operands[0], operands[1])


def _summary(codes: Tensor) -> Tensor:
    values = codes.flatten(2)
    count = torch.full_like(values[:, :1, 0], values.shape[2])
    rows = values.sum(dim=2), values.amin(dim=2), values.amax(dim=2), count
    return torch.cat(rows, dim=1)[:, :, None, None]


def _normalization(summary: Tensor, is_centred: bool) -> Tensor:
    totals, minima, maxima = summary[:, :-1].chunk(3, dim=1)
    means = (totals / summary[:, -1:]).round() if is_centred else torch.zeros_like(totals)
    reaches = torch.maximum(maxima - means, means - minima)
    one = torch.ldexp(
        torch.ones_like(reaches), RECIPROCAL_FRACTION_BITS + torch.frexp(reaches).exponent
    )
    reciprocals = torch.where(reaches > 0, torch.floor(one / reaches + 0.5), 0)
    return torch.cat((means, reaches, reciprocals), dim=1)


def _nearest(encoding: PointEncoding, codes: Tensor, factors: Tensor) -> tuple[Tensor, Tensor]:
    """The lower of the nearest points of each value, and how far it was from the next half way."""
    means, reaches, _ = factors.chunk(3, dim=1)
    values = ((codes - means) / reaches.clamp(min=1))[0].flatten(1).contiguous()
    thresholds = torch.from_numpy(nearest_point_thresholds(encoding.points))
    halves = thresholds.to(codes.dtype) / (2 * LARGEST_POINT)
    above = torch.searchsorted(halves, values)
    around = (above - 1).clamp(min=0), above.clamp(max=halves.shape[1] - 1)
    to_half = torch.stack([(halves.gather(1, place) - values).abs() for place in around])
    return above.to(codes.dtype).view_as(codes), to_half.amin(dim=0).view_as(codes)


def point_values(
    encoding: PointEncoding, wide: MapEncoding, codes: Tensor, factors: Tensor
) -> Tensor:
    """The real numbers that codes of points stand for in an image.

    Args:
        encoding: of the layer that reads them.
        wide: codes of the feature map they were chosen for, whose code 0 is the real number 0.
        codes: 1 x channels x height x width.
        factors: means, reaches and reciprocals, 1 x 3 · channels x 1 x 1.
    """
    means, reaches, _ = factors.chunk(3, dim=1)
    channels = torch.arange(codes.shape[1])[None, :, None, None]
    points = torch.from_numpy(encoding.points)[channels, codes.long()].to(codes.dtype)
    values: Tensor = points / LARGEST_POINT * reaches
    return wide.scale * (values + means if encoding.is_centred else values)
