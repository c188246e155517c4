"""What the DMA channel does: moves rows and constants between memories, and counts the bytes."""

from hwsim.arithmetic.packing import pack_rows
from hwsim.machine.kernel_operators import KERNELS
from hwsim.machine.memory import Dram, Sram
from hwsim.machine.rows import read_rows
from hwsim.schedule.commands import LoadConstants, LoadRows, StoreRows
from quant.graph import NearestResize, PixelShuffle


class Dma:
    """Executes transfers.

    Attributes:
        read_bytes: payload bytes it read from DRAM so far.
        write_bytes: payload bytes it wrote to DRAM so far.
    """

    def __init__(self, dram: Dram, sram: Sram) -> None:
        self.read_bytes = 0
        self.write_bytes = 0
        self._dram = dram
        self._sram = sram

    def load_constants(self, command: LoadConstants) -> None:
        """Fill a block."""
        address, size_bytes = command.address, command.block.size_bytes
        self._sram.write(command.block.address, self._dram.octets[address : address + size_bytes])
        self.read_bytes += size_bytes

    def load_rows(self, command: LoadRows) -> None:
        """Fill rows."""
        tensor, rows = command.tensor, command.rows
        size_bytes = rows.columns * tensor.pixel_bytes
        source = tensor.pixel_address(command.row, command.column)
        for target in rows.addresses():
            self._sram.write(target, self._dram.octets[source : source + size_bytes])
            source += tensor.row_bytes
        self.read_bytes += rows.count * size_bytes

    def store_rows(self, command: StoreRows) -> None:
        """Take rows to DRAM."""
        if command.remap is not None:
            self._store_remapped(command, command.remap)
            return
        tensor, rows = command.tensor, command.rows
        size_bytes = rows.columns * tensor.pixel_bytes
        target = tensor.pixel_address(command.row, command.column)
        for source in self._sram.check_rows(rows):
            octets = self._sram.octets[source : source + size_bytes]
            self._dram.octets[target : target + size_bytes] = octets
            target += tensor.row_bytes
        self.write_bytes += rows.count * size_bytes

    def _store_remapped(self, command: StoreRows, remap: PixelShuffle | NearestResize) -> None:
        tensor = command.tensor
        operand = read_rows(self._sram, command.rows)
        codes = KERNELS.compute(remap, [command.rows.buffer.type], [operand])
        height, width, _ = codes.shape
        targets = self._dram.row_addresses(tensor, command.row, height, command.column)
        pack_rows(codes, self._dram.octets, targets, tensor.pixel_bytes, 0, tensor.code)
        self.write_bytes += height * width * tensor.pixel_bytes
