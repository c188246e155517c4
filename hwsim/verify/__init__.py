"""Checks that integers are right: operators, schedules and whole networks against oracles."""

from hwsim.verify.checks import Check
from hwsim.verify.operators import verify_operators
from hwsim.verify.schedules import verify_graph, verify_program_output, verify_schedules
from hwsim.verify.suite import verification_accelerators, verify

__all__ = [
    "Check",
    "verification_accelerators",
    "verify",
    "verify_graph",
    "verify_operators",
    "verify_program_output",
    "verify_schedules",
]
