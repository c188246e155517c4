"""The file of ``--trace``."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hwsim.cli.messages import Messages
from hwsim.cli.output_folder import OutputFolder, output_folder
from hwsim.report.trace import TracedCascade, TraceSubject, write_trace
from quant.common.errors import UserError


class TraceFile:
    """A trace, out of sight until it is published.

    Attributes:
        path: where it will be.
    """

    def __init__(self, path: Path, folder: OutputFolder) -> None:
        self.path = path
        self._folder = folder

    def write(
        self, cascades: Iterable[TracedCascade], subject: TraceSubject, messages: Messages
    ) -> None:
        """Write it.

        Raises:
            UserError: the file cannot be written, or the disk is full.
        """
        with messages.stage("tracing") as progress:
            self._folder.write(
                self.path.name, lambda path: write_trace(path, cascades, subject, progress)
            )

    def publish(self) -> list[Path]:
        """Move it into place; returns where it is."""
        return self._folder.publish()


@contextmanager
def trace_file(path: Path) -> Iterator[TraceFile]:
    """A trace to be written, its folder tried out before any long computation.

    Raises:
        UserError: it cannot be written there.
    """
    if path.is_dir():
        raise UserError(f"--trace {path}: expected a file, this is a folder; name a file in it")
    with output_folder(path.parent) as folder:
        yield TraceFile(path, folder)
