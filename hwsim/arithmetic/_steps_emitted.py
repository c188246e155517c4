"""One step of each kind, emitted: products of a word's operands and weights, added to 32-bit sums.

Each function takes sums, operands and weights as vectors of 32-bit lanes. A lane of operands and
weights holds two integers of 16 bits, or four of 8 bits: operands without sign, weights with.
Sums are modulo 2^32.
"""

from collections.abc import Callable
from typing import Any

import llvmlite.binding
from llvmlite import ir

Emit = Callable[[ir.IRBuilder, Any, Any, Any], Any]
"""(builder, sums, operands, weights) to the new sums."""


def _vector(bits: int, lanes: int) -> ir.VectorType:
    return ir.VectorType(ir.IntType(bits), lanes)


def _emit_products(bits: int, has_sign: bool) -> Emit:
    """The definition, in the intermediate code of any processor."""

    def emit(builder: ir.IRBuilder, sums: Any, operands: Any, weights: Any) -> Any:
        lanes, parts = sums.type.count, 32 // bits

        def part(word: Any, place: int, widen: Any) -> Any:
            chosen = ir.Constant(_vector(32, lanes), list(range(place, parts * lanes, parts)))
            pieces = builder.bitcast(word, _vector(bits, parts * lanes))
            return widen(builder.shuffle_vector(pieces, pieces, chosen), sums.type)

        for place in range(parts):
            operand = part(operands, place, builder.sext if has_sign else builder.zext)
            weight = part(weights, place, builder.sext)
            sums = builder.add(sums, builder.mul(operand, weight))
        return sums

    return emit


emit_pairs = _emit_products(16, has_sign=True)
emit_quads = _emit_products(8, has_sign=False)


def emit_vpmaddwd(intrinsic: str) -> Emit:
    """Products of pairs of 16 bits, each pair's added; an addition more for the sums."""

    def emit(builder: ir.IRBuilder, sums: Any, operands: Any, weights: Any) -> Any:
        halves = _vector(16, 2 * sums.type.count)
        signature = ir.FunctionType(sums.type, [halves, halves])
        instruction = builder.module.declare_intrinsic(intrinsic, (), signature)
        factors = [builder.bitcast(vector, halves) for vector in (operands, weights)]
        return builder.add(sums, builder.call(instruction, factors))

    return emit


def emit_vpdpbusd(intrinsic: str) -> Emit:
    """Products of quads of 8 bits, added to the sums."""

    def emit(builder: ir.IRBuilder, sums: Any, operands: Any, weights: Any) -> Any:
        # Before LLVM 22 operands were words too; later versions still read that form.
        signature = ir.FunctionType(sums.type, [sums.type] * 3)
        instruction = builder.module.declare_intrinsic(intrinsic, (), signature)
        return builder.call(instruction, [sums, operands, weights])

    return emit


def emit_vpdpwssd(builder: ir.IRBuilder, sums: Any, operands: Any, weights: Any) -> Any:
    """Products of pairs of 16 bits, added to the sums.

    As assembly: LLVM takes its intrinsic apart into vpmaddwd and an addition, which is slower.
    """
    llvmlite.binding.initialize_native_asmparser()
    signature = ir.FunctionType(sums.type, [sums.type] * 3)
    return builder.asm(
        signature, "vpdpwssd $3, $2, $0", "=v,0,v,v", [sums, operands, weights], side_effect=False
    )
