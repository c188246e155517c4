"""The command line, called in this process, with a small graph and small pictures."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwsim.cli import main
from quant.graph import save_graph
from quant.imaging import write_png
from tests.browser import Tab, browser_tab
from tests.edsr_graphs import edsr_graph


@dataclass(frozen=True)
class Finished:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Finished]


@pytest.fixture
def hwsim(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs the command line on arguments of any kind."""

    def run(*arguments: object) -> Finished:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Finished(status, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def graph_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small integer graph that enlarges by two."""
    path = tmp_path_factory.mktemp("graphs") / "small.hwgraph"
    save_graph(edsr_graph(1, 4), path)
    return path


@pytest.fixture(scope="session")
def picture_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of 24 × 20 pixels with structure in it."""
    rows, columns = np.mgrid[:24, :20]
    red, green, blue = rows * 10, columns * 12, (rows + columns) % 7 * 36
    path = tmp_path_factory.mktemp("pictures") / "small.png"
    write_png(path, np.stack([red, green, blue], axis=2).astype(np.uint8))
    return path


@pytest.fixture(scope="session")
def calibration_folder(picture_file: Path) -> Path:
    """A folder with that one picture: calibration in no time."""
    return picture_file.parent


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """A browser without a window, for the pages of a module."""
    with browser_tab(tmp_path_factory.mktemp("profile")) as tab:
        yield tab


@pytest.fixture
def tab(browser: Tab, page_file: Path) -> Iterator[Tab]:
    """The module's page, freshly opened; afterwards nothing was complained of or loaded."""
    browser.complaints.clear()
    browser.requests.clear()
    browser.open(page_file)
    yield browser
    assert browser.complaints == []
    made_here = ("data:", "blob:")
    loaded = [address for address in browser.requests if not address.startswith(made_here)]
    assert loaded == [page_file.as_uri()]
