"""Ending a run between two steps, never within one."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


class StopRequest:
    """Remembers the first signal that asked the run to stop; None until then."""

    def __init__(self) -> None:
        self.signal_number: int | None = None

    def __call__(self, signal_number: int, frame: FrameType | None) -> None:
        """Handle a signal: the first is remembered, a second one stops at once."""
        if self.signal_number is not None:
            raise KeyboardInterrupt
        self.signal_number = signal_number

    def obey(self) -> NoReturn:
        """End the run as the signal that was remembered asks.

        Raises:
            SystemExit: status 143 after a polite kill.
            KeyboardInterrupt: otherwise.
        """
        if self.signal_number == signal.SIGTERM:
            raise SystemExit(128 + signal.SIGTERM)
        raise KeyboardInterrupt


@contextmanager
def deferred_signals() -> Iterator[StopRequest]:
    """Within the block, Ctrl-C and a polite kill only set a flag that the loop looks at.

    Signals can only be caught in the main thread; elsewhere the flag is never set.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    previous = {
        number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield request
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
