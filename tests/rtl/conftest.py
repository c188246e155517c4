import os
from collections.abc import Iterator
from unittest.mock import patch

import pytest


@pytest.fixture(scope="session", autouse=True)
def built_simulations(pytestconfig: pytest.Config) -> Iterator[None]:
    """Keep what is built in pytest's own cache, so that the next run finds it."""
    folder = str(pytestconfig.cache.mkdir("built"))  # type: ignore[union-attr]
    with patch.dict(os.environ, {"XDG_CACHE_HOME": folder}):
        yield
