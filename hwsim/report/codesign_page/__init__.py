"""A co-search as a page for a browser: a module for each section."""

from hwsim.report.codesign_page.codesign_page import codesign_page

__all__ = ["codesign_page"]
