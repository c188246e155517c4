"""Runs machine code for processors that are not at hand, in the Bochs emulator.

A function is linked to a fixed address, put on the disk of an emulated machine behind a boot
sector (``boot.asm``) and called in 64-bit mode; what it leaves in memory comes back as bytes.
Needs Bochs with its terminal display, nasm and the GNU linker; `missing_tools` says what is not
there.
"""

import os
import re
import shutil
import struct
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

LOAD_ADDRESS = 0x10000
"""Where the boot sector puts the payload."""
HEADER_BYTES = 256
SECTOR_BYTES = 512
DISK_SECTORS = 20 * 16 * 63
TOOLS = ("bochs", "nasm", "ld", "objcopy", "nm", "script")
ENTRY = "entry"

_CONFIGURATION = """\
cpu: model={model}, count=1, ips=100000000
memory: guest=64, host=64
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
ata0-master: type=disk, path=disk, mode=flat, cylinders=20, heads=16, spt=63
boot: disk
display_library: term
port_e9_hack: enabled=1
log: log
panic: action=fatal
"""
_CONTINUE = "c\n"  # Debian's Bochs begins in its debugger


@dataclass(frozen=True, slots=True)
class Arrays:
    """Memory a function works on: arrays by name, one after the other on 64-byte boundaries.

    The function's argument is the address of a list of 64-bit words: the addresses of the arrays
    in their order, then ``numbers``.
    """

    arrays: dict[str, NDArray[Any]]
    numbers: tuple[int, ...]
    result: str


def missing_tools() -> list[str]:
    """Programs that running needs and that are not installed."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


@cache
def processors() -> frozenset[str]:
    """The processors that the installed Bochs emulates."""
    if shutil.which("bochs") is None:
        return frozenset()
    shown = subprocess.run(["bochs", "--help", "cpu"], capture_output=True, check=False)
    return frozenset((shown.stdout + shown.stderr).decode(errors="replace").split())


def run(object_code: bytes, model: str, memory: Arrays, folder: Path) -> bytes:
    """Call the function `ENTRY` of an object file on an emulated processor.

    Args:
        object_code: ELF, for x86-64 without an operating system.
        model: one of Bochs's processors.
        memory: what the function finds there.
        folder: an empty one, for the machine's files.

    Returns:
        The bytes of the result array afterwards.
    """
    code, entry = _linked(object_code, folder)
    boot = folder / "boot"
    subprocess.run(
        ["nasm", "-f", "bin", Path(__file__).with_name("boot.asm"), "-o", boot], check=True
    )
    payload = _payload(code, entry, memory)
    sectors = struct.pack("<H", len(payload) // SECTOR_BYTES)
    disk = boot.read_bytes()[:-4] + sectors + b"\x55\xaa" + payload
    (folder / "disk").write_bytes(disk.ljust(DISK_SECTORS * SECTOR_BYTES, b"\0"))
    (folder / "configuration").write_text(_CONFIGURATION.format(model=model))
    (folder / "commands").write_text(_CONTINUE)
    machine = ["script", "-qec", "bochs -q -f configuration -rc commands", "/dev/null"]
    shown = subprocess.run(
        machine,
        cwd=folder,
        env={"TERM": "xterm", "PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    ).stdout
    return _result(shown, memory.arrays[memory.result].nbytes, folder)


def _linked(object_code: bytes, folder: Path) -> tuple[bytes, int]:
    """The code as it lies behind the payload's header, and the address of its entry."""
    (folder / "function.o").write_bytes(object_code)
    text = f"-Ttext={LOAD_ADDRESS + HEADER_BYTES:#x}"
    options = ["-nostdlib", "-static", "--omagic", "--no-warn-rwx-segments", "-e", ENTRY, text]
    subprocess.run(["ld", *options, "-o", "linked", "function.o"], cwd=folder, check=True)
    subprocess.run(["objcopy", "-O", "binary", "linked", "code"], cwd=folder, check=True)
    symbols = subprocess.run(["nm", "linked"], cwd=folder, check=True, capture_output=True)
    for line in symbols.stdout.decode().splitlines():
        address, *_, name = line.split()
        if name == ENTRY:
            return (folder / "code").read_bytes(), int(address, 16)
    raise ValueError(f"object code: no function '{ENTRY}'")


def _payload(code: bytes, entry: int, memory: Arrays) -> bytes:
    payload = bytearray(HEADER_BYTES) + code
    addresses = {}
    for name, array in memory.arrays.items():
        payload += bytes(-len(payload) % 64)
        addresses[name] = LOAD_ADDRESS + len(payload)
        payload += array.tobytes()
    payload += bytes(-len(payload) % 64)
    words = [*addresses.values(), *memory.numbers]
    argument = LOAD_ADDRESS + len(payload)
    payload += struct.pack(f"<{len(words)}Q", *words)
    size_bytes = memory.arrays[memory.result].nbytes
    struct.pack_into("<4Q", payload, 0, entry, argument, addresses[memory.result], size_bytes)
    return bytes(payload) + bytes(-len(payload) % SECTOR_BYTES)


def _result(shown: bytes, size_bytes: int, folder: Path) -> bytes:
    """The hexadecimal digits the machine printed, somewhere in what the terminal shows."""
    digits = re.search(rb"[0-9a-f]{%d}(?![0-9a-f])" % (2 * size_bytes), shown)
    if digits is None:
        log = (folder / "log").read_text(errors="replace") if (folder / "log").exists() else ""
        raise RuntimeError(f"the emulated machine gave no result:\n{shown!r}\n{log[-2000:]}")
    return bytes.fromhex(digits[0].decode())
