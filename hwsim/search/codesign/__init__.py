"""Co-search: which machine, with which method and which bits."""

from hwsim.search.codesign.codesign import codesign
from hwsim.search.codesign.machine_aim import MachineAim
from hwsim.search.codesign.record import codesign_json
from hwsim.search.codesign.result import CodesignResult, unbeaten
from hwsim.search.codesign.variant import Choice, Outcome, Rejected, Variant

__all__ = [
    "Choice",
    "CodesignResult",
    "MachineAim",
    "Outcome",
    "Rejected",
    "Variant",
    "codesign",
    "codesign_json",
    "unbeaten",
]
