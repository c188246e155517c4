"""Simulated memories: bytes, and what has been written to them."""

import numpy as np
from numpy.typing import NDArray

from hwsim.schedule.storage import Block, DramTensor, Piece, Rows

Bytes = NDArray[np.uint8]


class MachineError(Exception):
    """A program reads what was never written: a defect of the scheduler, not of the user."""


class Dram:
    """Off-chip memory: the program's constants from address 0, feature maps behind them.

    Attributes:
        octets: uint8, the content.
    """

    def __init__(self, constants: Bytes, size_bytes: int) -> None:
        # A recognizable pattern, so that bytes nobody wrote do not pass for a black image.
        self.octets = np.full(size_bytes, 0xCD, np.uint8)
        self.octets[: len(constants)] = constants

    @staticmethod
    def row_addresses(tensor: DramTensor, row: int, count: int, column: int) -> tuple[int, ...]:
        """Where rows of a tensor start, from a row and column on."""
        start = tensor.pixel_address(row, column)
        return tuple(range(start, start + count * tensor.row_bytes, tensor.row_bytes))


class Sram:
    """On-chip memory that knows what it holds: whole rows and blocks, by where they start.

    A slot is as good as what was last written to it. Of a row that a shorter one replaced, the
    bytes behind that are not there any more.

    Attributes:
        octets: uint8, the content.
    """

    def __init__(self, size_bytes: int) -> None:
        self.octets = np.full(size_bytes, 0xAB, np.uint8)
        self._held: dict[int, int] = {}  # bytes written from an address on, since the last forget

    def forget(self) -> None:
        """Nothing in it counts as written any more: the next group starts from scratch."""
        self._held.clear()

    def write(self, address: int, octets: Bytes) -> None:
        """Overwrite consecutive bytes."""
        size_bytes = len(octets)
        self.octets[address : address + size_bytes] = octets
        self._held[address] = size_bytes

    def mark_rows(self, rows: Rows) -> tuple[int, ...]:
        """Note that rows hold something now, from the start of their slots on; their addresses."""
        size_bytes = rows.columns * rows.buffer.pixel_bytes
        addresses = rows.addresses()
        for address in addresses:
            self._held[address] = size_bytes
        return addresses

    def read_block(self, block: Block) -> Bytes:
        """The bytes of a block of constants.

        Raises:
            MachineError: some of them were never written.
        """
        self._check(block, block.size_bytes, block.name)
        return self.octets[block.address : block.address + block.size_bytes]

    def check_rows(self, rows: Rows) -> tuple[int, ...]:
        """Addresses of rows' first pixels, having made sure that every byte of them was written.

        Raises:
            MachineError: some byte was not.
        """
        addresses = self._check(rows, rows.end_bytes, rows.buffer.name)
        if not (offset := rows.offset_bytes):
            return addresses
        return tuple([address + offset for address in addresses])

    def _check(self, piece: Piece, size_bytes: int, name: str) -> tuple[int, ...]:
        addresses = piece.addresses()
        for address in addresses:
            if self._held.get(address, 0) < size_bytes:
                raise MachineError(
                    f"'{name}' at SRAM address {address} is read before it is written"
                )
        return addresses
