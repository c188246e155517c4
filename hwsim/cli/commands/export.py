"""``hwsim export``: a machine in the files of other tools."""

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from accelerators import load_accelerator
from accelerators.rtl.top_level import rtl_files
from hwsim.cli.output_folder import output_folder
from quant.common.errors import UserError

MOST_CHANNEL_BLOCKS = 65_536


def execute(arguments: Namespace) -> int:
    """Run the command; returns the exit status."""
    blocks: int = arguments.channel_blocks
    if not 1 <= blocks <= MOST_CHANNEL_BLOCKS:
        raise UserError(
            f"--channel-blocks: expected 1 to {MOST_CHANNEL_BLOCKS}, got {blocks}; take the most "
            "output channels of a layer, divided by the array's columns"
        )
    files = rtl_files(load_accelerator(arguments.accelerator), blocks)
    with output_folder(arguments.rtl) as folder:
        for name, text in files.items():
            folder.write(name, _writer(text))
        written = folder.publish()
    for path in written:
        print(path)
    return 0


def _writer(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text, encoding="utf-8")
