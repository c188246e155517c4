"""What came of asking engines, some of which may not be installed."""

from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType

from hwsim.verify.checks import Check
from hwsim.verify.oracles.processor import Need

EXTRA = "hwsim[verify]"
"""What installs most engines."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Checks, and a sentence for each engine that was not asked."""

    checks: list[Check] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def load_engine(
    module: str, who: str, findings: Findings, package: str = EXTRA, need: Need = None
) -> ModuleType | None:
    """The module of this package that asks an engine; None, and a sentence, where it cannot.

    Args:
        module: its name.
        who: the engine and what it is asked for, for the sentence.
        findings: receives the sentence.
        package: what installs the engine.
        need: why it is not asked on this processor, if it is not.
    """
    if need is not None:
        findings.missing.append(f"{who}: not asked, for {need}")
        return None
    try:
        return import_module(f"hwsim.verify.oracles.{module}")
    except ModuleNotFoundError as error:
        findings.missing.append(
            f"{who}: not asked, for '{error.name}' is not installed; pip install '{package}'"
        )
        return None
