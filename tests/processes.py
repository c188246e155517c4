"""Processes of a session, for tests that none is left behind."""

import time
from pathlib import Path


def alive_in_session(session: int) -> list[int]:
    """Numbers of the processes of a session that have not ended."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, its_session = status.read_text().rpartition(")")[2].split()[:4]
        except OSError:  # it has just ended
            continue
        if int(its_session) == session and state != "Z":
            found.append(int(status.parent.name))
    return found


def ended(session: int, seconds: float = 10.0) -> bool:
    """Whether all processes of a session end within some time."""
    until = time.monotonic() + seconds
    while alive_in_session(session):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
