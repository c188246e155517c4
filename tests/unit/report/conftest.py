"""A small network, scheduled and priced once."""

from dataclasses import dataclass

import pytest

from accelerators import EnergyModel, load_accelerator, load_energy_table
from hwsim.cost import ProgramCost
from hwsim.report.result import Result, result_from_cost
from hwsim.simulation import Estimate, estimate
from quant.graph import Graph, Size
from tests.edsr_graphs import edsr_graph


@dataclass(frozen=True)
class Priced:
    graph: Graph
    energy: EnergyModel
    estimate: Estimate
    result: Result

    @property
    def cost(self) -> ProgramCost:
        return self.estimate.cost


@pytest.fixture(scope="package")
def priced() -> Priced:
    bits = {"head": (8, 8), "block0.conv1": (4, 6), "block0.conv2": (2, 4), "body_end": (8, 3),
            "upsampler": (1, 1), "tail": (8, 8)}  # fmt: skip
    graph = edsr_graph(1, 8, bits=bits)
    accelerator = load_accelerator("tiny_npu")
    energy = EnergyModel(accelerator, load_energy_table("horowitz45"))
    estimated = estimate(graph, accelerator, energy, Size(18, 26))
    result = result_from_cost(graph, estimated.program, estimated.cost, energy)
    return Priced(graph, energy, estimated, result)
