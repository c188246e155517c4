"""The cost chart as a file."""

from pathlib import Path

import pytest
from PIL import Image

from hwsim.cost import ProgramCost
from hwsim.report.charts import write_cost_chart
from tests.unit.report.conftest import Priced


@pytest.mark.parametrize("copies", [1, 12])
def test_a_row_for_each_layer_however_many(priced: Priced, tmp_path: Path, copies: int) -> None:
    cost = priced.cost
    many = ProgramCost(cost.groups * copies, cost.mac_slots_per_cycle, cost.clock_mhz)
    path = tmp_path / "cost.png"

    write_cost_chart(path, priced.result, many)

    with Image.open(path) as chart:
        assert chart.format == "PNG"
        assert chart.height >= 25 * len(many.groups)
