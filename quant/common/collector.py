"""The cyclic garbage collector, held back while many objects are made that all stay."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """No cyclic collection inside: it would walk the same growing heap again and again.

    For code that makes hundreds of thousands of objects without cycles. Reference counting goes on,
    and a collector that was off before stays off.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            _promote()
            gc.enable()


def _promote() -> None:
    """Count all objects as old, which spares the next collection a walk through the new ones."""
    if gc.get_freeze_count() == 0:  # objects that somebody froze stay so
        gc.freeze()
        gc.unfreeze()
