"""Strips in vector registers: tile → step → pixel → register, the two inner loops unrolled."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir

from hwsim.arithmetic._steps_emitted import Emit
from hwsim.arithmetic._strips import INT32, INT64, EmitStrip, Strip, Tile
from hwsim.arithmetic._vectors import Vector


def vector_strip(emit: Emit) -> EmitStrip:
    """Strips whose steps are emitted by a function."""

    def emit_strip(builder: ir.IRBuilder, strip: Strip, lanes: int, tile: Tile) -> None:
        sums, bias, weights = (
            builder.bitcast(pointer, INT32.as_pointer())
            for pointer in (strip.sums, strip.bias, strip.weights)
        )
        register_lanes = [register * lanes for register in range(tile.registers)]

        def registers(words: Any, first: Any) -> list[Any]:
            places = [builder.gep(words, [builder.add(first, INT64(i))]) for i in register_lanes]
            return [Vector.load(builder, place, lanes).value for place in places]

        def step(number: Any, totals: list[Any]) -> list[Any]:
            offset = strip.offset(builder, number)
            factors = registers(weights, builder.mul(number, INT64(tile.registers * lanes)))
            following: list[Any] = []
            for window in windows:
                place = builder.bitcast(builder.gep(window, [offset]), INT32.as_pointer())
                operand = Vector.repeated(builder, builder.load(place, align=1), lanes).value
                own = totals[len(following) : len(following) + tile.registers]
                following += [
                    emit(builder, total, operand, factor)
                    for total, factor in zip(own, factors, strict=True)
                ]
            return following

        with strip.first_pixels(builder, tile.pixels) as first:
            windows = [
                strip.window(builder, builder.add(first, INT64(pixel)))
                for pixel in range(tile.pixels)
            ]
            initial = registers(bias, INT64(0)) * tile.pixels
            place = builder.mul(first, INT64(tile.registers * lanes))
            for total in _emit_loop(builder, strip.steps, initial, step):
                Vector(builder, total).store(builder.gep(sums, [place]))
                place = builder.add(place, INT64(lanes))

    return emit_strip


def _emit_loop(
    builder: ir.IRBuilder,
    count: Any,
    initial: list[Any],
    body: Callable[[Any, list[Any]], list[Any]],
) -> list[Any]:
    """A loop of at least one round that carries values in registers; their last state."""
    entry = builder.block
    loop, end = (builder.append_basic_block(name) for name in ("steps", "summed"))
    builder.branch(loop)
    builder.position_at_end(loop)
    number = builder.phi(INT64)
    carried = [builder.phi(value.type) for value in initial]
    advanced = body(number, carried)
    following = builder.add(number, INT64(1))
    builder.cbranch(builder.icmp_signed("<", following, count), loop, end)
    for value, start, after in zip(
        [number, *carried], [INT64(0), *initial], [following, *advanced], strict=True
    ):
        value.add_incoming(start, entry)
        value.add_incoming(after, loop)
    builder.position_at_end(end)
    return advanced
