"""What a training run is, as data."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from quant.common.errors import UserError

_DEVICES = ("auto", "cpu", "cuda")
_PRECISIONS = ("auto", "float32", "bf16")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """Everything a training run depends on.

    A run bounded by ``iterations`` alone is reproducible bit for bit on one machine with one
    thread count. With ``minutes`` the learning rate also follows the clock, so the schedule ends
    in time whatever the load; such runs are not reproducible.

    Attributes:
        network: name of a network in the registry.
        images: folders that hold high-resolution pictures directly.
        output: folder for the checkpoint, the log, the curve and the final weights.
        iterations: optimizer steps.
        minutes: wall-clock budget over all resumed parts; None for no limit.
        batch: patches per step.
        patch: height and width of a low-resolution patch, in pixels.
        learning_rate: peak of the cosine schedule.
        warmup: steps over which the learning rate rises linearly to its peak.
        ema_decay: decay per step of the moving average of the weights.
        gradient_clip: largest 2-norm of the gradient of the mean absolute error, in 0..1 pixels.
        seed: seed of the initial weights and of every patch.
        initial_weights: file whose weights are taken at the start, wherever they fit; None starts
            from random ones.
        validation: folder of high-resolution pictures to judge on; None for no judging.
        validate_every: steps between judgements, unless ``validate_minutes`` is given.
        validate_minutes: wall-clock time between judgements; None counts steps.
        checkpoint_every_seconds: wall-clock time between checkpoints.
        device: "auto" is CUDA where there is a device, else the CPU.
        precision: "bf16" lets convolutions multiply bfloat16 (autocast), whatever the weights and
            checkpoints, which stay float32; "auto" does where the hardware multiplies it natively.
    """

    network: str
    images: tuple[Path, ...]
    output: Path
    iterations: int = 100_000
    minutes: float | None = None
    batch: int = 16
    patch: int = 48
    learning_rate: float = 5e-4
    warmup: int = 200
    ema_decay: float = 0.999
    gradient_clip: float = 1.0
    seed: int = 0
    initial_weights: Path | None = None
    validation: Path | None = None
    validate_every: int = 1000
    validate_minutes: float | None = None
    checkpoint_every_seconds: float = 120.0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "float32", "bf16"] = "auto"

    def __post_init__(self) -> None:
        if not self.images:
            raise UserError("training: expected at least one folder of images, got none; name one")
        for name in ("iterations", "batch", "patch", "validate_every"):
            _require(name, getattr(self, name), getattr(self, name) >= 1, "at least 1")
        _require("device", self.device, self.device in _DEVICES, "one of " + ", ".join(_DEVICES))
        known = self.precision in _PRECISIONS
        _require("precision", self.precision, known, "one of " + ", ".join(_PRECISIONS))
        _require("warmup", self.warmup, self.warmup >= 0, "at least 0")
        _require("seed", self.seed, self.seed >= 0, "at least 0")
        for name in ("minutes", "validate_minutes"):
            value = getattr(self, name)
            _require(name, value, value is None or value > 0, "above 0")
        _require("learning_rate", self.learning_rate, self.learning_rate > 0, "above 0")
        _require("ema_decay", self.ema_decay, 0 <= self.ema_decay < 1, "in 0..1, below 1")
        _require("gradient_clip", self.gradient_clip, self.gradient_clip > 0, "above 0")


def _require(name: str, value: object, holds: bool, expected: str) -> None:
    if not holds:
        raise UserError(f"training: {name} must be {expected}, got {value}; correct it")
