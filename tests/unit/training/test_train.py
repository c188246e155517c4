import errno
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import quant.training.loop as loop
from quant.common.errors import UserError
from quant.imaging import write_png
from quant.networks import load_network
from quant.networks.weights import read_provenance
from quant.training import TrainingConfig, export_weights, train
from quant.training.checkpoint import read_checkpoint
from quant.training.progress import read_log

Configure = Callable[..., TrainingConfig]


def _assert_same_tensors(first: Any, second: Any) -> None:
    """Two nested structures are equal to the last bit."""
    if isinstance(first, torch.Tensor):
        assert torch.equal(first, second)
    elif isinstance(first, dict):
        assert first.keys() == second.keys()
        for key, value in first.items():
            _assert_same_tensors(value, second[key])
    elif isinstance(first, list | tuple):
        for one, other in zip(first, second, strict=True):
            _assert_same_tensors(one, other)
    else:
        assert first == second


def _assert_same_run(first: Path, second: Path) -> None:
    one, other = (read_checkpoint(path / "checkpoint.pt") for path in (first, second))
    for beside_the_state in ("elapsed_seconds", "provenance"):
        del one[beside_the_state], other[beside_the_state]
    _assert_same_tensors(one, other)


def _interrupt_at(monkeypatch: pytest.MonkeyPatch, step: int, action: Callable[[], None]) -> None:
    batch_at = loop.batch_at

    def interrupted(pairs: Any, iteration: int, **settings: int) -> Any:
        if iteration == step:
            monkeypatch.undo()
            action()
        return batch_at(pairs, iteration, **settings)

    monkeypatch.setattr(loop, "batch_at", interrupted)


@pytest.mark.usefixtures("real_curve")
def test_a_run_leaves_weights_log_curve_and_checkpoint(
    short_run: Configure, images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = short_run(validation=images, validate_every=3)
    result = train(config)
    assert result.iterations == 6
    assert result.psnr_db is not None
    assert result.curve.read_bytes().startswith(b"\x89PNG")
    assert [(e["iteration"], e["psnr_db"] is None) for e in read_log(result.log)] == [
        (3, False), (6, False),
    ]  # fmt: skip
    provenance = read_provenance(result.weights)
    assert provenance["iterations"] == provenance["psnr_iteration"] == 6
    assert provenance["psnr_db"] == round(result.psnr_db, 4)
    assert provenance["images"] == ["pictures"]
    assert provenance["precision"] == "float32"
    assert provenance["planned_minutes"] is None
    assert f"iteration 6: {result.psnr_db:.3f} dB on validation" in capsys.readouterr().err
    average = read_checkpoint(result.checkpoint)["average"]
    loaded = load_network("edsr_tiny_x2", weights=result.weights).state_dict()
    _assert_same_tensors(dict(loaded), dict(average))


@pytest.mark.parametrize("judged", [True, False])
def test_the_log_ends_with_the_last_step(short_run: Configure, images: Path, judged: bool) -> None:
    result = train(short_run(validation=images if judged else None, validate_every=4))
    entries = read_log(result.log)
    assert [entry["iteration"] for entry in entries] == ([4, 6] if judged else [6])
    assert entries[-1]["psnr_db"] == result.psnr_db
    assert (result.psnr_db is None) != judged


def test_training_brings_the_loss_down(short_run: Configure, images: Path) -> None:
    config = short_run(iterations=30, warmup=2, learning_rate=2e-3, validate_every=5)
    losses = [entry["loss"] for entry in read_log(train(replace(config, validation=images)).log)]
    assert len(losses) == 6
    assert losses[-1] < 0.8 * losses[0]


def test_a_run_is_reproducible(short_run: Configure) -> None:
    train(short_run("first"))
    train(short_run("second"))
    train(short_run("other", seed=1))
    folder = short_run().output.parent
    _assert_same_run(folder / "first", folder / "second")
    with pytest.raises(AssertionError):
        _assert_same_run(folder / "first", folder / "other")


@pytest.mark.parametrize(
    ("network", "precision"),
    [("edsr_tiny_x2", "float32"), ("srgan_x2", "float32"), ("mobile_sr_x2", "bf16")],
)
def test_a_crashed_run_resumes_to_the_identical_state(
    short_run: Configure,
    images: Path,
    monkeypatch: pytest.MonkeyPatch,
    network: str,
    precision: str,
) -> None:
    def crash() -> None:
        raise RuntimeError("power cut")

    judged = short_run(
        network=network, precision=precision, validation=images, validate_every=2,
        checkpoint_every_seconds=0,
    )  # fmt: skip
    config = replace(judged, output=judged.output / "crashed")
    _interrupt_at(monkeypatch, 3, crash)
    with pytest.raises(RuntimeError, match="power cut"):
        train(config)
    assert read_checkpoint(config.output / "checkpoint.pt")["iteration"] == 3
    assert train(config).iterations == 6
    train(replace(judged, output=judged.output / "whole"))
    _assert_same_run(judged.output / "crashed", judged.output / "whole")


@pytest.mark.parametrize(
    ("number", "exception"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]
)
def test_a_stopped_run_saves_first_and_resumes(
    short_run: Configure,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: signal.Signals,
    exception: type[BaseException],
) -> None:
    config = short_run("stopped")
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    _interrupt_at(monkeypatch, 2, lambda: os.kill(os.getpid(), number))
    with pytest.raises(exception):
        train(config)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers
    checkpoint = config.output / "checkpoint.pt"
    assert read_checkpoint(checkpoint)["iteration"] == 3
    assert f"repeat the command to resume from {checkpoint}" in capsys.readouterr().err
    train(config)
    train(short_run("whole"))
    _assert_same_run(config.output, config.output.parent / "whole")


def test_a_finished_run_is_only_exported_again(short_run: Configure) -> None:
    first = train(short_run())
    before = read_checkpoint(first.checkpoint)
    first.weights.unlink()
    assert train(short_run()).iterations == 6
    assert first.weights.exists()
    _assert_same_tensors(read_checkpoint(first.checkpoint), before)


def test_a_time_box_ends_a_run_early(short_run: Configure) -> None:
    result = train(short_run(iterations=10**9, minutes=0.01))
    assert 1 <= result.iterations < 10**4
    assert result.elapsed_seconds >= 0.6


def test_judgements_can_follow_the_clock(
    short_run: Configure, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(loop.time, "monotonic", lambda: now[0])
    batch_at = loop.batch_at

    def slow_batch(pairs: Any, iteration: int, **settings: int) -> Any:
        now[0] += 25.0
        return batch_at(pairs, iteration, **settings)

    monkeypatch.setattr(loop, "batch_at", slow_batch)
    config = short_run(validation=images, validate_minutes=1.0, iterations=7)
    judged = [e["iteration"] for e in read_log(train(config).log) if e["psnr_db"] is not None]
    assert judged == [3, 6, 7]  # 75 s after the start and after the first judgement; the end


def test_the_average_has_the_statistics_of_normalizations(short_run: Configure) -> None:
    result = train(short_run(network="srgan_x2", iterations=3))
    saved = read_checkpoint(result.checkpoint)
    average, network = saved["average"], saved["network"]
    assert average["block2.bn1.num_batches_tracked"] == 3
    assert average["block2.bn1.running_var"].sub(1).abs().max() > 0
    assert not torch.equal(average["block2.bn1.running_var"], network["block2.bn1.running_var"])


def test_bfloat16_trains_other_weights_than_float32(short_run: Configure) -> None:
    train(short_run("float32", iterations=2))
    train(short_run("bfloat16", iterations=2, precision="bf16"))
    folder = short_run().output.parent
    with pytest.raises(AssertionError):
        _assert_same_run(folder / "float32", folder / "bfloat16")


def test_a_full_disk_keeps_the_last_checkpoint(
    short_run: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = short_run(checkpoint_every_seconds=0)

    def fill_the_disk() -> None:
        def write_bytes(path: Path, content: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(Path, "write_bytes", write_bytes)

    _interrupt_at(monkeypatch, 4, fill_the_disk)
    with pytest.raises(UserError) as caught:
        train(config)
    monkeypatch.undo()
    checkpoint = config.output / "checkpoint.pt"
    assert str(caught.value) == (
        f"cannot write {checkpoint}: No space left on device; "
        "choose a folder you can write to with enough space"
    )
    assert read_checkpoint(checkpoint)["iteration"] == 4
    train(config)
    train(short_run("whole"))
    _assert_same_run(config.output, config.output.parent / "whole")


def test_a_diverging_run_keeps_the_last_good_checkpoint(short_run: Configure) -> None:
    config = short_run(learning_rate=1e30, warmup=0, iterations=500, checkpoint_every_seconds=0)
    with pytest.raises(UserError) as caught:
        train(config)
    saved = read_checkpoint(config.output / "checkpoint.pt")
    assert str(caught.value) == (
        f"training diverged before iteration {saved['iteration'] + 1}: expected a finite loss, got "
        "none; lower learning_rate (now 1e+30) and start afresh"
    )


def test_a_checkpoint_of_another_architecture_is_refused(short_run: Configure) -> None:
    result = train(short_run())
    before = result.checkpoint.read_bytes()
    with pytest.raises(UserError) as caught:
        train(short_run(network="edsr_baseline_x2"))
    assert str(caught.value) == (
        f"{result.checkpoint}: the checkpoint is of another run: expected network "
        "edsr_baseline_x2, found edsr_tiny_x2; repeat the first command's settings or choose "
        "another output folder"
    )
    assert result.checkpoint.read_bytes() == before


@pytest.mark.parametrize(
    ("setting", "value", "was"), [("seed", 9, 0), ("patch", 7, 8), ("learning_rate", 0.1, 0.0005)]
)
def test_a_checkpoint_with_other_settings_is_refused(
    short_run: Configure, setting: str, value: float, was: float
) -> None:
    train(short_run())
    with pytest.raises(UserError, match=f"expected {setting} {value}, found {was}; repeat"):
        train(short_run(**{setting: value}))


def test_a_checkpoint_of_other_pictures_is_refused(short_run: Configure, images: Path) -> None:
    train(short_run())
    write_png(images / "another.png", np.zeros((20, 20, 3), dtype=np.uint8))
    with pytest.raises(UserError, match=r"expected images_sha256 [0-9a-f]{64}, found [0-9a-f]{64}"):
        train(short_run())


@pytest.mark.parametrize("content", [b"", b"nothing of the sort", None])
def test_a_damaged_checkpoint_is_a_user_error(short_run: Configure, content: bytes | None) -> None:
    checkpoint = train(short_run()).checkpoint
    checkpoint.write_bytes(checkpoint.read_bytes()[:5000] if content is None else content)
    with pytest.raises(UserError) as caught:
        train(short_run())
    assert str(caught.value) == (
        f"{checkpoint}: expected a training checkpoint, found a damaged file or one of another "
        "kind; move it away to start afresh"
    )


def test_weights_are_no_checkpoint(short_run: Configure, tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "weights.pt")
    with pytest.raises(UserError, match="expected a training checkpoint"):
        export_weights(tmp_path / "weights.pt", tmp_path / "out.safetensors")


def test_a_damaged_picture_ends_the_run_before_it_starts(
    short_run: Configure, images: Path
) -> None:
    noise = np.random.default_rng(0).integers(256, size=(40, 40, 3)).astype(np.uint8)
    Image.fromarray(noise).save(images / "bad.png")
    (images / "bad.png").write_bytes((images / "bad.png").read_bytes()[:900])
    with pytest.raises(UserError, match=r"bad\.png: the image is damaged or cut short"):
        train(short_run())
    assert not (short_run().output / "checkpoint.pt").exists()


def test_a_picture_smaller_than_a_patch_is_named(short_run: Configure, images: Path) -> None:
    write_png(images / "small.png", np.zeros((40, 15, 3), dtype=np.uint8))
    with pytest.raises(UserError) as caught:
        train(short_run())
    assert str(caught.value) == (
        f"{images / 'small.png'}: expected at least 16 pixels each way (patch 8 x scale 2), found "
        "15x40; remove the picture or choose a smaller patch"
    )
