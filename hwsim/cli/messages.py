"""What is said on stderr while a command runs: lines, and a bar on a terminal."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

Step = Callable[[int, int], None]
"""Called with what is done and what there is to do in all."""

_SECONDS_BETWEEN_LINES = 10.0
_SECONDS_BETWEEN_UPDATES = 0.1
_LEAST_SHARE_TO_FORESEE = 0.05  # the first steps may compile kernels and tell nothing of the rest


class Messages:
    """Tells how a command gets on. Colours and bars follow the terminal and ``NO_COLOR``."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._console = Console(stderr=True, quiet=quiet, highlight=False)

    def say(self, line: str) -> None:
        """Print one line."""
        if not self._quiet:
            print(line, file=sys.stderr, flush=True)

    @contextmanager
    def stage(self, name: str) -> Iterator[Step]:
        """Announce a part of the work; yields what to call as it proceeds (or never).

        On a terminal a bar shows the time left and vanishes at the end; elsewhere a line tells
        when the stage starts and, every ten seconds, how far it is.
        """
        if self._console.is_terminal and not self._quiet:
            with self._bar() as bar:
                task = bar.add_task(name, total=None)
                yield _throttled(
                    lambda done, total: bar.update(task, completed=done, total=total),
                    _SECONDS_BETWEEN_UPDATES,
                )
        else:
            self.say(f"{name} …")
            started = time.monotonic()
            yield _throttled(
                lambda done, total: self.say(_line(name, done, total, started)),
                _SECONDS_BETWEEN_LINES,
            )

    def _bar(self) -> Progress:
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )


def _throttled(step: Step, seconds: float) -> Step:
    """Pass on at most one call in so many seconds, the first one after them."""
    last = time.monotonic()

    def call(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= seconds:
            last = now
            step(done, total)

    return call


def _line(name: str, done: int, total: int, started: float) -> str:
    share = done / total
    line = f"{name}: {share:.0%}"
    if share < _LEAST_SHARE_TO_FORESEE:
        return line
    left = (time.monotonic() - started) * (1 - share) / share
    return f"{line}, about {left:.0f} s left"
