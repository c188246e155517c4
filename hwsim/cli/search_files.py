"""The files of a search."""

import json
from functools import partial
from pathlib import Path

from hwsim.cli.output_folder import OutputFolder
from hwsim.report.page.page import write_page
from hwsim.report.provenance import Provenance
from hwsim.report.search_page import search_page
from hwsim.search import (
    Point,
    SearchResult,
    front_chart,
    policy_tables,
    tables_json,
    write_cost_table,
)


def search_json(found: SearchResult) -> str:
    """Everything a search found, as text."""
    return json.dumps(found.to_json(), indent=2, allow_nan=False)


def write_search(
    folder: OutputFolder,
    found: SearchResult,
    recommended: Point,
    provenance: Provenance,
    within: str = "",
) -> None:
    """Policies, tables, chart, page and result.

    Args:
        folder: where to.
        found: the result.
        recommended: the policy to take.
        provenance: what the result rests on.
        within: a folder in that folder, with a slash behind it.
    """
    policies = {"recommended.yaml": recommended.policy}
    if found.optimum is not None:
        policies["optimum.yaml"] = found.request.policy(found.optimum.bits)
    chosen = (recommended, *(point for point in found.best() if point is not recommended))
    page = search_page(found, recommended, provenance)
    writers = {
        **{name: partial(write_text, policy.to_yaml()) for name, policy in policies.items()},
        "policies.json": partial(write_text, policy_tables(chosen)),
        "cost_table.json": partial(write_text, tables_json(found)),
        "cost_table.npy": partial(write_cost_table, found, found.request.resource),
        "front.png": partial(front_chart, found),
        "search.html": partial(write_page, page),
        "search.json": partial(write_text, search_json(found) + "\n"),
    }
    for name, writer in writers.items():
        folder.write(within + name, writer)


def write_text(text: str, path: Path) -> None:
    """Write a text file, as `OutputFolder.write` wants it when the text is given before."""
    path.write_text(text, encoding="utf-8")
