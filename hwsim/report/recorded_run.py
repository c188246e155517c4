"""A run or an estimate as it is reported: its result, what it rests on, its pictures."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from hwsim.report.explanation_record import ExplanationRecord
from hwsim.report.pictures import Panel
from hwsim.report.provenance import Provenance
from hwsim.report.result import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What a report has beside the result: the content of ``report.json``.

    Attributes:
        provenance: what the figures rest on.
        explanation: what bounds each layer; None where no timeline has it.
    """

    provenance: Provenance
    explanation: ExplanationRecord | None

    def to_json(self) -> str:
        """The record as one JSON object."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecordedRun:
    """A run, or an estimate, which has no pictures.

    Attributes:
        result: its figures.
        record: what they rest on; None where only the result was kept.
        panels: its pictures, from the simplest to the original, all of one size.
        output: place among them of what the machine made.
    """

    result: Result
    record: RunRecord | None = None
    panels: Sequence[Panel] = ()
    output: int = 0

    @property
    def explanation(self) -> ExplanationRecord | None:
        """What bounds each layer, if that was kept."""
        return self.result.explanation if self.record is None else self.record.explanation
