"""Checks a program before anything runs it: bounds, overlaps, and rows read before they arrive."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

from accelerators import Accelerator
from hwsim.schedule.commands import Barrier, Command, LoadConstants, LoadRows, StoreRows
from hwsim.schedule.program import Program
from hwsim.schedule.storage import Block, DramTensor, LineBuffer, Piece
from quant.common.errors import UserError

_Region = LineBuffer | Block | DramTensor


class ProgramError(UserError):
    """A program that breaks a rule: names the command, what was wanted and what was found."""


def verify_program(program: Program, accelerator: Accelerator) -> Program:
    """Check a program against the memories of an accelerator and give it back.

    Checked: buffers lie within SRAM and do not overlap within a group, nor do tensors in DRAM; rows
    fit their buffer; transfers stay within the tensors and within DRAM; whatever a command reads
    was written before in the same group and not overwritten since.

    Raises:
        ProgramError: the first rule broken.
    """
    memory = _Memory(accelerator.sram.size_kib * 1024)
    for position, command in enumerate(program.commands):
        if type(command) is Barrier:
            memory.forget(position)
            continue
        if (check := _TRANSFER_CHECKS.get(type(command))) is not None:
            check(position, command, program)
        if isinstance(command, LoadRows | StoreRows):
            memory.visit(command.tensor)
        reads, writes = command.reads, command.writes
        for piece in reads:
            memory.place(position, piece)
        for piece in writes:
            memory.place(position, piece)
        for piece in reads:
            memory.read(position, piece)
        for piece in writes:
            memory.write(piece)
    memory.forget(len(program.commands))
    return program


class _Memory:
    """What a group has placed in memory, and which row each slot of SRAM holds."""

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self._regions: dict[int, LineBuffer | Block] = {}
        self._fitting: set[tuple[LineBuffer, int, int]] = set()
        self._present: dict[int, int] = {}
        self._tensors: dict[tuple[int, int], DramTensor] = {}

    def visit(self, tensor: DramTensor) -> None:
        """Note a tensor that a transfer touches."""
        self._tensors[tensor.address, tensor.row_bytes] = tensor

    def place(self, position: int, piece: Piece) -> None:
        """Note a piece's region, and check that rows fit theirs."""
        if isinstance(piece, Block):
            known = self._regions.get(piece.address)
            if known is None or known.size_bytes < piece.size_bytes:
                self._regions[piece.address] = piece
            return
        buffer, count = piece.buffer, piece.count
        columns = piece.offset + piece.columns
        if (buffer, count, columns) in self._fitting:
            return
        if count > buffer.capacity:
            raise _broken(position, f"at most {buffer.capacity} rows", str(count))
        if columns * buffer.pixel_bytes > buffer.row_bytes:
            raise _broken(position, f"rows of {buffer.row_bytes} bytes", f"{columns} pixels")
        self._regions[buffer.address] = buffer
        self._fitting.add((buffer, count, columns))

    def read(self, position: int, piece: Piece) -> None:
        """Check that a piece is there: every slot holds the row that is wanted."""
        present = self._present
        for row, address in enumerate(piece.addresses(), piece.first):
            if present.get(address) != row:
                name = piece.name if isinstance(piece, Block) else piece.buffer.name
                raise _broken(position, f"row {row} of '{name}' in SRAM", "another")

    def write(self, piece: Piece) -> None:
        """A piece is there from now on."""
        present = self._present
        for row, address in enumerate(piece.addresses(), piece.first):
            present[address] = row

    def forget(self, position: int) -> None:
        """Check that regions lie apart and within SRAM; the next group places its own."""
        _check_apart(position, self._tensors.values())
        last = _check_apart(position, self._regions.values())
        if last is not None and last.address + last.size_bytes > self.size_bytes:
            raise _broken(position, f"buffers within {self.size_bytes} bytes", f"'{last.name}'")
        self._regions.clear()
        self._fitting.clear()
        self._present.clear()
        self._tensors.clear()


def _check_apart(position: int, regions: Iterable[_Region]) -> _Region | None:
    """Check that no two regions overlap, and give back the last of them."""
    ordered = sorted(regions, key=lambda region: region.address)
    for low, high in pairwise(ordered):
        if low.address + low.size_bytes > high.address:
            raise _broken(position, f"'{low.name}' and '{high.name}' apart", "them overlapping")
    return ordered[-1] if ordered else None


def _broken(position: int, wanted: str, found: str) -> ProgramError:
    return ProgramError(f"program command {position}: expected {wanted}, found {found}")


def _check_constants(position: int, command: LoadConstants, program: Program) -> None:
    block = command.block
    if command.address + block.size_bytes > len(program.constants):
        found = f"'{block.name}' at {command.address}"
        raise _broken(position, "constants within DRAM", found)


def _check_rows(position: int, command: LoadRows, program: Program) -> None:
    rows = command.rows
    _check_window(position, command, rows.count, rows.columns, program)


def _check_store(position: int, command: StoreRows, program: Program) -> None:
    rows, factor = command.rows, command.factor
    _check_window(position, command, rows.count * factor, rows.columns * factor, program)


def _check_window(
    position: int, command: LoadRows | StoreRows, height: int, width: int, program: Program
) -> None:
    """A rectangle of a tensor lies within it, and the tensor within DRAM."""
    tensor, row, column = command.tensor, command.row, command.column
    size = tensor.size
    if row + height > size.height or column + width > size.width:
        raise _broken(
            position,
            f"rows within '{tensor.name}' ({size.height}×{size.width})",
            f"{height}×{width} at ({row}, {column})",
        )
    if tensor.address + size.height * tensor.row_bytes > program.dram_bytes:
        raise _broken(position, f"'{tensor.name}' within DRAM", f"address {tensor.address}")


_TRANSFER_CHECKS: dict[type[Command], Callable[[int, Any, Program], None]] = {
    LoadConstants: _check_constants,
    LoadRows: _check_rows,
    StoreRows: _check_store,
}
"""What is checked of the commands that touch DRAM."""
