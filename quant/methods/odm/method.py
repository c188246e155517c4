"""The methods ``odm`` and ``odm-v2``: options, learning, and what is done without."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quant.common.requantization_modes import DEFAULT_MODE
from quant.graph.bits import COUNTED_LAYERS
from quant.lowering import FloatNetwork
from quant.methods.body_layers import body_layers, with_eight_bits_elsewhere
from quant.methods.calibration import Calibration
from quant.methods.odm.settings import VERSION_1, VERSION_2, Settings
from quant.methods.options import choice, count, flag, parse_options
from quant.methods.quantized_network import QuantizedNetwork
from quant.methods.ranges import Source
from quant.policy import BitPolicy
from quant.policy.bits import LayerBits

if TYPE_CHECKING:
    from quant.methods.learning.learned import Learned
    from quant.methods.learning.loop import Told
    from quant.methods.learning.pictures import Pictures
    from quant.methods.learning.schedule import Schedule

_SHARED_OPTIONS: Mapping[str, Callable[[str], Any]] = {"learned": Path, "iterations": count}
_OPTIONS: Mapping[str, Mapping[str, Callable[[str], Any]]] = {
    VERSION_1.name: {
        **_SHARED_OPTIONS,
        "cooperation": choice("none", "naive", "gated"),
        "offsets": flag,
    },
    VERSION_2.name: {
        **_SHARED_OPTIONS,
        "cooperation": choice("none", "naive", "cooperative"),
        "wcc": flag,
        "ste": flag,
    },
}
_FIELDS = {"wcc": "corrects_clipping", "ste": "straight_through"}
"""Fields of `Settings` that options do not bear the name of."""


@dataclass(frozen=True, slots=True)
class Odm:
    """Learned ranges for the body of a network, the other layers by what is seen (`MinMax`).

    Attributes:
        settings: the version and its options.
        learned: a file of what was learned; None: what comes with the package, if anything does.
        iterations: updates on the calibration pictures, whatever comes with the package; None: none
            where nothing does.
    """

    settings: Settings
    learned: Path | None = None
    iterations: int | None = None

    def quantize(
        self,
        network: FloatNetwork,
        policy: BitPolicy,
        calibration: Calibration,
        rounding: str = DEFAULT_MODE,
    ) -> QuantizedNetwork:
        """See `QuantizationMethod.quantize`."""
        from quant.methods.odm.calibrated import calibrated, tensors_of
        from quant.methods.odm.encodings import encode

        widened = with_eight_bits_elsewhere(policy, network)
        calibration.require_fitting()
        found = self._found(network, policy)
        if found is None:
            found = calibrated(self, network, policy, calibration)
        pictures = tensors_of(calibration.images)
        encoded = encode(network, found.tensors, widened, pictures, rounding)
        source = Source(widened, str(self), calibration.description, rounding)
        metadata = {
            **source.metadata(network),
            "bits": str(policy),
            COUNTED_LAYERS: ",".join(body_layers(network)),
        }
        return QuantizedNetwork(encoded.network, encoded.encodings, rounding, metadata)

    def learn(
        self,
        network: FloatNetwork,
        policy: BitPolicy,
        pictures: Pictures,
        schedule: Schedule,
        checkpoint: Path | None = None,
        tell: Told | None = None,
    ) -> Learned:
        """See `quant.methods.learning.training.LearningMethod.learn`."""
        from quant.methods.odm.calibrated import learned_on

        return learned_on(self, network, policy, pictures, schedule, checkpoint, tell)

    def body_bits(self, network: FloatNetwork, policy: BitPolicy) -> dict[str, LayerBits]:
        """Bits of the layers this method learns ranges of, by name.

        Raises:
            UserError: the policy names layers the network has not.
        """
        bits = policy.resolve(network.layer_names())
        return {name: bits[name] for name in body_layers(network)}

    def _found(self, network: FloatNetwork, policy: BitPolicy) -> Learned | None:
        """What was learned before: in the file that is named, or with the package."""
        from quant.methods.learning.learned import load_fitting, shipped_learned

        if self.learned is None:
            if self.iterations is not None:
                return None
            return shipped_learned(network, self.variant, policy)
        return load_fitting(self.learned, network, self.variant, policy)

    @property
    def variant(self) -> str:
        """The name with the options that change what is learned."""
        return str(replace(self, learned=None, iterations=None))

    def __str__(self) -> str:
        plain = VERSION_2 if self.settings.penalizes_mismatch else VERSION_1
        options = []
        for name in _OPTIONS[self.settings.name]:
            if name in _SHARED_OPTIONS:
                continue
            value = getattr(self.settings, _FIELDS.get(name, name))
            if value != getattr(plain, _FIELDS.get(name, name)):
                options.append(f"{name}={value if isinstance(value, str) else _word(value)}")
        if self.learned is not None:
            options.append(f"learned={self.learned}")
        if self.iterations is not None:
            options.append(f"iterations={self.iterations}")
        return f"{self.settings.name}:{','.join(options)}".rstrip(":")


def odm_v1(option: str) -> Odm:
    """The method ``odm`` with its options.

    Raises:
        UserError: an option is not known or does not fit.
    """
    return _with_options(VERSION_1, option)


def odm_v2(option: str) -> Odm:
    """The method ``odm-v2`` with its options.

    Raises:
        UserError: an option is not known or does not fit.
    """
    return _with_options(VERSION_2, option)


def _with_options(settings: Settings, option: str) -> Odm:
    given = parse_options(settings.name, option, _OPTIONS[settings.name])
    shared = {name: given.pop(name) for name in _SHARED_OPTIONS if name in given}
    changed = {_FIELDS.get(name, name): value for name, value in given.items()}
    return Odm(replace(settings, **changed), **shared)


def _word(value: bool) -> str:
    return "yes" if value else "no"
