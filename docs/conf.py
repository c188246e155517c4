"""How the documentation site is built; `make docs` does it.

The pages are the repository's Markdown files where they lie, README and ARCHITECTURE included, so
that links between them lead somewhere on a code host and on the site alike. Nothing is fetched.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from hwsim import __version__  # noqa: E402 - found through the line above

project = "hwsim"
author = "the hwsim project"
version = release = __version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "docs.extensions.file_reference",
    "docs.extensions.folder_links",
]

root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md"]
exclude_patterns = [".*", "**/.*", "build", "dist", "demo", "runs", "docs/images", "docs/logs"]

myst_heading_anchors = 5
suppress_warnings = ["myst.header"]  # pages of a folder may begin where their index left off

html_theme = "furo"
html_title = f"hwsim {release}"
html_copy_source = False
html_show_sphinx = False
html_extra_path = ["site"]  # the page at the root, which leads to docs/index.html

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
