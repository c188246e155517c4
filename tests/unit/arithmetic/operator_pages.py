"""Tables of the operator pages as data, so that a test can run what they claim."""

from pathlib import Path

PAGES = Path(__file__).parents[3] / "docs" / "operators"


def table(page: str, *columns: str) -> list[tuple[str, ...]]:
    """The rows of the one table of a page that has exactly these columns."""
    found = [rows for header, rows in _tables(page) if header == columns]
    assert len(found) == 1, f"{page}.md: {len(found)} tables with the columns {columns}"
    assert found[0], f"{page}.md: an empty table"
    return found[0]


def integers(cell: str) -> list[int]:
    """The integers of a cell that lists them with spaces between."""
    return [int(word) for word in cell.split()]


def _tables(page: str) -> list[tuple[tuple[str, ...], list[tuple[str, ...]]]]:
    tables: list[tuple[tuple[str, ...], list[tuple[str, ...]]]] = []
    inside = False
    for line in (PAGES / f"{page}.md").read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            inside = False
            continue
        cells = tuple(cell.strip() for cell in line.strip("|").split("|"))
        if not inside:
            tables.append((cells, []))
        elif not set(line) <= set("|-"):
            tables[-1][1].append(cells)
        inside = True
    return tables
