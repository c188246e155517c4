"""Ctrl-C at any moment, also where Python or a library would lose it."""

import _thread
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


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
    drops them. The block raises such a KeyboardInterrupt again. Signals can only be caught in the
    main thread; elsewhere nothing is changed.
    """
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    previous_handler = signal.signal(signal.SIGINT, interruption)
    previous_hook = sys.unraisablehook

    def raise_again(unraisable: "sys.UnraisableHookArgs") -> None:
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            _thread.interrupt_main()
        else:
            previous_hook(unraisable)

    sys.unraisablehook = raise_again
    try:
        yield interruption
    finally:
        sys.unraisablehook = previous_hook
        signal.signal(signal.SIGINT, previous_handler)
