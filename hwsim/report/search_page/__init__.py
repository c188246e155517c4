"""A search as a page for a browser: a module for each section."""

from hwsim.report.search_page.search_page import Provenance, search_page

__all__ = ["Provenance", "search_page"]
