"""Cycles, energy and bytes from the events of a program."""

from hwsim.cost.account import (
    GroupCost,
    GroupCosts,
    ProgramCost,
    group_cost,
    program_cost,
    total_cost,
)
from hwsim.cost.clock import Clock, Event, timeline

__all__ = [
    "Clock",
    "Event",
    "GroupCost",
    "GroupCosts",
    "ProgramCost",
    "group_cost",
    "program_cost",
    "timeline",
    "total_cost",
]
