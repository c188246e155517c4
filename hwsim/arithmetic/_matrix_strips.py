"""Strips in the tile registers of Intel AMX: 16 pixels by 16 channels by 64 taps at once.

A tile register holds 16 rows of 64 bytes. One of sums is 16 pixels by 16 channels of 32 bits; a
step reads 64 neighbouring operands of 16 pixels as one register and multiplies them by registers
of weights, whose row ``k`` holds four taps of each channel, as `vpdpbusd` takes them.

Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, chapter 18.
"""

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Protocol

from llvmlite import ir
from numba.core import cgutils

from hwsim.arithmetic._steps_emitted import emit_quads
from hwsim.arithmetic._strips import BYTE, INT32, INT64, EmitStrip, Strip, Tile
from hwsim.arithmetic._vectors import Vector

ROWS = 16
ROW_BYTES = 64
REGISTER_BYTES = ROWS * ROW_BYTES
WORDS = ROW_BYTES // 4
REGISTERS = 8

_ARCH_PRCTL, _ARCH_REQ_XCOMP_PERM, _XFEATURE_XTILEDATA = 158, 0x1023, 18
"""Of Linux on x86-64 (Documentation/arch/x86/xstate.rst)."""


@cache
def is_permitted() -> bool:
    """Asks Linux once to let this process use tile registers; whether it may."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return False
    call = ctypes.CDLL(None).syscall
    return bool(call(_ARCH_PRCTL, _ARCH_REQ_XCOMP_PERM, _XFEATURE_XTILEDATA) == 0)


class Registers(Protocol):
    """What tile registers do, by number; rows in memory begin a stride of bytes apart."""

    def __init__(self, builder: ir.IRBuilder) -> None:
        """Make the registers usable."""
        ...

    def load(self, register: int, address: Any, stride: Any) -> None:
        """Fill a register from memory."""
        ...

    def store(self, register: int, address: Any, stride: Any) -> None:
        """Write a register to memory."""
        ...

    def add_products(self, sums: int, operands: int, weights: int) -> None:
        """Add to row p, lane c, the products of operands row p and weights lane c."""
        ...

    def release(self) -> None:
        """Leave the registers as other code expects them."""
        ...


class AmxRegisters:
    """The processor's own, all eight configured to full size."""

    def __init__(self, builder: ir.IRBuilder) -> None:
        """Load the configuration: palette 1, then row bytes and rows of each register."""
        self._builder = builder
        octets = [1] + [0] * 15 + [ROW_BYTES, 0] * REGISTERS + [0] * 16
        octets += [ROWS] * REGISTERS + [0] * 8
        kind = ir.ArrayType(BYTE, len(octets))
        configuration = builder.alloca(kind)
        builder.store(ir.Constant(kind, octets), configuration)
        self._call("llvm.x86.ldtilecfg", builder.bitcast(configuration, BYTE.as_pointer()))

    def load(self, register: int, address: Any, stride: Any) -> None:
        """As `Registers` says."""
        self._call("llvm.x86.tileloadd64", BYTE(register), address, stride)

    def store(self, register: int, address: Any, stride: Any) -> None:
        """As `Registers` says."""
        self._call("llvm.x86.tilestored64", BYTE(register), address, stride)

    def add_products(self, sums: int, operands: int, weights: int) -> None:
        """As `Registers` says."""
        self._call("llvm.x86.tdpbusd", BYTE(sums), BYTE(operands), BYTE(weights))

    def release(self) -> None:
        """As `Registers` says."""
        self._call("llvm.x86.tilerelease")

    def _call(self, name: str, *arguments: Any) -> None:
        signature = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
        instruction = self._builder.module.declare_intrinsic(name, (), signature)
        self._builder.call(instruction, arguments)


class EmulatedRegisters:
    """The same in memory, for any processor."""

    def __init__(self, builder: ir.IRBuilder) -> None:
        """Set memory aside."""
        self._builder = builder
        self._lanes = ir.VectorType(INT32, WORDS)
        self._rows = [builder.alloca(self._lanes, size=ROWS) for _ in range(REGISTERS)]

    def load(self, register: int, address: Any, stride: Any) -> None:
        """As `Registers` says."""
        with self._each_row(register, address, stride) as (place, row):
            self._builder.store(self._builder.load(place, align=1), row)

    def store(self, register: int, address: Any, stride: Any) -> None:
        """As `Registers` says."""
        with self._each_row(register, address, stride) as (place, row):
            self._builder.store(self._builder.load(row), place, align=1)

    def add_products(self, sums: int, operands: int, weights: int) -> None:
        """As `Registers` says."""
        builder = self._builder
        with cgutils.for_range(builder, INT64(ROWS)) as pixel:
            total = builder.gep(self._rows[sums], [pixel.index])
            words = builder.bitcast(
                builder.gep(self._rows[operands], [pixel.index]), INT32.as_pointer()
            )
            with cgutils.for_range(builder, INT64(WORDS)) as word:
                operand = builder.load(builder.gep(words, [word.index]))
                everywhere = Vector.repeated(builder, operand, WORDS).value
                factors = builder.load(builder.gep(self._rows[weights], [word.index]))
                added = emit_quads(builder, builder.load(total), everywhere, factors)
                builder.store(added, total)

    def release(self) -> None:
        """Memory needs no release."""

    @contextmanager
    def _each_row(self, register: int, address: Any, stride: Any) -> Iterator[tuple[Any, Any]]:
        builder = self._builder
        with cgutils.for_range(builder, INT64(ROWS)) as loop:
            place = builder.gep(address, [builder.mul(loop.index, stride)])
            row = builder.gep(self._rows[register], [loop.index])
            yield builder.bitcast(place, self._lanes.as_pointer()), row


def matrix_strip(registers_of: type[Registers]) -> EmitStrip:
    """Strips in tile registers: first those of sums, then of operands, then of weights."""

    def emit_strip(builder: ir.IRBuilder, strip: Strip, lanes: int, tile: Tile) -> None:
        groups = tile.pixels // ROWS
        sums = [
            [group * tile.registers + register for register in range(tile.registers)]
            for group in range(groups)
        ]
        operands = range(groups * tile.registers, groups * (tile.registers + 1))
        weights = range(operands.stop, operands.stop + tile.registers)
        registers = registers_of(builder)

        def rows(pointer: Any, row: Any, size: int) -> Any:
            return builder.gep(pointer, [builder.mul(row, INT64(size))])

        with strip.first_pixels(builder, tile.pixels) as first:
            pixels = [builder.add(first, INT64(group * ROWS)) for group in range(groups)]
            for group in sums:
                for register, number in enumerate(group):
                    # A stride of 0 repeats the bias of 16 channels for every pixel.
                    bias = rows(strip.bias, INT64(register), ROW_BYTES)
                    registers.load(number, bias, INT64(0))
            with cgutils.for_range(builder, strip.steps) as step:
                offset = strip.offset(builder, step.index)
                place = builder.mul(step.index, INT64(tile.registers))
                for register, number in enumerate(weights):
                    factors = builder.add(place, INT64(register))
                    address = rows(strip.weights, factors, REGISTER_BYTES)
                    registers.load(number, address, INT64(ROW_BYTES))
                for pixel, number, group in zip(pixels, operands, sums, strict=True):
                    window = builder.gep(strip.window(builder, pixel), [offset])
                    registers.load(number, window, strip.pixel_stride)
                    for total, factor in zip(group, weights, strict=True):
                        registers.add_products(total, number, factor)
            for pixel, group in zip(pixels, sums, strict=True):
                pixel_sums = rows(strip.sums, pixel, tile.registers * ROW_BYTES)
                for register, number in enumerate(group):
                    address = rows(pixel_sums, INT64(register), ROW_BYTES)
                    registers.store(number, address, INT64(tile.registers * ROW_BYTES))
        registers.release()

    return emit_strip
