"""What the tiles of a group ask of the MAC array and of the vector unit."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache, lru_cache

from accelerators import Accelerator
from accelerators.vector_unit import work_cycles
from hwsim.schedule.array_work import ArrayWork
from hwsim.schedule.commands import ConvolutionSettings
from hwsim.schedule.groups import Group, is_reduction
from hwsim.schedule.roles import Role, role
from hwsim.schedule.scaled_array_work import ScaledArrayWork
from hwsim.schedule.storage import ceil_divide
from hwsim.schedule.vector_work import vector_work
from quant.graph import Convolution, TensorType


@lru_cache(maxsize=1024)  # asked for by every tiling tried
def convolution_settings(convolution: Convolution) -> ConvolutionSettings:
    """What the array is told of a convolution; one object for one convolution."""
    return ConvolutionSettings.of(convolution)


class GroupWork:
    """The work of a group's tiles on a machine; groups of one shape can share it.

    Attributes:
        channels: output channels of the anchor's convolution, 0 without one.
        array_cycles: cycles that so many output pixels and channels hold the array.
        vector_cycles: cycles that so many pixels of the group's grid hold the vector unit.
        cycles: both, of so many pixels and all channels.
        least_cycles: both at least, of tiles that have so many pixels together; nothing is known
            of a scaled convolution.

    Few sizes of tiles are asked for often, so each is worked out once.
    """

    def __init__(
        self, group: Group, types: Mapping[str, TensorType], accelerator: Accelerator
    ) -> None:
        convolution = group.convolution
        self._accelerator = accelerator
        self._settings = None if convolution is None else convolution_settings(convolution)
        self.channels = 0 if convolution is None else convolution.out_channels
        self._activation_bits = types[group.anchor.inputs[0]].integer.bits
        self._on_vector_unit = [
            (
                vector_work(node.operator, node.output.integer),
                types[node.inputs[0] if is_reduction(node) else node.name].channels,
            )
            for node in group.nodes
            if role(node.operator) not in (Role.ARRAY, Role.REMAP)
        ]
        work = self.array(1, self.channels)
        self._cycles_per_pixel = (
            work.cycles_per_pixel(accelerator) if isinstance(work, ArrayWork) else Fraction(0)
        )
        self.array_cycles: Callable[[int, int], int] = cache(self._array_cycles)
        self.vector_cycles: Callable[[int], int] = cache(self._vector_cycles)
        self.cycles: Callable[[int], tuple[int, int]] = cache(self._cycles)
        self.least_cycles: Callable[[int], tuple[int, int]] = cache(self._least_cycles)

    def array(self, pixels: int, channels: int) -> ArrayWork | ScaledArrayWork | None:
        """What some output pixels and channels ask of the array; None without a convolution."""
        if self._settings is None:
            return None
        return self._settings.work(pixels, channels, self._activation_bits)

    def _array_cycles(self, pixels: int, channels: int) -> int:
        work = self.array(pixels, channels)
        return 0 if work is None else work.cycles(self._accelerator)

    def _vector_cycles(self, pixels: int) -> int:
        lanes, banks = self._accelerator.vector_unit.lanes, self._accelerator.sram.banks
        return sum(
            work_cycles(work, lanes, banks, pixels * channels)
            for work, channels in self._on_vector_unit
        )

    def _cycles(self, pixels: int) -> tuple[int, int]:
        return self._array_cycles(pixels, self.channels), self._vector_cycles(pixels)

    def _least_cycles(self, pixels: int) -> tuple[int, int]:
        rate = self._cycles_per_pixel
        return ceil_divide(pixels * rate.numerator, rate.denominator), self.vector_cycles(pixels)
