"""Simulated memories: bytes, what has been written to them, and how many bytes crossed."""

import numpy as np
from numpy.typing import NDArray

from hwsim.schedule.program import Block, Rows

Bytes = NDArray[np.uint8]


class MachineError(Exception):
    """A program reads what was never written: a defect of the scheduler, not of the user."""


class Dram:
    """Off-chip memory: the program's constants from address 0, feature maps behind them.

    Attributes:
        octets: uint8, the content.
        read_bytes: payload bytes read so far.
        write_bytes: payload bytes written so far.
    """

    def __init__(self, constants: Bytes, size_bytes: int) -> None:
        # A recognizable pattern, so that bytes nobody wrote do not pass for a black image.
        self.octets = np.full(size_bytes, 0xCD, np.uint8)
        self.octets[: len(constants)] = constants
        self.read_bytes = 0
        self.write_bytes = 0

    def read(self, address: int, size_bytes: int) -> Bytes:
        """Consecutive bytes, counted as read."""
        self.read_bytes += size_bytes
        return self.octets[address : address + size_bytes]

    def write(self, address: int, octets: Bytes) -> None:
        """Overwrite consecutive bytes, counted as written."""
        self.write_bytes += len(octets)
        self.octets[address : address + len(octets)] = octets


class Sram:
    """On-chip memory that knows which of its bytes hold something.

    Attributes:
        octets: uint8, the content.
        written: bool, whether each byte was written since the last `forget`.
    """

    def __init__(self, size_bytes: int) -> None:
        self.octets = np.full(size_bytes, 0xAB, np.uint8)
        self.written = np.zeros(size_bytes, np.bool_)

    def forget(self) -> None:
        """Nothing in it counts as written any more: the next group starts from scratch."""
        self.written[:] = False

    def write(self, address: int, octets: Bytes) -> None:
        """Overwrite consecutive bytes."""
        self.octets[address : address + len(octets)] = octets
        self.mark(address, len(octets))

    def mark(self, address: int, size_bytes: int) -> None:
        """Note that bytes hold something now."""
        self.written[address : address + size_bytes] = True

    def read_block(self, block: Block) -> Bytes:
        """The bytes of a block of constants.

        Raises:
            MachineError: some of them were never written.
        """
        self._check(block.name, block.address, block.size_bytes)
        return self.octets[block.address : block.address + block.size_bytes]

    def check_rows(self, rows: Rows) -> NDArray[np.int64]:
        """Addresses of rows, having made sure that every byte of them was written.

        Raises:
            MachineError: some byte was not.
        """
        addresses = rows.addresses()
        for address in addresses:
            self._check(rows.buffer.name, address, rows.columns * rows.buffer.pixel_bytes)
        return np.array(addresses, np.int64)

    def _check(self, name: str, address: int, size_bytes: int) -> None:
        if not self.written[address : address + size_bytes].all():
            raise MachineError(f"'{name}' at SRAM address {address} is read before it is written")
