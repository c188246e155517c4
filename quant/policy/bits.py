"""The two widths of a layer, and how people write them: ``w4a8``."""

import re
from dataclasses import dataclass

from quant.common.errors import UserError

MINIMUM_BITS, MAXIMUM_BITS = 1, 16

_SPELLING = re.compile(r"w(\d{1,4})a(\d{1,4})", re.ASCII)


@dataclass(frozen=True, slots=True)
class LayerBits:
    """Bits of a convolution's weights and of the feature map it reads; written ``w4a8``.

    Raises:
        UserError: a width is outside 1–16.
    """

    weight_bits: int
    activation_bits: int

    def __post_init__(self) -> None:
        for what, bits in (("weights", self.weight_bits), ("activations", self.activation_bits)):
            if not MINIMUM_BITS <= bits <= MAXIMUM_BITS:
                raise UserError(
                    f"bits '{self}': expected {MINIMUM_BITS} to {MAXIMUM_BITS} bits for {what}, "
                    f"given {bits}; choose a width in that range"
                )

    def __str__(self) -> str:
        return f"w{self.weight_bits}a{self.activation_bits}"

    @classmethod
    def parse(cls, text: str) -> "LayerBits":
        """Read the spelling ``str`` gives back.

        Raises:
            UserError: the text is no such spelling, or a width is outside 1–16.
        """
        match = _SPELLING.fullmatch(text)
        if match is None:
            raise UserError(
                f"bits '{text}': expected weight and activation bits such as 'w4a8'; correct it"
            )
        return cls(int(match[1]), int(match[2]))

    def at_least(self, other: "LayerBits") -> "LayerBits":
        """The wider of two, weights and activations each on their own."""
        return LayerBits(
            max(self.weight_bits, other.weight_bits),
            max(self.activation_bits, other.activation_bits),
        )
