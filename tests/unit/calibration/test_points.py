"""What is measured, and operands of a network as an array is fed with them."""

import numpy as np
import pytest

from accelerators.synthesis.output_units import OUTPUT_KINDS
from accelerators.synthesis.products import Product
from accelerators.synthesis.stationary_units import STATIONARY_KINDS
from hwsim.calibration.points import LANES, RANDOM, RECORDED, Point, points
from hwsim.calibration.recorded import Recording, record
from hwsim.calibration.records import NetworkRecords
from quant.common.errors import UserError
from quant.graph import Graph
from tests.edsr_graphs import edsr_graph


def unrecorded(*_: int) -> None:
    """A network without operands."""


def test_every_kind_at_every_width() -> None:
    found = points(range(1, 17), unrecorded)
    squares = {
        (point.datapath, point.weight_bits)
        for point in found
        if point.weight_bits == point.activation_bits
    }
    for datapath in ("output_stationary", "weight_stationary", "activation_serial", "bit_serial"):
        assert {bits for kind, bits in squares if kind == datapath} == {*range(1, 17)}
    assert {point.datapath for point in found} == {
        *OUTPUT_KINDS,
        *STATIONARY_KINDS,
        *("multiplier", "adder", "wider_accumulator", "requantizer", "vector_lane"),
        *(
            f"{kind}, {lanes} lanes"
            for kind in ("activation_serial", "bit_serial")
            for lanes in LANES
        ),
    }


def test_serial_units_serve_many_widths() -> None:
    found = points((2, 4, 8), unrecorded)
    units = {point.unit.name for point in found if point.datapath == "activation_serial"}
    assert units == {f"activation_serial_w{bits}" for bits in (2, 4, 8)}
    assert {point.unit.name for point in found if point.datapath == "bit_serial"} == {"bit_serial"}


@pytest.mark.parametrize("datapath", [*OUTPUT_KINDS, *STATIONARY_KINDS])
def test_operands_fit_their_ports(datapath: str) -> None:
    """Every port is fed, with integers of its width."""
    found = [point for point in points((2, 4), unrecorded) if point.datapath == datapath]
    point = next(each for each in found if each.operands == RANDOM)
    trial = point.trial()
    assert trial is not None
    assert {*trial.stimulus} == {*point.unit.inputs}
    for port, values in trial.stimulus.items():
        bits = point.unit.inputs[port]
        assert values.dtype == np.int64
        assert values.min() >= -(1 << (bits - 1) if bits > 1 else 0), port
        assert bits >= 63 or values.max() < 1 << bits, port
    assert {expected.port for expected in trial.expected} <= {*point.unit.outputs}
    assert trial.operations > 0


def recorded_point(datapath: str, recording: Recording) -> Point:
    found = points((2,), lambda *_: recording)
    return next(
        point for point in found if (point.datapath, point.operands) == (datapath, RECORDED)
    )


def test_terms_of_recorded_weights_add_up() -> None:
    """A term of 2 bits has exponents 0 and 1; weights of 2 bits take one term each."""
    weights = np.array([[1, -2], [0, -1]])
    product = Product(np.ones((3, 2), np.int64), weights, 2, 2, is_signed=False)
    trial = recorded_point("shift_add", Recording((product,), None, None)).trial()  # type: ignore[arg-type]
    assert trial is not None
    words = np.unique(trial.stimulus["weights_0"])
    # {present, negative, exponent}: 1, -2 and -1, and none
    assert set(words) == {0b000, 0b100, 0b111, 0b110}


def test_a_network_s_operands() -> None:
    graph = edsr_graph()
    image = np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype(np.int32)
    recording = record(graph, image)
    shapes = {product.weights.shape for product in recording.products}
    assert len(shapes) == 1
    product = recording.products[0]
    assert product.activations.shape == (512, next(iter(shapes))[0])
    sums = product.activations[:200] @ product.weights[:, 0]
    assert np.array_equal(recording.sums.first[:, 0], sums)
    assert recording.additions is not None


def test_a_picture_that_is_too_small() -> None:
    image = np.zeros((16, 16, 3), np.int32)
    with pytest.raises(UserError) as error:
        record(edsr_graph(), image)
    assert str(error.value) == (
        "a picture of 16 x 16 pixels is too small to record 512 of them from its middle on; give "
        "a larger one"
    )


def test_widths_that_no_layer_has_are_passed_over() -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype(np.int32)
    asked: list[str] = []

    def quantize(bits: str) -> Graph:
        asked.append(bits)
        return edsr_graph()

    records = NetworkRecords(quantize, image)
    product = record(edsr_graph(), image).products[0]
    assert records(product.weight_bits, product.activation_bits) is not None
    assert records(1, 1) is None
    assert records(1, 1) is None
    assert asked == [f"w{product.weight_bits}a{product.activation_bits}", "w1a1"]
