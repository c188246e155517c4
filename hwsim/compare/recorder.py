"""Measures one row after the other; every figure once, and kept as soon as it is known."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial

import hwsim
from accelerators import EnergyModel
from hwsim.compare.alternatives import Alternatives
from hwsim.compare.bit_exactness import BitExactness, Fidelity, check_in_reals, check_on_machine
from hwsim.compare.costs import RECORDED, ImageCosts, image_costs
from hwsim.compare.pictures import JudgedPicture, PictureSet
from hwsim.compare.request import Combination, CompareRequest, Enlarge, NetworkEntry, RealNetwork
from hwsim.compare.result import Cell, QualityRecords
from hwsim.estimation import Estimator
from hwsim.identity import arrays_identity, digest, machine_identity
from hwsim.ledger import Ledger, Record
from hwsim.schedule.accumulators import as_computed_by
from quant.common.errors import UserError
from quant.imaging import bicubic_upscale
from quant.policy import BitPolicy


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """What a row of the table is made of.

    Attributes:
        network: what is quantized.
        method: name of the method.
        policy: the bits.
        machine: what it runs on.
        rounding: name of the requantization mode.
        context: hash of all that the integers depend on.
    """

    network: NetworkEntry
    method: str
    policy: BitPolicy
    machine: EnergyModel
    rounding: str
    context: str


_Means = tuple[tuple[str, ...], Callable[[JudgedPicture], Record]]
"""What the pictures of a means depend on, and the record it makes of one."""


class Recorder:
    """Makes rows of what the ledger has, and measures what it does not have.

    Keys are hashes of what is asked for, not of the graphs: a row that is known needs no
    quantization, which may take hours.
    """

    def __init__(self, request: CompareRequest, ledger: Ledger) -> None:
        self._request = request
        self._ledger = ledger
        self._estimators = [Estimator(each.accelerator, each) for each in request.machines]
        # Rows that differ in the machine alone, or in nothing that integers depend on, follow one
        # another: the last network is enough to remember.
        self._built: tuple[str, Alternatives] | None = None
        self._real: tuple[str, RealNetwork] | None = None

    def cell(self, network: NetworkEntry, combination: Combination, machine: EnergyModel) -> Cell:
        """One row; one that cannot be done says why."""
        accelerator = machine.accelerator
        cell = Cell(
            combination, network.scale, network.weights, accelerator.name, machine.table.name,
            accelerator.clock_mhz, launch_overhead_us=accelerator.launch_overhead_us,
        )  # fmt: skip
        try:
            return self._measured(cell, self._row(network, combination, machine))
        except UserError as error:
            return replace(cell, error=str(error))

    def _measured(self, cell: Cell, row: _Row) -> Cell:
        costs = self._costs(row)
        cell = replace(cell, bit_exact=self._bit_exact(row), fidelity=self._fidelity(row))
        pictures = self._request.pictures.get(row.network.scale)
        if pictures is None or not row.network.trained:
            return replace(cell, costs=costs)
        quality = self._quality(row, pictures)
        choices = [record["variant"] for record in quality["integer"]]
        weights = tuple(float(choices.count(place)) for place in range(len(costs.variants)))
        return replace(cell, costs=replace(costs, weights=weights), quality=quality)

    def _row(self, network: NetworkEntry, combination: Combination, machine: EnergyModel) -> _Row:
        accelerator = machine.accelerator
        policy = self._request.policies[combination.policy]
        rounding = self._request.rounding or accelerator.requantizer.rounding
        context = digest(
            hwsim.__version__, network.name, network.identity, combination.method,
            policy.to_yaml(), rounding, str(accelerator.array.accumulator),
        )  # fmt: skip
        return _Row(network, combination.method, policy, machine, rounding, context)

    def _alternatives(self, row: _Row) -> Alternatives:
        """The graphs of a row."""
        if self._built is None or self._built[0] != row.context:
            quantized = row.network.quantize(row.method, row.policy, row.rounding)
            made = Alternatives.of(
                quantized, lambda graph: as_computed_by(graph, row.machine.accelerator)
            )
            self._built = row.context, made
        return self._built[1]

    def _costs(self, row: _Row) -> ImageCosts:
        place, size = self._request.machines.index(row.machine), self._request.size
        estimator = self._estimators[place]
        identity = machine_identity(row.machine.accelerator, row.machine)

        def measure() -> Record:
            return image_costs(self._alternatives(row), size, estimator).to_record()

        return ImageCosts.from_record(
            self._recorded("cost", (row.context, identity, str(size), RECORDED), measure)
        )

    def _bit_exact(self, row: _Row) -> BitExactness | None:
        picture = self._request.check
        if picture is None:
            return None
        identity = machine_identity(row.machine.accelerator, row.machine)

        def measure() -> Record:
            return asdict(check_on_machine(self._alternatives(row), row.machine, picture))

        key = (row.context, identity, arrays_identity((picture,)))
        return BitExactness(**self._recorded("check", key, measure))

    def _fidelity(self, row: _Row) -> Fidelity | None:
        picture = self._request.check
        if picture is None or row.network.fake_quantize is None:
            return None

        def measure() -> Record:
            return asdict(check_in_reals(self._alternatives(row), self._fake(row), picture))

        key = (row.context, arrays_identity((picture,)))
        return Fidelity(**self._recorded("fidelity", key, measure))

    def _quality(self, row: _Row, pictures: PictureSet) -> QualityRecords:
        """By what enlarged, what became of every picture."""
        return {
            name: [
                self._recorded(name, (*context, picture.identity), partial(judged, picture))
                for picture in pictures.pictures
            ]
            for name, (context, judged) in self._means(row, pictures).items()
        }

    def _means(self, row: _Row, pictures: PictureSet) -> dict[str, _Means]:
        """What enlarges, with what its pictures depend on beside the picture."""
        network, scale = row.network, pictures.scale

        def by(enlarge: Enlarge) -> Callable[[JudgedPicture], Record]:
            return lambda picture: pictures.judge(picture, enlarge(picture.low))

        means: dict[str, _Means] = {
            "bicubic": ((hwsim.__version__, str(scale)), by(partial(bicubic_upscale, scale=scale))),
            "float": ((hwsim.__version__, network.name, network.identity), by(network.enlarge)),
            "integer": ((row.context,), partial(self._integers, row, pictures)),
        }
        if network.fake_quantize is not None:
            means["fake_quantized"] = (
                (row.context,),
                by(lambda image: self._fake(row).picture(image)),
            )
        return means

    def _fake(self, row: _Row) -> RealNetwork:
        """The codes of a row, computed in real numbers."""
        if self._real is None or self._real[0] != row.context:
            assert row.network.fake_quantize is not None
            real = row.network.fake_quantize(row.method, row.policy, row.rounding)
            self._real = row.context, real
        return self._real[1]

    def _integers(self, row: _Row, pictures: PictureSet, picture: JudgedPicture) -> Record:
        enlarged, variant = self._alternatives(row).enlarge(picture.low)
        return pictures.judge(picture, enlarged) | {"variant": variant}

    def _recorded(self, kind: str, key: tuple[str, ...], measure: Callable[[], Record]) -> Record:
        """What the ledger has under a kind and a key, measured first if it has nothing."""
        hashed = digest(kind, *key)
        found = self._ledger.get(hashed)
        if found is None:
            found = measure()
            self._ledger.put(hashed, found)
        return found
