"""A run or an estimate as a page for a browser: a module for each section."""

from hwsim.report.run_page.run_page import run_page

__all__ = ["run_page"]
