"""Faults planted in the Verilog of arrays, one at a time, are found by a few random products."""

from pathlib import Path

import numpy as np
import pytest

from hwsim.verify.rtl.array_check import ArrayCase, ArrayComparison, compare_array
from hwsim.verify.rtl.array_design import array_design
from hwsim.verify.rtl.icarus import IcarusSimulation
from hwsim.verify.rtl.verilator import VerilatorSimulation
from tests.rtl.array_cases import Limits, array_of, expected_codes, random_product
from tests.rtl.tools import ICARUS, VERILATOR, needs
