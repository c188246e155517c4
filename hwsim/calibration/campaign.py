"""Points measured one after the other; what was measured is kept, and so are netlists."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from accelerators.synthesis.liberty import Library
from accelerators.synthesis.measurement import Hardware, OperationEnergy, SynthesizedUnit
from accelerators.synthesis.unit import Trial, Unit
from accelerators.synthesis.yosys import synthesize, yosys_version
from hwsim.calibration.points import Point
from hwsim.ledger import Ledger, Record
from quant.common.files import atomic_output

METHOD_VERSION = 1
"""Grows with every change of how energies are worked out from toggles."""

NETLISTS = "netlists"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Measured:
    """A point and what was measured.

    Attributes:
        datapath, weight_bits, activation_bits, operands: as in `Point`.
        unit: name of what was synthesized.
        hardware: what it is made of.
        energy: of an operation.
    """

    datapath: str
    weight_bits: int
    activation_bits: int
    operands: str
    unit: str
    hardware: Hardware
    energy: OperationEnergy


class Campaign:
    """Measures points with one cell library."""

    def __init__(self, library: Library, folder: Path) -> None:
        """Open a folder with what was measured before.

        Raises:
            UserError: yosys is not installed, or the folder cannot be written.
        """
        self.library = library
        self.yosys = yosys_version()
        self._ledger = Ledger(folder)
        self._folder = folder / NETLISTS
        self._opened: tuple[str, SynthesizedUnit] | None = None

    def measure(self, points: Sequence[Point], progress: Progress) -> Iterator[Measured]:
        """Measure points, or look them up; those without operands are passed over.

        Raises:
            UserError: yosys refuses a unit, or a netlist computes something else.
        """
        for done, point in enumerate(points):
            trial = point.trial()
            if trial is not None:
                yield self._one(point, trial)
            progress(done + 1, len(points))

    def _one(self, point: Point, trial: Trial) -> Measured:
        unit_key = self._unit_key(point.unit)
        key = f"{unit_key} {_digest(trial)} {METHOD_VERSION}"
        record = self._ledger.get(key)
        if record is None:
            unit = self._synthesized(point.unit, unit_key)
            record = {
                "point": [point.datapath, point.weight_bits, point.activation_bits, point.operands],
                "hardware": asdict(unit.hardware),
                "energy": asdict(unit.measure(trial)),
            }
            self._ledger.put(key, record)
        return _measured(point, record)

    def _unit_key(self, unit: Unit) -> str:
        """Of the unit's name and a hash of all that its netlist depends on."""
        design = unit.design
        texts = [design.text, *(path.read_text() for path in design.sources)]
        whole = "\0".join([self.yosys, self.library.sha256, *texts])
        return f"{unit.name}-{hashlib.sha256(whole.encode()).hexdigest()[:16]}"

    def _synthesized(self, unit: Unit, key: str) -> SynthesizedUnit:
        if self._opened is None or self._opened[0] != key:
            path = self._folder / f"{key}.json"
            if not path.exists():
                with tempfile.TemporaryDirectory() as folder, atomic_output(path) as target:
                    target.write_bytes(
                        synthesize(unit.design, self.library, Path(folder)).json.read_bytes()
                    )
            self._opened = key, SynthesizedUnit(path, self.library)
        return self._opened[1]


def _digest(trial: Trial) -> str:
    """Of everything that a unit is fed."""
    found = hashlib.sha256(f"{trial.warm_up} {trial.operations}".encode())
    for port in sorted(trial.stimulus):
        found.update(port.encode())
        found.update(trial.stimulus[port].tobytes())
    return found.hexdigest()[:16]


def _measured(point: Point, record: Record) -> Measured:
    return Measured(
        point.datapath,
        point.weight_bits,
        point.activation_bits,
        point.operands,
        point.unit.name,
        Hardware(**record["hardware"]),
        OperationEnergy(**record["energy"]),
    )
