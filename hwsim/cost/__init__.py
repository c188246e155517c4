"""Cycles, energy and bytes from the events of a program."""

from hwsim.cost.account import GroupCost, ProgramCost, program_cost
from hwsim.cost.clock import Clock, Event, timeline

__all__ = ["Clock", "Event", "GroupCost", "ProgramCost", "program_cost", "timeline"]
