"""Simulated memories: bytes, and what has been written to them."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hwsim.arithmetic.packing import first_unset_row
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
    def row_addresses(tensor: DramTensor, row: int, count: int, column: int) -> NDArray[np.int64]:
        """Where rows of a tensor start, from a row and column on; int64 [count]."""
        start = tensor.pixel_address(row, column)
        return start + np.arange(count, dtype=np.int64) * tensor.row_bytes


class Sram:
    """On-chip memory that knows which of its bytes hold something.

    Attributes:
        octets: uint8, the content.
        written: uint8, 1 for each byte that was written since the last `forget`, else 0.
    """

    def __init__(self, size_bytes: int) -> None:
        self.octets = np.full(size_bytes, 0xAB, np.uint8)
        self.written = np.zeros(size_bytes, np.uint8)

    def forget(self) -> None:
        """Nothing in it counts as written any more: the next group starts from scratch."""
        self.written[:] = 0

    def write(self, address: int, octets: Bytes) -> None:
        """Overwrite consecutive bytes."""
        end = address + len(octets)
        self.octets[address:end] = octets
        self.written[address:end] = 1

    def mark_rows(self, rows: Rows) -> NDArray[np.int64]:
        """Note that rows hold something now; their addresses."""
        size_bytes = rows.columns * rows.buffer.pixel_bytes
        addresses = rows.addresses()
        for address in addresses:
            self.written[address : address + size_bytes] = 1
        return address_array(addresses)

    def read_block(self, block: Block) -> Bytes:
        """The bytes of a block of constants.

        Raises:
            MachineError: some of them were never written.
        """
        self._check(block, block.size_bytes, block.name)
        return self.octets[block.address : block.address + block.size_bytes]

    def check_rows(self, rows: Rows) -> NDArray[np.int64]:
        """Addresses of rows, having made sure that every byte of them was written.

        Raises:
            MachineError: some byte was not.
        """
        buffer = rows.buffer
        return self._check(rows, rows.columns * buffer.pixel_bytes, buffer.name)

    def _check(self, piece: Piece, size_bytes: int, name: str) -> NDArray[np.int64]:
        addresses = address_array(piece.addresses())
        unset = first_unset_row(self.written, addresses, size_bytes)
        if unset is not None:
            raise MachineError(
                f"'{name}' at SRAM address {addresses[unset]} is read before it is written"
            )
        return addresses


@lru_cache(maxsize=4096)  # rings have few slots, and commands ask for the same ones again and again
def address_array(addresses: tuple[int, ...]) -> NDArray[np.int64]:
    """Addresses for the kernels; not to be changed."""
    return np.array(addresses, np.int64)
