"""Vectors of a few lanes in LLVM's intermediate code, written like numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llvmlite import ir

FLOAT = ir.FloatType()


def integer(bits: int) -> ir.IntType:
    """An integer type."""
    return ir.IntType(bits)


@dataclass(frozen=True, slots=True, eq=False)
class Vector:
    """Lanes of one type and the builder that adds instructions on them.

    Operands of an operator are vectors of the same type, or a number for every lane.
    """

    builder: ir.IRBuilder
    value: Any

    @staticmethod
    def load(builder: ir.IRBuilder, address: Any, lanes: int) -> Vector:
        """Neighbouring elements from the one at an address on."""
        kind = ir.VectorType(address.type.pointee, lanes)
        vector = builder.bitcast(address, kind.as_pointer())
        return Vector(builder, builder.load(vector, align=1))

    @staticmethod
    def repeated(builder: ir.IRBuilder, scalar: Any, lanes: int) -> Vector:
        """The same scalar in every lane."""
        empty = ir.Constant(ir.VectorType(scalar.type, lanes), ir.Undefined)
        single = builder.insert_element(empty, scalar, integer(32)(0))
        first = ir.Constant(ir.VectorType(integer(32), lanes), [0] * lanes)
        return Vector(builder, builder.shuffle_vector(single, empty, first))

    def store(self, address: Any) -> None:
        """Write the lanes to neighbouring elements, whole or cut to their width."""
        element = address.type.pointee
        lanes = self.value
        if element.width < self.value.type.element.width:
            lanes = self.builder.trunc(lanes, self._of(element))
        self.builder.store(lanes, self.builder.bitcast(address, lanes.type.as_pointer()), align=1)

    def __add__(self, other: Vector | float) -> Vector:
        add = self.builder.fadd if self._is_float else self.builder.add
        return Vector(self.builder, add(self.value, self._operand(other)))

    def __sub__(self, other: Vector | float) -> Vector:
        subtract = self.builder.fsub if self._is_float else self.builder.sub
        return Vector(self.builder, subtract(self.value, self._operand(other)))

    def __mul__(self, other: Vector | float) -> Vector:
        multiply = self.builder.fmul if self._is_float else self.builder.mul
        return Vector(self.builder, multiply(self.value, self._operand(other)))

    def __and__(self, other: Vector | int) -> Vector:
        return Vector(self.builder, self.builder.and_(self.value, self._operand(other)))

    def __lshift__(self, other: Vector | int) -> Vector:
        return Vector(self.builder, self.builder.shl(self.value, self._operand(other)))

    def __rshift__(self, other: Vector | int) -> Vector:
        """The quotient's floor: the sign is shifted in."""
        return Vector(self.builder, self.builder.ashr(self.value, self._operand(other)))

    def clamp(self, low: Vector, high: Vector) -> Vector:
        """Each lane, but at least ``low`` and at most ``high``."""
        compare = self.builder.fcmp_ordered if self._is_float else self.builder.icmp_signed
        value = self.value
        for sign, limit in (("<", low.value), (">", high.value)):
            value = self.builder.select(compare(sign, value, limit), limit, value)
        return Vector(self.builder, value)

    def to_integers(self, bits: int) -> Vector:
        """Sign extended, cut off, or from whole floats."""
        kind = self._of(integer(bits))
        if self._is_float:
            return Vector(self.builder, self.builder.fptosi(self.value, kind))
        resize = self.builder.trunc if bits < self.value.type.element.width else self.builder.sext
        return Vector(self.builder, resize(self.value, kind))

    def widened(self, bits: int, has_sign: bool) -> Vector:
        """Integers in lanes of at least their width."""
        if has_sign:
            return self.to_integers(bits)
        return Vector(self.builder, self.builder.zext(self.value, self._of(integer(bits))))

    def to_floats(self) -> Vector:
        """The nearest float32 of each integer."""
        return Vector(self.builder, self.builder.sitofp(self.value, self._of(FLOAT)))

    def as_floats(self) -> Vector:
        """The float32 whose bit pattern the lowest 32 bits of each lane are."""
        bits = self.to_integers(32).value
        return Vector(self.builder, self.builder.bitcast(bits, self._of(FLOAT)))

    @property
    def _is_float(self) -> bool:
        return bool(self.value.type.element == FLOAT)

    def _of(self, element: Any) -> Any:
        return ir.VectorType(element, self.value.type.count)

    def _operand(self, other: Vector | float) -> Any:
        if isinstance(other, Vector):
            return other.value
        kind = self.value.type
        return ir.Constant(kind, [kind.element(other)] * kind.count)
