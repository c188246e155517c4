"""Instruction sets as data: how each multiplies a few operands and adds to 32-bit sums.

A step adds, in each 32-bit lane, the products of a few neighbouring operands and as many weights.
Operands of a step fill words of 32 bits: two of 16 bits or four of 8. A row of the table says what
Numba's target must offer, how wide its registers are and how strips are emitted; everything else
about the convolution kernels is common to all rows.

An emulated row has the layout and loops of another, with its instructions replaced by their
definition, so that any processor can check them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numba.core.registry import cpu_target

from hwsim.arithmetic._matrix_strips import (
    ROWS,
    WORDS,
    AmxRegisters,
    EmulatedRegisters,
    is_permitted,
    matrix_strip,
)
from hwsim.arithmetic._steps_emitted import (
    emit_pairs,
    emit_quads,
    emit_vpdpbusd,
    emit_vpdpwssd,
    emit_vpmaddwd,
)
from hwsim.arithmetic._strips import EmitStrip, Tile
from hwsim.arithmetic._vector_strips import vector_strip
from hwsim.arithmetic.convolution_bounds import ConvolutionBounds, fits


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class InstructionSet:
    """A way to sum up the steps of a convolution.

    Attributes:
        name: of the row.
        features: what Numba's target must offer, in LLVM's names.
        operand: int16, with weights of the same type, or uint8 with weights of 8 bits and sign.
        lanes: 32-bit sums in a register.
        wide: the tile for many output channels, as large as the registers allow.
        narrow: the tile for up to ``lanes`` output channels.
        emit_strip: emits the sums of a strip.
        words: of operands in a step.
        is_permitted: asks the operating system, where it has a say.
    """

    name: str
    features: frozenset[str]
    operand: type[np.int16] | type[np.uint8]
    lanes: int
    wide: Tile
    narrow: Tile
    emit_strip: EmitStrip
    words: int = 1
    is_permitted: Callable[[], bool] = _always

    @property
    def word_taps(self) -> int:
        """Operands of a word."""
        return 4 // np.dtype(self.operand).itemsize

    @property
    def taps(self) -> int:
        """Operands of a step in each lane."""
        return self.words * self.word_taps

    def holds(self, bounds: ConvolutionBounds) -> bool:
        """Whether weights and inputs fit the operands."""
        limits = np.iinfo(self.operand)
        span = bounds.input[1] - bounds.input[0]
        return fits(bounds.weight, limits.bits) and span <= int(limits.max) - int(limits.min)

    @property
    def most_pixels(self) -> int:
        """Pixels of the tile that has more of them."""
        return max(self.wide.pixels, self.narrow.pixels)

    def emulated(self) -> "InstructionSet":
        """The same with every instruction replaced by its definition."""
        emit = emit_quads if self.operand is np.uint8 else emit_pairs
        strip = vector_strip(emit) if self.words == 1 else matrix_strip(EmulatedRegisters)
        return replace(
            self,
            name=f"{self.name} emulated",
            features=frozenset(),
            emit_strip=strip,
            is_permitted=_always,
        )


INSTRUCTION_SETS = (
    InstructionSet(
        "amx",
        frozenset({"amx-tile", "amx-int8"}),
        np.uint8,
        lanes=16,
        wide=Tile(2 * ROWS, 2),
        narrow=Tile(3 * ROWS, 1),
        emit_strip=matrix_strip(AmxRegisters),
        words=WORDS,
        is_permitted=lambda: is_permitted(),
    ),
    InstructionSet(
        "avx512vnni",
        frozenset({"avx512f", "avx512vnni"}),
        np.uint8,
        lanes=16,
        wide=Tile(6, 4),
        narrow=Tile(12, 1),
        emit_strip=vector_strip(emit_vpdpbusd("llvm.x86.avx512.vpdpbusd.512")),
    ),
    InstructionSet(
        "avxvnni",
        frozenset({"avx2", "avxvnni"}),
        np.uint8,
        lanes=8,
        wide=Tile(6, 2),
        narrow=Tile(8, 1),
        emit_strip=vector_strip(emit_vpdpbusd("llvm.x86.avx512.vpdpbusd.256")),
    ),
    InstructionSet(
        "avx512vnni int16",
        frozenset({"avx512f", "avx512vnni"}),
        np.int16,
        lanes=16,
        wide=Tile(6, 4),
        narrow=Tile(12, 1),
        emit_strip=vector_strip(emit_vpdpwssd),
    ),
    InstructionSet(
        "avx512bw",
        frozenset({"avx512f", "avx512bw"}),
        np.int16,
        lanes=16,
        wide=Tile(6, 4),
        narrow=Tile(12, 1),
        emit_strip=vector_strip(emit_vpmaddwd("llvm.x86.avx512.pmaddw.d.512")),
    ),
    InstructionSet(
        "avx2",
        frozenset({"avx2"}),
        np.int16,
        lanes=8,
        wide=Tile(6, 2),
        narrow=Tile(8, 1),
        emit_strip=vector_strip(emit_vpmaddwd("llvm.x86.avx2.pmadd.wd")),
    ),
    InstructionSet(
        "generic",
        frozenset(),
        np.int16,
        lanes=8,
        wide=Tile(4, 2),
        narrow=Tile(4, 1),
        emit_strip=vector_strip(emit_pairs),
    ),
)
"""In order of preference. Tiles fill the registers: 16 of 8 lanes, 32 of 16, or 8 of AMX."""

TABLE = (
    *INSTRUCTION_SETS,
    *(row.emulated() for row in INSTRUCTION_SETS if row.features),
)
"""Every row a kernel can be made of: `INSTRUCTION_SETS`, then their emulated forms."""


def target_features() -> frozenset[str]:
    """What the processor Numba compiles for offers; NUMBA_CPU_FEATURES can deny or grant it."""
    _triple, _processor, features = cpu_target.target_context.codegen().magic_tuple()
    return frozenset(name[1:] for name in features.split(",") if name.startswith("+"))


def available() -> tuple[int, ...]:
    """Places of the rows that Numba's target can run, in order of preference."""
    offered = target_features()
    return tuple(
        place
        for place, row in enumerate(INSTRUCTION_SETS)
        if row.features <= offered and row.is_permitted()
    )
