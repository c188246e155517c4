"""A search as a page for a browser: a module for each section."""

from hwsim.report.search_page.search_page import search_page

__all__ = ["search_page"]
