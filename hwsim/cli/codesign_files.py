"""The files of a co-search: the whole, and a folder for each variant with those of its search."""

import hashlib
import json
import re
from collections.abc import Callable
from functools import partial

from accelerators.catalog import accelerator_yaml
from hwsim.cli.output_folder import OutputFolder
from hwsim.cli.search_files import write_search, write_text
from hwsim.report.codesign_chart import write_codesign_chart
from hwsim.report.codesign_page import codesign_page
from hwsim.report.page.page import write_page
from hwsim.report.provenance import Provenance
from hwsim.search.codesign import CodesignResult, Variant, codesign_json

_LONGEST_NAME = 120
_UNUSUAL = re.compile(r"[^A-Za-z0-9._=+-]+")
"""In names of files."""


def variant_folders(found: CodesignResult) -> dict[str, str]:
    """From the label of each variant that recommends something to the name of its folder.

    A variant's folder has the same name in every co-search, unless its name is long or another's.
    """
    labels = [each.variant.label for each in found.outcomes if each.recommended is not None]
    folders: dict[str, str] = {}
    for label in labels:
        name = _UNUSUAL.sub("_", label).strip("_")
        if len(name) > _LONGEST_NAME or name in folders.values():
            short = hashlib.sha256(label.encode()).hexdigest()[:8]
            name = f"{name[:_LONGEST_NAME]}_{short}"
        folders[label] = name
    return folders


def codesign_text(found: CodesignResult, folders: dict[str, str]) -> str:
    """Everything a co-search found, as text."""
    return json.dumps(codesign_json(found, folders), indent=2, allow_nan=False)


def write_codesign(
    folder: OutputFolder,
    found: CodesignResult,
    provenance_of: Callable[[Variant, str], Provenance],
    energy_table: str | None,
) -> None:
    """Result, chart and page, and each variant's own files.

    Args:
        folder: where to.
        found: the result; one of its variants recommends something.
        provenance_of: what the figures of a variant rest on whose base policy's graph has a hash.
        energy_table: that of all machines; None: each has its own.
    """
    folders = variant_folders(found)
    provenances: dict[str, Provenance] = {}
    for outcome in found.outcomes:
        if outcome.found is None or outcome.recommended is None:
            continue
        variant, within = outcome.variant, f"{folders[outcome.variant.label]}/"
        machine = accelerator_yaml(variant.target.accelerator, energy_table)
        folder.write(f"{within}accelerator.yaml", partial(write_text, machine))
        point = outcome.recommended.point
        provenance = provenance_of(variant, outcome.found.base_sha256)
        provenances[variant.label] = provenance
        write_search(folder, outcome.found, point, provenance, within)
    page = codesign_page(found, provenances[found.recommended().variant.label], folders)
    folder.write("codesign.png", partial(write_codesign_chart, found))
    folder.write("codesign.html", partial(write_page, page))
    text = codesign_text(found, folders)
    folder.write("codesign.json", partial(write_text, text + "\n"))
