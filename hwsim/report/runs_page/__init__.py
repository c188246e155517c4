"""Runs side by side as a page for a browser: a module for each section."""

from hwsim.report.runs_page.runs_page import runs_page

__all__ = ["runs_page"]
