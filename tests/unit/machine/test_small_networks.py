"""Small stand-ins of networks beyond EDSR: the machine against the reference, strip by strip."""

from collections.abc import Callable

import numpy as np
import pytest

from hwsim.machine import REFERENCE, execute, run_layerwise
from hwsim.schedule import schedule
from hwsim.simulation import estimate, simulate
from quant.common.codes import CodeKind
from quant.graph import (
    Add,
    AveragePool,
    Concatenate,
    Convolution,
    Graph,
    Input,
    IntegerType,
    Multiply,
    NearestResize,
    Node,
    Operator,
    Padding,
    ParametricRelu,
    Requantization,
    Requantize,
    Size,
    Statistics,
    TensorType,
    TransposedConvolution,
    verify,
)
from tests.machines import machine, prices

S8 = IntegerType(8, CodeKind.SIGNED)
SUM = IntegerType(40, CodeKind.SIGNED)
ZERO = np.zeros(1, np.int64)


def _scaling(scale: float, channels: int = 1) -> Requantization:
    """Rescaling of sums by about a factor, a little different for each channel."""
    multiplier = np.round(scale * 2**24 * np.linspace(0.8, 1.2, channels)).astype(np.int64)
    return Requantization(multiplier, np.full(channels, 24), 0, S8.low, S8.high)


class _Network:
    """Appends nodes, each named by its kind and number."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(11)
        self.nodes = [Node("image", Input(), (), TensorType(3, S8))]

    def add(
        self, operator: Operator, inputs: tuple[str, ...], channels: int, integer: IntegerType = S8
    ) -> str:
        name = f"{operator.kind}{len(self.nodes)}"
        self.nodes.append(Node(name, operator, inputs, TensorType(channels, integer)))
        return name

    def weights(self, *shape: int) -> np.ndarray:
        return self.random.integers(-8, 8, shape)

    def convolution(
        self,
        source: str,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: int = 1,
        groups: int = 1,
    ) -> str:
        weight = self.weights(outputs, kernel, kernel, inputs // groups)
        bias = self.random.integers(-99, 99, outputs)
        scale = 0.1 / np.sqrt(weight[0].size)
        return self.add(
            Convolution(
                weight,
                IntegerType(4, CodeKind.SIGNED),
                bias,
                Padding.even(kernel // 2, kernel // 2),
                ZERO,
                _scaling(scale, outputs),
                (stride, stride),
                groups=groups,
            ),
            (source,),
            outputs,
        )

    def prelu(self, source: str, channels: int) -> str:
        slope = self.random.integers(-100, 100, channels)
        operator = ParametricRelu(0, slope, _scaling(1), _scaling(0.01))
        return self.add(operator, (source,), channels)

    def sum(self, one: str, other: str, channels: int) -> str:
        return self.add(Add((1, 1), 0, _scaling(0.7)), (one, other), channels)

    def graph(self) -> Graph:
        return verify(Graph.build("network", self.nodes, self.nodes[-1].name))


def srresnet() -> Graph:
    """A residual block with PReLU."""
    net = _Network()
    head = net.prelu(net.convolution("image", 3, 12), 12)
    inner = net.prelu(net.convolution(head, 12, 12), 12)
    body = net.sum(net.convolution(inner, 12, 12), head, 12)
    net.convolution(body, 12, 3)
    return net.graph()


def rdn() -> Graph:
    """A dense block: everything before is concatenated, a 1x1 convolution joins it."""
    net = _Network()
    head = net.convolution("image", 3, 8)
    first = net.convolution(head, 8, 5)
    dense = net.add(Concatenate(), (head, first), 13)
    second = net.convolution(dense, 13, 5)
    everything = net.add(Concatenate(), (head, first, second), 18)
    net.sum(net.convolution(everything, 18, 8, kernel=1), head, 8)
    return net.graph()


def mobile() -> Graph:
    """Depthwise and pointwise convolutions beside an enlarged image, and channel attention."""
    net = _Network()
    wide = net.convolution("image", 3, 16)
    deep = net.convolution(net.convolution(wide, 16, 16, groups=16), 16, 16, kernel=1)
    total = net.add(Statistics("sum"), (deep,), 16, SUM)
    mean = net.add(Requantize(ZERO, _scaling(1 / 500)), (total,), 16)
    factor = net.convolution(mean, 16, 16, kernel=1)
    scaled = net.add(Multiply((0, 100), _scaling(0.01)), (deep, factor), 16)
    narrow = net.convolution(scaled, 16, 3)
    enlarged = net.add(NearestResize(2), (narrow,), 3)
    net.sum(enlarged, net.add(NearestResize(2), ("image",), 3), 3)
    return net.graph()


def fsrcnn() -> Graph:
    """Halved by a stride and an average pool, enlarged by a transposed convolution."""
    net = _Network()
    small = net.prelu(net.convolution("image", 3, 12, kernel=5, stride=2), 12)
    pooled = net.add(AveragePool((2, 2), (1, 1), 2, _scaling(0.25)), (small,), 12)
    weight = net.weights(3, 4, 4, 12)
    bias = net.random.integers(-99, 99, 3)
    net.add(
        TransposedConvolution(
            weight,
            IntegerType(4, CodeKind.SIGNED),
            bias,
            (2, 2),
            Padding.even(2, 2),
            ZERO,
            _scaling(0.01, 3),
        ),
        (pooled,),
        3,
    )
    return net.graph()


@pytest.mark.parametrize("build", [srresnet, rdn, mobile, fsrcnn])
@pytest.mark.parametrize("sram_kib", [4, 16])
def test_the_machine_computes_the_graph(build: Callable[[], Graph], sram_kib: int) -> None:
    graph, accelerator = build(), machine(sram_kib, array=8)
    image = np.random.default_rng(5).integers(-128, 128, (19, 31, 3), np.int32)
    energy = prices(accelerator)
    simulation = simulate(graph, accelerator, energy, image)
    np.testing.assert_array_equal(simulation.output, run_layerwise(graph, image, REFERENCE))
    assert len(np.unique(simulation.output)) > 20
    assert simulation.cost == estimate(graph, accelerator, energy, Size(19, 31)).cost


def test_a_statistic_gathers_all_strips() -> None:
    net = _Network()
    net.add(Statistics("sum"), ("image",), 3, SUM)
    graph, accelerator = net.graph(), machine(1, array=8)
    image = np.random.default_rng(5).integers(-128, 128, (40, 170, 3), np.int32)
    program = schedule(graph, accelerator, Size(40, 170))
    assert program.groups[0].tiling.columns < 170
    assert program.tensors[graph.output].size_bytes == 32  # 15 bytes in a burst
    output = execute(program, accelerator, image).output
    assert output.tolist() == [[image.sum(axis=(0, 1)).tolist()]]
