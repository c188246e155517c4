"""How many examples property tests draw; HWSIM_TEST_EFFORT multiplies it for a long run."""

import os

from hypothesis import settings

_EFFORT = int(os.environ.get("HWSIM_TEST_EFFORT", "1"))


def effort(examples: int) -> settings:
    """Settings for a test of that many examples, without a deadline: machines are often busy."""
    return settings(max_examples=examples * _EFFORT, deadline=None)
