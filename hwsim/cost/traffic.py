"""Payload a program moves: the data itself, without the rest of last bursts."""

from hwsim.schedule.commands import LoadConstants, LoadRows, StoreRows
from hwsim.schedule.program import Program
from hwsim.schedule.traffic import payload_bytes


def payload_read_bytes(program: Program) -> int:
    """Bytes of data a program reads from DRAM."""
    return sum(
        payload_bytes(command)
        for command in program.commands
        if isinstance(command, LoadConstants | LoadRows)
    )


def payload_write_bytes(program: Program) -> int:
    """Bytes of data a program writes to DRAM."""
    return sum(
        payload_bytes(command) for command in program.commands if isinstance(command, StoreRows)
    )
