"""The page of model limits leaves nothing out that the code leaves out."""

from pathlib import Path

import pytest

from tests.limit_lists import area_list, energy_list, tables_list, unpriced_list

PAGE = (Path(__file__).parents[2] / "docs" / "model-limits.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", [energy_list(), unpriced_list(), tables_list(), area_list()])
def test_each_list_is_that_of_the_code(text: str) -> None:
    assert f"\n\n{text}\n\n" in PAGE, "python -m tests.limit_lists prints what should stand there"
