"""Skips by name where a Verilog tool is not installed."""

import pytest

from hwsim.verify.rtl.toolchain import missing_packages


def needs(*programs: str) -> pytest.MarkDecorator:
    """A mark that skips a test unless all of some programs are installed."""
    packages = missing_packages(*programs)
    reason = f"needs {', '.join(programs)} (Debian: apt install {' '.join(packages)})"
    return pytest.mark.skipif(bool(packages), reason=reason)


VERILATOR = ("verilator", "g++")
ICARUS = ("iverilog", "vvp")
