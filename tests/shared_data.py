"""Where the benchmark images and published weights are, for tests that compare with them."""

import os
from pathlib import Path

import pytest

_VARIABLE = "HWSIM_SHARED_DATA"
_BESIDE_THE_CHECKOUT = Path(__file__).resolve().parents[2] / "shared" / "data"


def shared_file(*parts: str) -> Path:
    """A file or folder of the shared data; skips the test, naming it, where it is absent."""
    root = Path(os.environ.get(_VARIABLE, _BESIDE_THE_CHECKOUT))
    path = root.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"needs {'/'.join(parts)}: set {_VARIABLE} to the shared data folder")
    return path
