"""A machine's units in Verilog."""

from accelerators import Accelerator
from accelerators.rtl.top_level import rtl_files
from hwsim.export.request import Files, Settings, write_text
from quant.common.errors import UserError

MOST_CHANNEL_BLOCKS = 65_536


def write_machine(accelerator: Accelerator, settings: Settings, files: Files) -> None:
    """Write modules, a top module with the machine's parameters, and what belongs to them.

    Raises:
        UserError: room for a number of scales that no machine has, or a machine without Verilog.
    """
    blocks = settings.channel_blocks
    if not 1 <= blocks <= MOST_CHANNEL_BLOCKS:
        raise UserError(
            f"--channel-blocks: expected 1 to {MOST_CHANNEL_BLOCKS}, got {blocks}; take the most "
            "output channels of a layer, divided by the array's columns"
        )
    for name, text in rtl_files(accelerator, blocks).items():
        write_text(files, name, text)
