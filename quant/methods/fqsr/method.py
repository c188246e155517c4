"""The method ``fqsr``: options, where its parameters come from, and what it makes of a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quant.common.errors import UserError
from quant.common.requantization_modes import DEFAULT_MODE, mode_named
from quant.lowering import FloatNetwork, scale_grid
from quant.methods.calibration import Calibration
from quant.methods.fqsr.layer_map import Preset, layer_map
from quant.methods.fqsr.rewriting import for_each_reader, with_slopes
from quant.methods.learning.learned import (
    Learned,
    fingerprint,
    load_fitting,
    shipped_learned,
)
from quant.methods.options import choice, count, flag, parse_options
from quant.methods.quantized_network import QuantizedNetwork
from quant.policy import BitPolicy

if TYPE_CHECKING:
    from quant.methods.fqsr.fake_quantized import FakeQuantized, Grids
    from quant.methods.learning.loop import Told
    from quant.methods.learning.pictures import Pictures
    from quant.methods.learning.schedule import Schedule

NAME = "fqsr"


@dataclass(frozen=True, slots=True)
class Fqsr:
    """Fully quantized image super-resolution networks (arXiv 2011.14265).

    ``docs/methods/fqsr.md`` has the formulas and where this departs from the released code.

    Attributes:
        preset: which tensors stay real: ``paper``, next to none, or ``released``.
        outputs: bits of layers' results and of additions' operands, 2 to 8.
        direct: whether a layer that only a quantized addition reads is rounded once, to the
            addition's codes, not first to its own.
        learned: a file of learned parameters, which learning starts from; empty: those that ship,
            else calibration.
        iterations: updates on the calibration pictures, where there is no such file.
        relative: times the learning rate, what intervals move by as a part of their value; 0: by
            the learning rate itself, as released.

    Raises:
        UserError: ``outputs`` is out of range.
    """

    preset: Preset = "paper"
    outputs: int = 8
    direct: bool = False
    learned: str = ""
    iterations: int = 0
    relative: int = 0

    def __post_init__(self) -> None:
        if not 2 <= self.outputs <= 8:
            raise UserError(
                f"method fqsr: expected outputs of 2 to 8 bits, given {self.outputs}; choose a "
                "width in that range (tables read sums of one bit more, and at most 9)"
            )

    @classmethod
    def parse(cls, text: str) -> Fqsr:
        """The method with options as text, such as ``preset=released,outputs=8``.

        Raises:
            UserError: an option is not known or does not fit.
        """
        readers: dict[str, Callable[[str], Any]] = {
            "preset": choice("paper", "released"), "outputs": count, "direct": flag,
            "learned": str, "iterations": count, "relative": count,
        }  # fmt: skip
        return cls(**parse_options(NAME, text, readers))

    def quantize(
        self,
        network: FloatNetwork,
        policy: BitPolicy,
        calibration: Calibration,
        rounding: str = DEFAULT_MODE,
    ) -> QuantizedNetwork:
        """See `QuantizationMethod.quantize`."""
        from quant.methods.fqsr.encodings import (
            Intervals,
            fixed_encodings,
            missing_streams,
            with_streams,
        )
        from quant.methods.fqsr.fake_quantized import FakeQuantized

        scales = scale_grid(network, mode_named(rounding).name)
        learned = self._parameters(network, policy)
        trained = self._trained(network, policy, calibration, learned)
        grids = self._grids(network, policy)
        reaches = trained.reaches()
        spread = for_each_reader(trained.trainable.trained_network())
        encodings = fixed_encodings(spread, Intervals(grids, reaches, scales))
        streams = missing_streams(spread, encodings)
        if streams:
            calibration.require_fitting()
            measured = FakeQuantized(spread, grids)
            measured.set_reaches(reaches)
            magnitudes = measured.largest_magnitudes(streams, calibration.images)
            encodings = with_streams(encodings, magnitudes, policy.residual_bits, scales)
        metadata = {
            "network": network.name,
            "method": str(self),
            "policy": policy.to_yaml(),
            "bits": str(policy),
            "calibration": calibration.description,
            "learned": "nothing" if learned is None else _told(learned.provenance),
        }
        return QuantizedNetwork(spread, encodings, rounding, metadata)

    def learn(
        self,
        network: FloatNetwork,
        policy: BitPolicy,
        pictures: Pictures,
        schedule: Schedule,
        checkpoint: Path | None = None,
        tell: Told | None = None,
    ) -> Learned:
        """See `LearningMethod.learn`."""
        from quant.methods.fqsr.learner import FqsrLearner
        from quant.methods.fqsr.parameters import learned_tensors, take_over
        from quant.methods.learning.loop import learn

        trained = self._untrained(network, policy)
        identity = {
            "method": str(self),
            "policy": policy.to_yaml(),
            "network": fingerprint(network),
            "schedule": str(schedule),
            "pictures": pictures.sha256,
        }
        if self.learned and (start := self._parameters(network, policy)) is not None:
            take_over(trained, start.tensors)
        learner = FqsrLearner(trained, pictures, schedule, self.relative or None)
        learn(learner, identity, checkpoint, tell)
        if schedule.iterations == 0 and not self.learned:
            trained.calibrate([pair.low for pair in pictures.pairs])
        return Learned(
            learned_tensors(trained.cpu().eval()),
            self._learned_name,
            policy.to_yaml(),
            fingerprint(network),
            {"updates": schedule.iterations, "relative": self.relative},
        )

    def __str__(self) -> str:
        return self._spelled(*self.__slots__)

    def _spelled(self, *names: str) -> str:
        """The method with those of some options that are not as usual."""
        usual = Fqsr()
        given = {name: getattr(self, name) for name in names}
        entries = [
            name if value is True else f"{name}={value}"
            for name, value in given.items()
            if value != getattr(usual, name)
        ]
        return NAME + (":" + ",".join(entries) if entries else "")

    @property
    def _learned_name(self) -> str:
        """The method with the options that decide what learned parameters fit."""
        return self._spelled("preset", "outputs", "direct")

    def _parameters(self, network: FloatNetwork, policy: BitPolicy) -> Learned | None:
        """What was learned before: in the file that was named, else what ships."""
        if not self.learned:
            return shipped_learned(network, self._learned_name, policy)
        return load_fitting(Path(self.learned), network, self._learned_name, policy)

    def _trained(
        self,
        network: FloatNetwork,
        policy: BitPolicy,
        calibration: Calibration,
        learned: Learned | None,
    ) -> FakeQuantized:
        """With learned parameters, else calibrated, with as many updates as asked for."""
        from quant.methods.fqsr.learner import FqsrLearner
        from quant.methods.fqsr.parameters import take_over
        from quant.methods.learning.loop import learn
        from quant.methods.learning.pictures import Pictures
        from quant.methods.learning.schedule import short_schedule

        trained = self._untrained(network, policy)
        if learned is not None:
            take_over(trained, learned.tensors)
            return trained.eval()
        if self.iterations:
            calibration.require_fitting()
            pictures = Pictures.of(calibration.images, int(network.scale()), "calibration")
            schedule = short_schedule(self.iterations, pictures)
            learner = FqsrLearner(trained, pictures, schedule, self.relative or None)
            learn(learner, {}, tell=calibration.tell)
            return trained.cpu().eval()
        trained.calibrate(calibration.images)
        return trained

    def _untrained(self, network: FloatNetwork, policy: BitPolicy) -> FakeQuantized:
        from quant.methods.fqsr.fake_quantized import FakeQuantized  # torch is slow to import

        return FakeQuantized(with_slopes(network), self._grids(network, policy))

    def _grids(self, network: FloatNetwork, policy: BitPolicy) -> Grids:
        from quant.methods.fqsr.fake_quantized import Grids

        chosen = layer_map(network, self.preset, direct=self.direct)
        return Grids(chosen, policy.resolve(network.layer_names()), self.outputs)


def _told(provenance: Mapping[str, object]) -> str:
    """A few words on where learned parameters come from."""
    return f"{provenance.get('updates')} updates, {provenance.get('created', 'undated')}"
