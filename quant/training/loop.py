"""The training loop: mean absolute error, Muon, a cosine schedule, an average of the weights."""

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import torch
from torch import Tensor

from quant.common.errors import UserError
from quant.networks.registry import network_config
from quant.training.checkpoint import resume, save_checkpoint
from quant.training.config import TrainingConfig
from quant.training.curve import draw_curve
from quant.training.export import export_weights
from quant.training.hardware import choose_device, uses_bfloat16
from quant.training.interruption import StopRequest, deferred_signals
from quant.training.patches import batch_at, fingerprint, load_pairs
from quant.training.progress import Reporter, Throughput, TrainingLog, reporter
from quant.training.provenance import run_provenance
from quant.training.schedule import learning_rate, progress_fraction
from quant.training.state import fresh_state
from quant.training.step import optimize
from quant.training.validation import load_validation, mean_psnr_db

CHECKPOINT_NAME = "checkpoint.pt"
_LOG_EVERY = 100  # steps


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What a finished run left.

    Attributes:
        weights: the averaged weights with their provenance, a safetensors file.
        checkpoint: the final state.
        log: JSON lines of iteration, seconds, loss, learning_rate, psnr_db.
        curve: the log as a picture.
        iterations: steps done.
        psnr_db: mean luma PSNR of the averaged weights on the validation folder; None without.
        elapsed_seconds: training time over all resumed parts.
    """

    weights: Path
    checkpoint: Path
    log: Path
    curve: Path
    iterations: int
    psnr_db: float | None
    elapsed_seconds: float


def train(config: TrainingConfig) -> TrainingResult:
    """Train a network, or carry on where the checkpoint in the output folder left off.

    Muon, and for biases and the convolutions from and to colours Adam (Kingma and Ba, arXiv
    1412.6980, defaults), minimise the mean absolute error of pixels in 0..1; an exponential moving
    average of the weights is what is judged and exported. Ctrl-C or a polite kill writes a
    checkpoint first; after a crash the last periodic one counts.

    Raises:
        UserError: a folder or picture is unfit, the checkpoint is of another run, or the disk is
            full; the last good checkpoint is always kept.
        KeyboardInterrupt: Ctrl-C, after the checkpoint is written.
        SystemExit: status 143 after a polite kill, likewise.
    """
    with reporter() as report:
        run = _Run(config, report)
        run.to_the_end()
        return run.finish()


class _Run:
    """One call of ``train``: the loaded data, the state, and what happens between steps."""

    def __init__(self, config: TrainingConfig, report: Reporter) -> None:
        self.config = config
        self.report = report
        self.scale = network_config(config.network).scale
        report.say("reading the training pictures …")
        self.pairs = load_pairs(config.images, self.scale, config.patch)
        self.validation = load_validation(config.validation, self.scale)
        self.images_sha256 = fingerprint(self.pairs)
        self.device = choose_device(config)
        self.bfloat16 = uses_bfloat16(config, self.device)
        self.provenance = run_provenance(config, self.bfloat16)
        self.state = fresh_state(config, self.device)
        if self.state.initial_weights is not None:
            report.say(f"starting from {self.state.initial_weights}")
        self.checkpoint = config.output / CHECKPOINT_NAME
        if self.checkpoint.exists():
            resume(self.checkpoint, self.state, config, self.images_sha256)
            report.say(f"resumed at iteration {self.state.iteration} from {self.checkpoint}")
        self.log = TrainingLog(config.output / "log.jsonl", self.state.iteration)
        self.recent_losses: list[Tensor] = []
        self.throughput = Throughput(self.state.iteration, self.state.elapsed_seconds)
        self.judged_at = time.monotonic()
        precision = self.provenance["precision"]
        report.say(f"training {config.network} on {self.device.type}, {precision} convolutions")

    def to_the_end(self) -> None:
        state, config = self.state, self.config
        started = time.monotonic() - state.elapsed_seconds
        saved = time.monotonic()
        with deferred_signals() as stop:
            while (fraction := self._fraction()) < 1.0:
                rate = learning_rate(config, state.iteration, fraction)
                low, high = self._batch()
                loss = optimize(state, config, low, high, rate=rate, bfloat16=self.bfloat16)
                self.recent_losses.append(loss)
                state.iteration += 1
                state.elapsed_seconds = time.monotonic() - started
                self._tell(rate)
                if stop.signal_number is not None:
                    self._stop(stop)
                if time.monotonic() - saved >= config.checkpoint_every_seconds:
                    self.save()
                    saved = time.monotonic()

    def finish(self) -> TrainingResult:
        state, output = self.state, self.config.output
        psnr_db = self._judge() if self.validation else None
        self.save()
        weights = output / f"{self.config.network}.safetensors"
        export_weights(self.checkpoint, weights)
        draw_curve(output / "log.jsonl", output / "curve.png")
        return TrainingResult(
            weights=weights,
            checkpoint=self.checkpoint,
            log=output / "log.jsonl",
            curve=output / "curve.png",
            iterations=state.iteration,
            psnr_db=psnr_db,
            elapsed_seconds=state.elapsed_seconds,
        )

    def save(self) -> None:
        """Write the checkpoint, unless the weights are lost: then the last good one stays."""
        if self.recent_losses and not math.isfinite(float(self.recent_losses[-1])):
            raise self._diverged()
        save_checkpoint(
            self.checkpoint, self.state, self.config,
            images_sha256=self.images_sha256, provenance=self.provenance,
        )  # fmt: skip

    def _fraction(self) -> float:
        return progress_fraction(self.config, self.state.iteration, self.state.elapsed_seconds)

    def _tell(self, rate: float) -> None:
        iteration = self.state.iteration
        finished = self._fraction() >= 1.0
        judged = bool(self.validation) and (self._judgement_is_due() or finished)
        if iteration % _LOG_EVERY == 0 or judged or finished:
            steps_per_second = self.throughput.since_last(iteration, self.state.elapsed_seconds)
            psnr_db = self._judge() if judged else None
            loss = float(torch.stack(self.recent_losses).mean())
            self.recent_losses.clear()
            if not math.isfinite(loss):
                raise self._diverged()
            seconds = round(self.state.elapsed_seconds, 1)
            self.log.append(
                {"iteration": iteration, "seconds": seconds, "loss": loss,
                 "learning_rate": rate, "psnr_db": psnr_db}
            )  # fmt: skip
            self.report.step(
                self._fraction(),
                f"iteration {iteration}  loss {loss:.5f}  "
                f"{steps_per_second * self.config.batch:.1f} patches/s",
            )

    def _judgement_is_due(self) -> bool:
        minutes = self.config.validate_minutes
        if minutes is None:
            return self.state.iteration % self.config.validate_every == 0
        return time.monotonic() - self.judged_at >= 60 * minutes

    def _batch(self) -> tuple[Tensor, Tensor]:
        config = self.config
        patches = batch_at(
            self.pairs, self.state.iteration,
            seed=config.seed, batch=config.batch, patch=config.patch,
        )  # fmt: skip
        # N x H x W x C in memory is exactly torch's channels-last N x C x H x W.
        low, high = (torch.from_numpy(p).to(self.device).permute(0, 3, 1, 2) for p in patches)
        return low.float(), high.float()

    def _judge(self) -> float:
        history = self.state.psnr_history
        if not history or history[-1][0] != self.state.iteration:
            started = time.monotonic()
            psnr_db = mean_psnr_db(self.state.average, self.validation, self.scale)
            self.judged_at = time.monotonic()
            self.throughput.leave_out(self.judged_at - started)
            history.append((self.state.iteration, psnr_db))
            self.report.say(f"iteration {self.state.iteration}: {psnr_db:.3f} dB on validation")
        return history[-1][1]

    def _stop(self, stop: StopRequest) -> NoReturn:
        self.save()
        self.report.say(f"stopped; repeat the command to resume from {self.checkpoint}")
        stop.obey()

    def _diverged(self) -> UserError:
        return UserError(
            f"training diverged before iteration {self.state.iteration}: expected a finite loss, "
            f"got none; lower learning_rate (now {self.config.learning_rate}) and start afresh"
        )
