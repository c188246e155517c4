"""Checks a program before anything runs it: bounds, overlaps, and rows read before they arrive."""

from collections.abc import Iterable
from itertools import pairwise

from accelerators import Accelerator
from hwsim.schedule.program import (
    Barrier,
    Block,
    Command,
    Convolve,
    Elementwise,
    LineBuffer,
    LoadConstants,
    LoadRows,
    Program,
    Rows,
    StoreRows,
)
from quant.common.errors import UserError

Region = LineBuffer | Block


class ProgramError(UserError):
    """A program that breaks a rule: names the command, what was wanted and what was found."""


def reads(command: Command) -> tuple[Rows | Block, ...]:
    """What a command reads from SRAM."""
    match command:
        case StoreRows(rows=rows):
            return (rows,)
        case Convolve(input=ifm, weights=weights, parameters=parameters):
            return (ifm, weights, parameters)
        case Elementwise(inputs=inputs):
            return inputs
        case _:
            return ()


def writes(command: Command) -> tuple[Rows | Block, ...]:
    """What a command writes to SRAM."""
    match command:
        case LoadConstants(block=block):
            return (block,)
        case LoadRows(rows=rows):
            return (rows,)
        case Convolve(output=output) | Elementwise(output=output):
            return (output,)
        case _:
            return ()


def verify_program(program: Program, accelerator: Accelerator) -> Program:
    """Check a program against the memories of an accelerator and give it back.

    Checked: buffers lie within SRAM and do not overlap within a group; rows fit their buffer;
    transfers stay within the tensors and within DRAM; whatever a command reads was written before
    in the same group and not overwritten since.

    Raises:
        ProgramError: the first rule broken.
    """
    sram_bytes = accelerator.sram.size_kib * 1024
    regions: dict[int, Region] = {}
    present: dict[int, int] = {}
    for position, command in enumerate(program.commands):
        if isinstance(command, Barrier):
            _verify_regions(position, regions.values(), sram_bytes)
            regions.clear()
            present.clear()
            continue
        _verify_transfer(position, command, program)
        for piece in (*reads(command), *writes(command)):
            _remember(position, piece, regions)
        for piece in reads(command):
            for address, row in _slots(piece):
                if present.get(address) != row:
                    raise _broken(position, f"row {row} of '{_name(piece)}' in SRAM", "another")
        for piece in writes(command):
            present.update(_slots(piece))
    _verify_regions(len(program.commands), regions.values(), sram_bytes)
    return program


def _broken(position: int, wanted: str, found: str) -> ProgramError:
    return ProgramError(f"program command {position}: expected {wanted}, found {found}")


def _name(piece: Rows | Block) -> str:
    return piece.buffer.name if isinstance(piece, Rows) else piece.name


def _slots(piece: Rows | Block) -> list[tuple[int, int]]:
    """Address and running row of everything a piece covers; a block counts as its own row 0."""
    if isinstance(piece, Block):
        return [(piece.address, 0)]
    rows = range(piece.first, piece.first + piece.count)
    return list(zip(piece.addresses(), rows, strict=True))


def _remember(position: int, piece: Rows | Block, regions: dict[int, Region]) -> None:
    if isinstance(piece, Block):
        known = regions.get(piece.address)
        if known is None or known.size_bytes < piece.size_bytes:
            regions[piece.address] = piece
        return
    buffer = piece.buffer
    if piece.count > buffer.capacity:
        raise _broken(position, f"at most {buffer.capacity} rows", str(piece.count))
    if piece.columns * buffer.pixel_bytes > buffer.row_bytes:
        raise _broken(position, f"rows of {buffer.row_bytes} bytes", f"{piece.columns} pixels")
    regions[buffer.address] = buffer


def _verify_regions(position: int, regions: Iterable[Region], sram_bytes: int) -> None:
    ordered = sorted(regions, key=lambda region: region.address)
    for low, high in pairwise(ordered):
        if low.address + low.size_bytes > high.address:
            raise _broken(position, f"'{low.name}' and '{high.name}' apart", "them overlapping")
    if ordered and ordered[-1].address + ordered[-1].size_bytes > sram_bytes:
        raise _broken(position, f"buffers within {sram_bytes} bytes", f"'{ordered[-1].name}'")


def _verify_transfer(position: int, command: Command, program: Program) -> None:
    match command:
        case LoadConstants(address=address, block=block):
            if address + block.size_bytes > len(program.constants):
                raise _broken(position, "constants within DRAM", f"'{block.name}' at {address}")
        case LoadRows(tensor=tensor, row=row, column=column, rows=rows):
            height, width = rows.count, rows.columns
        case StoreRows(tensor=tensor, row=row, column=column, rows=rows, factor=factor):
            height, width = rows.count * factor, rows.columns * factor
    if isinstance(command, LoadRows | StoreRows):
        if row + height > tensor.size.height or column + width > tensor.size.width:
            raise _broken(
                position,
                f"rows within '{tensor.name}' ({tensor.size.height}×{tensor.size.width})",
                f"{height}×{width} at ({row}, {column})",
            )
        if tensor.address + tensor.size_bytes > program.dram_bytes:
            raise _broken(position, f"'{tensor.name}' within DRAM", f"address {tensor.address}")
