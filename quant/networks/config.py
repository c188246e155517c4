"""What a network is, as data: no torch here, so that listing networks stays quick."""

from dataclasses import dataclass

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
    """

    blocks: int
    channels: int
    scale: int
    residual_scale: float = 1.0
    colours: int = 3
    pixel_range: float = 255.0

    def __post_init__(self) -> None:
        if self.blocks < 0 or self.channels < 1 or self.pixel_range <= 0:
            raise UserError(
                "EDSR network: expected blocks >= 0, channels >= 1 and pixel_range > 0, got "
                f"blocks {self.blocks}, channels {self.channels}, pixel_range {self.pixel_range}; "
                "correct the configuration"
            )
        if self.scale not in (2, 3, 4):
            raise UserError(
                f"EDSR network: expected scale 2, 3 or 4, got {self.scale}; choose one of them"
            )
        if self.colours not in (1, 3):
            raise UserError(
                f"EDSR network: expected 1 or 3 colours, got {self.colours}; choose one of them"
            )
