"""Cycles, energy and bytes from the events of a program."""

from hwsim.cost.account import (
    CascadeCosts,
    GroupCost,
    ProgramCost,
    cascade_cost,
    program_cost,
    total_cost,
)
from hwsim.cost.clock import Clock, Event, timeline

__all__ = [
    "CascadeCosts",
    "Clock",
    "Event",
    "GroupCost",
    "ProgramCost",
    "cascade_cost",
    "program_cost",
    "timeline",
    "total_cost",
]
