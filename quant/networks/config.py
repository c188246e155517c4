"""What a network is, as data: no torch here, so that listing networks stays quick."""

from dataclasses import dataclass, fields
from typing import ClassVar

from quant.common.errors import UserError


@dataclass(frozen=True, slots=True)
class EDSRConfig:
    """The shape of an EDSR network (Lim et al., CVPR workshops 2017, arXiv 1707.02921).

    Attributes:
        blocks: residual blocks.
        channels: feature channels.
        scale: enlargement of height and width: 2, 3 or 4.
        residual_scale: factor on each residual branch; 1 adds no multiplication.
        colours: picture channels: 3 (RGB) or 1.
        pixel_range: value of a white pixel at input and output.
        prelu: whether each block has a PReLU of one slope for its ReLU, as in Wang et al., "Fully
            quantized image super-resolution networks" (FQSR), ACM MM 2021, arXiv 2011.14265.
    """

    blocks: int
    channels: int
    scale: int
    residual_scale: float = 1.0
    colours: int = 3
    pixel_range: float = 255.0
    prelu: bool = False

    def __post_init__(self) -> None:
        if self.blocks < 0 or self.channels < 1 or self.pixel_range <= 0:
            raise UserError(
                "EDSR network: expected blocks >= 0, channels >= 1 and pixel_range > 0, got "
                f"blocks {self.blocks}, channels {self.channels}, pixel_range {self.pixel_range}; "
                "correct the configuration"
            )
        _require_scale("EDSR", self.scale, (2, 3, 4))
        if self.colours not in (1, 3):
            raise UserError(
                f"EDSR network: expected 1 or 3 colours, got {self.colours}; choose one of them"
            )


@dataclass(frozen=True, slots=True)
class DirectEDSRConfig:
    """An EDSR without mean colour that makes all pixels of a block with its last convolution.

    The network of MLPerf Mobile has 5 blocks of 32 channels; input and output are 0..255.

    Attributes:
        blocks: residual blocks.
        channels: feature channels.
        scale: enlargement of height and width: 2, 3 or 4.
    """

    blocks: int
    channels: int
    scale: int

    pixel_range: ClassVar[float] = 255.0

    def __post_init__(self) -> None:
        _require_shape("direct EDSR", self, (2, 3, 4))


@dataclass(frozen=True, slots=True)
class SRResNetConfig:
    """The shape of an SRResNet (Ledig et al., CVPR 2017, arXiv 1609.04802); pixels are 0..255.

    Attributes:
        blocks: residual blocks with batch normalization.
        channels: feature channels.
        scale: enlargement of height and width: 2, 3 or 4.
        input_mean: colour subtracted from the picture, as a part of white; None subtracts nothing.
        tanh: whether the picture goes through a hyperbolic tangent, as some published ones do.
    """

    blocks: int
    channels: int
    scale: int
    input_mean: tuple[float, float, float] | None = None
    tanh: bool = False

    pixel_range: ClassVar[float] = 255.0

    def __post_init__(self) -> None:
        _require_shape("SRResNet", self, (2, 3, 4))


@dataclass(frozen=True, slots=True)
class MSRResNetConfig:
    """The shape of BasicSR's SRResNet without batch normalization; pixels are 0..1.

    Attributes:
        blocks: residual blocks.
        channels: feature channels.
        scale: enlargement of height and width: 2, 3 or 4.
    """

    blocks: int
    channels: int
    scale: int

    pixel_range: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        _require_shape("MSRResNet", self, (2, 3, 4))


@dataclass(frozen=True, slots=True)
class SRGANConfig:
    """The shape of a published SRGAN generator of five blocks and 64 channels; pixels are 0..1.

    Attributes:
        scale: enlargement of height and width: 2, 3 or 4.
    """

    scale: int

    pixel_range: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        _require_scale("SRGAN", self.scale, (2, 3, 4))


@dataclass(frozen=True, slots=True)
class RDNConfig:
    """The shape of a residual dense network (Zhang et al., CVPR 2018, arXiv 1802.08797).

    Pixels are 0..255. The paper's letters stand in brackets.

    Attributes:
        blocks: residual dense blocks [D].
        layers: 3x3 convolutions in a block [C].
        growth: channels each of them adds [G].
        channels: channels between blocks [G0].
        scale: enlargement of height and width: 2, 3 or 4.
    """

    blocks: int
    layers: int
    growth: int
    channels: int
    scale: int

    pixel_range: ClassVar[float] = 255.0

    def __post_init__(self) -> None:
        _require_shape("RDN", self, (2, 3, 4))


@dataclass(frozen=True, slots=True)
class MobileSRConfig:
    """The shape of this project's mobile network; pixels are 0..255.

    Attributes:
        layers: 3x3 convolutions from features to features, between the first and the last.
        channels: feature channels.
        scale: enlargement of height and width: 2, 3 or 4.
    """

    layers: int
    channels: int
    scale: int

    pixel_range: ClassVar[float] = 255.0

    def __post_init__(self) -> None:
        _require_shape("mobile", self, (2, 3, 4))


NetworkConfig = (
    EDSRConfig
    | DirectEDSRConfig
    | SRResNetConfig
    | MSRResNetConfig
    | SRGANConfig
    | RDNConfig
    | MobileSRConfig
)
"""The shape of any network; each has ``scale`` and ``pixel_range``, the value of a white pixel."""

_COUNTS = ("blocks", "layers", "growth", "channels")


def _require_shape(family: str, config: NetworkConfig, scales: tuple[int, ...]) -> None:
    for field in fields(config):
        value = getattr(config, field.name)
        if field.name in _COUNTS and value < 1:
            raise UserError(
                f"{family} network: expected {field.name} >= 1, got {value}; "
                "correct the configuration"
            )
    _require_scale(family, config.scale, scales)


def _require_scale(family: str, scale: int, scales: tuple[int, ...]) -> None:
    if scale not in scales:
        known = ", ".join(map(str, scales[:-1])) + f" or {scales[-1]}"
        raise UserError(
            f"{family} network: expected scale {known}, got {scale}; choose one of them"
        )
