"""Links to folders: to the folder's index page where it has one, else plain text.

On a code host a link to a folder lists it; a site has no such page.
"""

from pathlib import Path, PurePosixPath
from posixpath import normpath

from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_post_transform(FolderLinks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


class FolderLinks(SphinxPostTransform):
    """Resolves what MyST would complain of; it comes before MyST's own transform, which is at 9."""

    default_priority = 8

    def run(self, **_: object) -> None:
        """Called by Sphinx for every page."""
        for link in list(self.document.findall(pending_xref)):
            if link["reftype"] == "myst":
                self._resolve(link)

    def _resolve(self, link: pending_xref) -> None:
        page = link["refdoc"]
        folder = normpath(PurePosixPath(page).parent / link["reftarget"])
        if not (Path(self.app.srcdir) / folder).is_dir():
            return
        index, content = f"{folder}/index", link[0].deepcopy()
        if index in self.env.all_docs:
            link.replace_self(make_refnode(self.app.builder, page, index, "", content))
        else:
            link.replace_self(content)
