"""What a run tells while it goes: lines or a bar on stderr, and a log file for programs."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from quant.common.errors import UserError
from quant.common.files import atomic_output

_SECONDS_BETWEEN_LINES = 30.0


class Reporter:
    """Tells how a run goes: a bar on a terminal, else a line every half minute, both on stderr."""

    def __init__(self, bar: Progress | None) -> None:
        self._bar = bar
        self._task = bar.add_task("training", total=1.0, message="") if bar else None
        self._last_line_seconds = time.monotonic()
        self._start: tuple[float, float] | None = None

    def step(self, fraction: float, message: str) -> None:
        """Tell of one step: the part of the run that is done, 0..1, and its figures."""
        now = time.monotonic()
        if self._start is None:
            self._start = (now, fraction)
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=fraction, message=message)
        elif now - self._last_line_seconds >= _SECONDS_BETWEEN_LINES:
            self._last_line_seconds = now
            self.say(f"{100 * fraction:5.1f} %  {message}  {self._remaining(now, fraction)}")

    def say(self, line: str) -> None:
        """Print one line, above the bar when there is one."""
        if self._bar is not None:
            self._bar.console.print(line, highlight=False)
        else:
            print(line, file=sys.stderr, flush=True)

    def _remaining(self, now: float, fraction: float) -> str:
        assert self._start is not None
        done = fraction - self._start[1]
        if done <= 0:
            return ""
        return f"about {(now - self._start[0]) * (1 - fraction) / done / 60:.0f} min left"


class Throughput:
    """How fast steps are taken, judging and what else is not training left out."""

    def __init__(self, iteration: int, elapsed_seconds: float) -> None:
        """Start measuring at a step and a time."""
        self._iteration = iteration
        self._seconds = elapsed_seconds

    def leave_out(self, seconds: float) -> None:
        """Time that passes between this answer and the next one without steps."""
        self._seconds += seconds

    def since_last(self, iteration: int, elapsed_seconds: float) -> float:
        """Steps per second since the last answer, or the start."""
        steps, seconds = iteration - self._iteration, elapsed_seconds - self._seconds
        self._iteration, self._seconds = iteration, elapsed_seconds
        return steps / seconds if seconds > 0 else 0.0


@contextmanager
def reporter() -> Iterator[Reporter]:
    """A reporter suited to where stderr goes."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Reporter(None)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:4.1f} %"),
    )
    with Progress(
        *columns, TextColumn("{task.fields[message]}"), TimeRemainingColumn(), console=console
    ) as bar:
        yield Reporter(bar)


class TrainingLog:
    """A JSON-lines file: one object per logged step, in order, without repeats after a resume."""

    def __init__(self, path: Path, iteration: int) -> None:
        """Open the log of a run that is at ``iteration``; later entries are dropped."""
        self._path = path
        kept = [entry for entry in read_log(path) if entry["iteration"] <= iteration]
        with atomic_output(path) as temporary:
            temporary.write_text("".join(json.dumps(entry) + "\n" for entry in kept))

    def append(self, entry: dict[str, float | int | None]) -> None:
        """Add one entry, flushed at once.

        Raises:
            UserError: the disk is full or gone.
        """
        try:
            with self._path.open("a") as file:
                file.write(json.dumps(entry) + "\n")
        except OSError as error:
            raise UserError(
                f"cannot write {self._path}: {error.strerror or error}; make space and repeat the "
                "command to resume from the last checkpoint"
            ) from error


def read_log(path: Path) -> list[dict[str, float]]:
    """The entries of a log; a last line that was cut short is left out; empty without a file."""
    if not path.exists():
        return []
    lines = path.read_text().split("\n")
    return [json.loads(line) for line in lines[:-1]]
