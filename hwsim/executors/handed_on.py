"""Calls that one executor takes and another one computes."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

Call = Callable[[], Any]


def cancelled_together(outer: "Future[Any]", inner: "Future[Any]") -> None:
    """Cancel ``inner`` when ``outer`` is."""
    outer.add_done_callback(lambda done: inner.cancel() if done.cancelled() else None)


def settle(outer: "Future[Any]", result: Any = None, error: BaseException | None = None) -> None:
    """End a call, unless it was cancelled."""
    if not outer.set_running_or_notify_cancel():
        return
    if error is None:
        outer.set_result(result)
    else:
        outer.set_exception(error)
