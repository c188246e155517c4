"""Instruction sets as data: how each multiplies a few operands and adds to 32-bit sums.

A step adds, in each 32-bit lane, the products of a few neighbouring operands and as many weights:
two of 16 bits or four of 8 bits, so that the operands of one step always fill 32 bits. A row of
the table says what Numba's target must offer, how many lanes a register has and how a step is
emitted; everything else about the convolution kernels is common to all rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core.registry import cpu_target

from hwsim.arithmetic.convolution_bounds import ConvolutionBounds, fits

_INT32 = ir.IntType(32)

Emit = Callable[[ir.IRBuilder, Any, Any, Any], Any]
"""(builder, sums, operands, weights) to the new sums, all vectors of 32-bit lanes."""


@dataclass(frozen=True, slots=True)
class Tile:
    """Neighbouring output pixels by registers of output channels, summed up at once."""

    pixels: int
    registers: int


@dataclass(frozen=True, slots=True)
class InstructionSet:
    """A way to compute one step.

    Attributes:
        name: of the row.
        features: what Numba's target must offer.
        operand: int16, with weights of the same type, or uint8 with weights of 8 bits and sign.
        lanes: 32-bit sums in a register.
        wide: the tile for many output channels, as large as the registers allow.
        narrow: the tile for up to ``lanes`` output channels.
        emit: one step.
    """

    name: str
    features: frozenset[str]
    operand: type[np.int16] | type[np.uint8]
    lanes: int
    wide: Tile
    narrow: Tile
    emit: Emit

    @property
    def taps(self) -> int:
        """Operands of a step in each lane."""
        return 4 // np.dtype(self.operand).itemsize

    def holds(self, bounds: ConvolutionBounds) -> bool:
        """Whether weights and inputs fit the operands."""
        limits = np.iinfo(self.operand)
        span = bounds.input[1] - bounds.input[0]
        return fits(bounds.weight, limits.bits) and span <= int(limits.max) - int(limits.min)

    @property
    def most_pixels(self) -> int:
        """Pixels of the tile that has more of them."""
        return max(self.wide.pixels, self.narrow.pixels)


def _vector(bits: int, lanes: int) -> ir.VectorType:
    return ir.VectorType(ir.IntType(bits), lanes)


def _emit_pair_products(builder: ir.IRBuilder, sums: Any, operands: Any, weights: Any) -> Any:
    """Sums plus the products of two operands and weights of 16 bits, for any processor."""
    lanes = sums.type.count
    for first in range(2):
        chosen = ir.Constant(_vector(32, lanes), list(range(first, 2 * lanes, 2)))
        factors = []
        for vector in (operands, weights):
            halves = builder.bitcast(vector, _vector(16, 2 * lanes))
            half = builder.shuffle_vector(halves, halves, chosen)
            factors.append(builder.sext(half, _vector(32, lanes)))
        sums = builder.add(sums, builder.mul(*factors))
    return sums


def _emit_vpmaddwd(intrinsic: str) -> Emit:
    """The instruction that multiplies pairs of 16 bits and adds each pair's products."""

    def emit(builder: ir.IRBuilder, sums: Any, operands: Any, weights: Any) -> Any:
        halves = _vector(16, 2 * sums.type.count)
        signature = ir.FunctionType(sums.type, [halves, halves])
        instruction = builder.module.declare_intrinsic(intrinsic, (), signature)
        factors = [builder.bitcast(vector, halves) for vector in (operands, weights)]
        return builder.add(sums, builder.call(instruction, factors))

    return emit


INSTRUCTION_SETS = (
    InstructionSet(
        name="avx2",
        features=frozenset({"avx2"}),
        operand=np.int16,
        lanes=8,
        wide=Tile(pixels=6, registers=2),
        narrow=Tile(pixels=8, registers=1),
        emit=_emit_vpmaddwd("llvm.x86.avx2.pmadd.wd"),
    ),
    InstructionSet(
        name="generic",
        features=frozenset(),
        operand=np.int16,
        lanes=8,
        wide=Tile(pixels=4, registers=2),
        narrow=Tile(pixels=4, registers=1),
        emit=_emit_pair_products,
    ),
)
"""In order of preference."""


def target_features() -> frozenset[str]:
    """What the processor Numba compiles for offers; NUMBA_CPU_FEATURES can deny or grant it."""
    _triple, _processor, features = cpu_target.target_context.codegen().magic_tuple()
    return frozenset(name[1:] for name in features.split(",") if name.startswith("+"))
