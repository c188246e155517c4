from concurrent.futures import ThreadPoolExecutor

import pytest
from numba import config

from hwsim.arithmetic._threads import default_threads, one_thread


def test_kernels_of_one_thread_leave_the_others_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "NUMBA_NUM_THREADS", 5)
    with ThreadPoolExecutor(1) as elsewhere:
        with one_thread():
            assert default_threads() == 1
            assert elsewhere.submit(default_threads).result() == 5
        assert default_threads() == 5
