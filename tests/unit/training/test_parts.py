import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from quant.common.errors import UserError
from quant.imaging.data_sets import image_files
from quant.training.config import TrainingConfig
from quant.training.patches import TrainingPair, batch_at, fingerprint, load_pairs
from quant.training.progress import Reporter, Throughput, TrainingLog, read_log
from quant.training.schedule import learning_rate, progress_fraction

Configure = Callable[..., TrainingConfig]


def _numbered_pair(height: int, width: int, scale: int, first: int = 0) -> TrainingPair:
    """Pixels that say where they are; each is repeated scale times each way in the original."""
    low = np.empty((height, width, 3), dtype=np.uint8)
    low[:, :, 0], low[:, :, 1] = np.indices((height, width))
    low[:, :, 2] = first
    high = np.repeat(np.repeat(low, scale, axis=0), scale, axis=1)
    return TrainingPair(low=low, high=high)


@pytest.mark.parametrize("scale", [2, 3])
def test_both_patches_show_the_same_place_in_the_same_orientation(scale: int) -> None:
    pairs = [_numbered_pair(9, 12, scale)]
    orientations = set()
    for iteration in range(20):
        low, high = batch_at(pairs, iteration, seed=3, batch=4, patch=5)
        assert low.shape == (4, 5, 5, 3)
        assert high.shape == (4, 5 * scale, 5 * scale, 3)
        np.testing.assert_array_equal(low, high[:, ::scale, ::scale])
        steps = low[:, 1, 1, :2].astype(int) - low[:, 0, 0, :2]
        turned = low[:, 0, 1, 0] != low[:, 0, 0, 0]
        orientations |= {(*step, turn) for step, turn in zip(steps.tolist(), turned, strict=True)}
    assert len(orientations) == 8


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    pairs = [_numbered_pair(30, 30, 2)]
    batches = {
        (seed, step): batch_at(pairs, step, seed=seed, batch=3, patch=4)[0].tobytes()
        for seed in (0, 1)
        for step in (0, 1)
    }
    assert len(set(batches.values())) == 4
    assert batch_at(pairs, 1, seed=1, batch=3, patch=4)[0].tobytes() == batches[1, 1]


def test_pictures_are_drawn_by_area() -> None:
    pairs = [_numbered_pair(10, 10, 2, first=0), _numbered_pair(30, 30, 2, first=1)]
    low, _ = batch_at(pairs, 0, seed=0, batch=2000, patch=4)
    assert low[:, 0, 0, 2].mean() == pytest.approx(0.9, abs=0.03)


def test_patches_reach_every_corner() -> None:
    low, _ = batch_at([_numbered_pair(6, 7, 2)], 0, seed=0, batch=300, patch=5)
    assert set(low[:, :, :, 0].flatten()) == set(range(6))
    assert set(low[:, :, :, 1].flatten()) == set(range(7))


def test_the_fingerprint_tells_pictures_apart(images: Path) -> None:
    pairs = load_pairs([images], scale=2, patch=8)
    assert fingerprint(pairs) == fingerprint(load_pairs([images], scale=2, patch=8))
    pairs[1].high[0, 0, 0] ^= 1
    assert fingerprint(pairs) != fingerprint(load_pairs([images], scale=2, patch=8))


def test_only_images_of_a_folder_are_read(images: Path) -> None:
    (images / "notes.txt").write_text("not a picture")
    assert [file.name for file in image_files(images)] == [
        "chelsea.png",
        "coffee.png",
        "rocket.png",
    ]


def test_folders_without_images_are_user_errors(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        image_files(tmp_path / "absent")
    assert str(caught.value) == (
        f"{tmp_path / 'absent'}: expected a folder of images, found none; check the path"
    )
    with pytest.raises(UserError) as caught:
        image_files(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: expected image files, found none; name a folder that has some"
    )


def test_the_rate_rises_then_falls_to_one_per_cent(short_run: Configure) -> None:
    config = short_run(learning_rate=1.0, warmup=3)
    assert [learning_rate(config, step, 0.0) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert learning_rate(config, 9, 0.5) == pytest.approx(0.505)
    assert learning_rate(config, 9, 1.0) == pytest.approx(0.01)


def test_progress_is_by_steps_or_time_whichever_is_further(short_run: Configure) -> None:
    assert progress_fraction(short_run(iterations=100), 25, 10**6) == 0.25
    boxed = short_run(iterations=100, minutes=2)
    assert progress_fraction(boxed, 25, 60.0) == 0.5
    assert progress_fraction(boxed, 75, 60.0) == 0.75
    assert progress_fraction(boxed, 75, 600.0) == 1.0


def test_the_log_drops_what_a_resumed_run_repeats(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    lines = [json.dumps({"iteration": step, "loss": 0.1}) for step in (100, 200, 300)]
    path.write_text("\n".join(lines) + '\n{"iteration": 400, "lo')  # killed while writing
    log = TrainingLog(path, iteration=200)
    log.append({"iteration": 300, "loss": 0.2})
    assert [(e["iteration"], e["loss"]) for e in read_log(path)] == [
        (100, 0.1), (200, 0.1), (300, 0.2),
    ]  # fmt: skip


def test_a_log_that_cannot_be_written_is_a_user_error(tmp_path: Path) -> None:
    log = TrainingLog(tmp_path / "log.jsonl", iteration=0)
    (tmp_path / "log.jsonl").unlink()
    (tmp_path / "log.jsonl").mkdir()
    with pytest.raises(UserError, match=r"cannot write .*log\.jsonl: Is a directory; make space"):
        log.append({"iteration": 1})


def test_throughput_leaves_judging_out() -> None:
    throughput = Throughput(iteration=100, elapsed_seconds=50.0)
    assert throughput.since_last(140, 60.0) == 4.0
    throughput.leave_out(5.0)
    assert throughput.since_last(160, 75.0) == 2.0
    assert throughput.since_last(160, 75.0) == 0.0


def test_progress_lines_come_every_half_minute(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [1000.0]
    monkeypatch.setattr("quant.training.progress.time.monotonic", lambda: now[0])
    report = Reporter(None)
    for seconds, fraction in ((0, 0.0), (20, 0.1), (40, 0.2), (60, 0.3), (80, 0.4)):
        now[0] = 1000.0 + seconds
        report.step(fraction, f"iteration {seconds}")
    assert capsys.readouterr().err.splitlines() == [
        " 20.0 %  iteration 40  about 3 min left",
        " 40.0 %  iteration 80  about 2 min left",
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": ()}, "training: expected at least one folder of images, got none; name one"),
        ({"iterations": 0}, "training: iterations must be at least 1, got 0; correct it"),
        ({"minutes": 0.0}, "training: minutes must be above 0, got 0.0; correct it"),
        (
            {"validate_minutes": -1.0},
            "training: validate_minutes must be above 0, got -1.0; correct it",
        ),
        (
            {"precision": "int8"},
            "training: precision must be one of auto, float32, bf16, got int8; correct it",
        ),
        ({"ema_decay": 1.0}, "training: ema_decay must be in 0..1, below 1, got 1.0; correct it"),
        ({"device": "tpu"}, "training: device must be one of auto, cpu, cuda, got tpu; correct it"),
    ],
)
def test_impossible_settings_are_user_errors(
    short_run: Configure, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(UserError) as caught:
        short_run(**changes)
    assert str(caught.value) == message
