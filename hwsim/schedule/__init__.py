"""From an integer graph and an accelerator to a program of commands on real addresses."""

from hwsim.schedule.groups import ScheduleError
from hwsim.schedule.program import Program
from hwsim.schedule.scheduler import schedule
from hwsim.schedule.verifier import ProgramError, verify_program

__all__ = ["Program", "ProgramError", "ScheduleError", "schedule", "verify_program"]
