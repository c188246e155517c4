"""A folder of results that appears whole or not at all."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from quant.common.errors import UserError


class OutputFolder:
    """Collects files out of sight; they appear together when `publish` is called.

    Attributes:
        path: where the files will be.
    """

    def __init__(self, path: Path, staging: Path) -> None:
        self.path = path
        self._staging = staging
        self._names: list[str] = []

    def write(self, name: str, writer: Callable[[Path], object]) -> None:
        """Let ``writer`` write one file, at the path it is called with.

        Args:
            name: of the file; one in a folder inside has the folder's name and a slash before it.
            writer: writes it.

        Raises:
            UserError: the file cannot be written, or the disk is full.
        """
        staged = self._staging / name
        with _explained(self.path / name):
            staged.parent.mkdir(parents=True, exist_ok=True)
            writer(staged)
        self._names.append(name)

    def publish(self) -> list[Path]:
        """Move every file into place, replacing files of the same name.

        Returns:
            The files where they are now, in the order they were written.

        Raises:
            UserError: one of them cannot be replaced.
        """
        for name in self._names:
            with _explained(self.path / name):
                (self.path / name).parent.mkdir(parents=True, exist_ok=True)
                (self._staging / name).replace(self.path / name)
        return [self.path / name for name in self._names]


@contextmanager
def output_folder(path: Path) -> Iterator[OutputFolder]:
    """A folder for results, created and tried out before any long computation.

    When the block ends without `OutputFolder.publish`, nothing of it is left: neither files nor a
    folder that was not there before.

    Raises:
        UserError: the folder cannot be created or written to, or the disk is full.
    """
    with ExitStack() as cleanup:
        with _explained(path):
            for folder in reversed((path, *path.parents)):
                if not folder.exists():
                    folder.mkdir()
                    cleanup.callback(_remove_if_empty, folder)
            staging = Path(tempfile.mkdtemp(dir=path, prefix=".unfinished-"))
            cleanup.callback(shutil.rmtree, staging, ignore_errors=True)
        yield OutputFolder(path, staging)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Say what a failed write means."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror or error}; choose a folder you can write to "
            "with enough space"
        ) from error


def _remove_if_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()
