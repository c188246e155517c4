"""Ctrl-C at any moment, also where Python or a library would lose it."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SECONDS_TO_LEAVE_A_DESTRUCTOR = 0.05


class Interruption:
    """Handles SIGINT: raises KeyboardInterrupt, and remembers that it did.

    Remembering matters, because extension modules turn an exception that reaches them while they
    are being imported into an ImportError.

    Attributes:
        requested: whether the signal has arrived.
        ending: set when the program is on its way out; from then on the signal does nothing.
    """

    def __init__(self) -> None:
        self.requested = False
        self.ending = False

    def __call__(self, signal_number: int, frame: FrameType | None) -> None:
        """Handle the signal."""
        if self.ending:
            return
        self.requested = True
        raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Within the block, Ctrl-C ends in a KeyboardInterrupt, even one raised inside a destructor.

    Exceptions in destructors and weak-reference callbacks cannot propagate; Python prints and
    drops them. Such a KeyboardInterrupt is raised again a moment later, out of there. Signals can
    only be caught in the main thread; elsewhere nothing is changed.
    """
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    previous_handler = signal.signal(signal.SIGINT, interruption)
    previous_hook = sys.unraisablehook
    again = threading.Timer(_SECONDS_TO_LEAVE_A_DESTRUCTOR, os.kill, (os.getpid(), signal.SIGINT))
    again.daemon = True

    def raise_again(unraisable: "sys.UnraisableHookArgs") -> None:
        if not isinstance(unraisable.exc_value, KeyboardInterrupt):
            previous_hook(unraisable)
        elif again.ident is None:
            again.start()

    sys.unraisablehook = raise_again
    try:
        yield interruption
    finally:
        again.cancel()
        sys.unraisablehook = previous_hook
        signal.signal(signal.SIGINT, previous_handler)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C within the block takes effect at its end.

    For imports of large extension modules: some abort the process when an exception reaches them
    half way.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    previous = signal.signal(signal.SIGINT, lambda number, frame: arrived.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
    if arrived:
        signal.raise_signal(signal.SIGINT)
