from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from quant.imaging import sample_photograph, write_png
from quant.training import TrainingConfig


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny tensors gain nothing from threads, and lose much where other tests run beside."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def real_curve() -> None:
    """Asked for by the test that looks at the curve."""


@pytest.fixture(autouse=True)
def _no_curve(request: pytest.FixtureRequest) -> Iterator[None]:
    """Drawing takes longer than a tiny run; only one test has to pay for it."""
    with pytest.MonkeyPatch.context() as patch:
        if "real_curve" not in request.fixturenames:
            patch.setattr("quant.training.loop.draw_curve", lambda log, path: None)
        yield


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder of three small photographs."""
    folder = tmp_path / "pictures"
    for name in ("coffee", "chelsea", "rocket"):
        write_png(
            folder / f"{name}.png", np.ascontiguousarray(sample_photograph(name)[90:130, 90:140])
        )
    return folder


@pytest.fixture
def short_run(images: Path, tmp_path: Path) -> Callable[..., TrainingConfig]:
    """A run of six tiny steps into a folder of the given name; any setting can be changed."""

    def configure(output: str = "out", **changes: object) -> TrainingConfig:
        settings: dict[str, object] = {
            "network": "edsr_tiny_x2", "images": (images,), "output": tmp_path / output,
            "iterations": 6, "batch": 2, "patch": 8, "warmup": 2, "device": "cpu",
            "precision": "float32",
        }  # fmt: skip
        return TrainingConfig(**(settings | changes))  # type: ignore[arg-type]

    return configure
