"""The notebooks run from top to bottom, and their results show themselves."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(900)  # programs of their own on a machine that may be busy

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))
_EXECUTE = """
import sys
import nbclient, nbformat
notebook = nbformat.read(sys.argv[1], as_version=4)
nbclient.NotebookClient(notebook, timeout=200, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[2])
"""

Cells = list[dict[str, Any]]


def cells(path: Path) -> Cells:
    found: Cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return found


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def executed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Cells:
    """The cells of a notebook after it has run in a folder of its own."""
    for package in ("nbclient", "nbformat", "ipykernel"):
        pytest.importorskip(package)
    folder = tmp_path_factory.mktemp("notebook")
    done = subprocess.run(
        [sys.executable, "-c", _EXECUTE, request.param, folder / "executed.ipynb"],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return cells(folder / "executed.ipynb")


def shown(executed: Cells, kind: str) -> list[str]:
    """What cells show in a kind of text or picture."""
    return [
        "".join(output["data"][kind])
        for cell in executed
        for output in cell.get("outputs", ())
        if kind in output.get("data", {})
    ]


def test_it_runs_and_shows_tables_pictures_and_charts(executed: Cells) -> None:
    html = shown(executed, "text/html")

    assert any("bit-exact" in text and "data:image/png" in text for text in html)
    assert all("<table>" in text for text in html)
    assert shown(executed, "image/png")
    assert all(cell["execution_count"] for cell in executed if cell["cell_type"] == "code")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_kept_without_outputs(path: Path) -> None:
    code = [cell for cell in cells(path) if cell["cell_type"] == "code"]

    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in code)


def test_there_are_two() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["bits_of_each_layer", "energy_of_a_picture"]
