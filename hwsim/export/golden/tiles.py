"""The first tile of every operator: what its command reads in SRAM, and what it writes there."""

from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from accelerators import Accelerator
from hwsim.arithmetic.packing import pack_rows
from hwsim.export.golden.manifest import Entry, Manifest
from hwsim.export.golden.words import Segment
from hwsim.machine.accumulators import OverflowLog
from hwsim.machine.memory import Dram, Sram
from hwsim.machine.worker import Worker
from hwsim.schedule import Program
from hwsim.schedule.commands import Accumulate, Convolve, Elementwise, Interpolate
from hwsim.schedule.storage import Block, Piece, Rows

TILES = "tiles"

Tiled = Convolve | Elementwise | Interpolate | Accumulate


def write_tiles(
    program: Program, accelerator: Accelerator, image: NDArray[np.int32], manifest: Manifest
) -> None:
    """Run a program command by command and write the operands and the result of first tiles.

    Raises:
        AccumulatorOverflow: a sum left an accumulator whose overflow is ``error``.
    """
    dram = Dram(program.constants, program.dram_bytes)
    sram = Sram(accelerator.sram.size_kib * 1024)
    tensor = program.input
    rows = dram.row_addresses(tensor, 0, tensor.size.height, 0)
    pack_rows(image, dram.octets, rows, tensor.pixel_bytes, 0, tensor.code)
    overflows = OverflowLog()
    worker = Worker(dram, sram, overflows, threads=1)
    seen: set[str] = set()
    for command in program.commands:
        if not isinstance(command, Tiled) or command.node in seen:
            worker.run(command)
            continue
        seen.add(command.node)
        name = f"{TILES}/{quote(command.node, safe='')}"
        before = _segments(sram, command.reads)
        worker.run(command)
        after = _segments(sram, command.writes)
        manifest.add_tile(_described(command))
        facts = {"node": command.node}
        manifest.add_memory(f"{name}.before.hex", "sram", before, "what the command reads", **facts)
        manifest.add_memory(f"{name}.after.hex", "sram", after, "what it writes", **facts)
    overflows.require_none()


def _segments(sram: Sram, pieces: tuple[Piece, ...]) -> list[Segment]:
    """Copies of the bytes of pieces, each row by itself."""
    return [
        Segment(name, address, sram.octets[address : address + size].copy())
        for piece in pieces
        for name, address, size in _places(piece)
    ]


def _places(piece: Piece) -> list[tuple[str, int, int]]:
    """Name, address and bytes of each row of a piece."""
    if isinstance(piece, Block):
        return [(piece.name, piece.address, piece.size_bytes)]
    size = piece.columns * piece.buffer.pixel_bytes
    return [(piece.buffer.name, start + piece.offset_bytes, size) for start in piece.addresses()]


def _described(command: Tiled) -> Entry:
    """What the command is told besides the bytes that it reads."""
    entry: Entry = {"node": command.node, "command": type(command).__name__.lower()}
    match command:
        case Convolve():
            entry |= _convolution(command)
        case Elementwise() | Accumulate() | Interpolate():
            inputs = command.inputs if isinstance(command, Elementwise) else (command.input,)
            entry |= {
                "operator": command.operator.kind,
                "inputs": [_rows(rows) for rows in inputs],
                "constants": None if command.constants is None else _block(command.constants),
            }
    return {**entry, "output": _rows(command.output)}


def _convolution(command: Convolve) -> Entry:
    settings, padding = command.settings, command.padding
    return {
        "operator": "convolution" if settings.scaling is None else "scaled_convolution",
        "row": command.row,
        "column": command.column,
        "first_channel": command.first_channel,
        "channels": command.channels,
        "input": _rows(command.input),
        "weights": _block(command.weights) | {"codes": str(settings.weight_type)},
        "parameters": _block(command.parameters),
        "kernel": list(settings.kernel),
        "stride": list(settings.stride),
        "dilation": list(settings.dilation),
        "groups": settings.groups,
        "padding": [padding.top, padding.bottom, padding.left, padding.right],
        "pad_code": settings.pad_code.tolist(),
        "rounding": settings.rounding,
        "zero_point": settings.zero_point,
        "low": settings.low,
        "high": settings.high,
        "pixel_shuffle": None if command.remap is None else command.remap.factor,
    }


def _rows(rows: Rows) -> Entry:
    buffer = rows.buffer
    return {
        "name": buffer.name,
        "codes": str(buffer.integer),
        "rows": rows.count,
        "columns": rows.columns,
        "channels": buffer.channels,
        "pixel_bytes": buffer.pixel_bytes,
        "addresses": [start + rows.offset_bytes for start in rows.addresses()],
    }


def _block(block: Block) -> Entry:
    return {"name": block.name, "address": block.address, "bytes": block.size_bytes}
