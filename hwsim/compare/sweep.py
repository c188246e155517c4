"""The sweep: every combination on every machine."""

from collections.abc import Callable
from pathlib import Path

from hwsim.compare.recorder import Recorder
from hwsim.compare.request import CompareRequest
from hwsim.compare.result import Cell, CompareResult
from hwsim.ledger import Ledger
from quant.common.errors import UserError

Progress = Callable[[int, int], None]
Say = Callable[[str], None]


def sweep(
    request: CompareRequest,
    folder: Path | None = None,
    progress: Progress | None = None,
    say: Say = lambda line: None,
) -> CompareResult:
    """Compare every combination on every machine.

    A row that a method, a policy or a machine cannot do says why; the others are measured.

    Args:
        request: what is asked.
        folder: where figures are kept and found again (`hwsim.ledger.FILE_NAME`); None keeps none.
        progress: called with rows done and rows in all.
        say: told of each row that cannot be done, and why.

    Raises:
        UserError: no row at all can be done, or the folder cannot be used.
    """
    recorder = Recorder(request, Ledger(folder))
    rows = request.rows()
    cells: list[Cell] = []
    for network, combination, machine in rows:
        cell = recorder.cell(network, combination, machine)
        cells.append(cell)
        if cell.error is not None:
            say(f"{combination}, {cell.accelerator}: {cell.error}")
        if progress is not None:
            progress(len(cells), len(rows))
    errors = [cell.error for cell in cells if cell.error is not None]
    if errors and len(errors) == len(cells):
        raise UserError(errors[0])
    return CompareResult(request.size, tuple(cells), _pictures_by_data_set(request))


def _pictures_by_data_set(request: CompareRequest) -> tuple[str, ...]:
    """For every picture, in order, the data set it belongs to: the same at every scale."""
    sets = list(request.pictures.values())
    return tuple(picture.data_set for picture in sets[0].pictures) if sets else ()
