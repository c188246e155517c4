"""From measured points to factors that the schema accepts and that price like the points."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accelerators.catalog import load_datapath_factors
from accelerators.datapath_factors import DatapathFactors
from accelerators.synthesis.liberty import Library
from hwsim.calibration.factors import Study, factors_document
from hwsim.calibration.files import write_factors, write_points
from hwsim.calibration.fits import evaluated, fitted, largest_error
from quant.common.errors import UserError
from tests.unit.accelerators.synthesis.small_library import small_library
from tests.unit.calibration.measured_points import everything


@pytest.fixture
def study(tmp_path: Path) -> Study:
    library = Library(small_library(tmp_path))
    return Study("mine", library, 180, ("yosys 1",), "edsr_tiny_x2 on sample", "hwsim calibrate")


@pytest.fixture
def factors(study: Study) -> DatapathFactors:
    return DatapathFactors.model_validate(factors_document(everything(), study))


@settings(deadline=None)  # the first call imports scipy
@given(
    st.tuples(*[st.floats(0.5, 50) for _ in range(4)]),
    st.sampled_from([("constant", "per_bit_pair"), ("per_weight_bit", "constant", "per_bit_pair")]),
)
def test_a_sum_of_terms_is_found_again(values: tuple[float, ...], terms: tuple[str, ...]) -> None:
    fit = dict(zip(terms, values, strict=False))
    figures = [(w, a, evaluated(fit, w, a)) for w in (1, 3, 8) for a in (2, 5)]
    found = fitted(figures, terms)
    assert largest_error(figures, found) < 1e-2
    assert all(found[term] == pytest.approx(fit[term], rel=0.05) for term in terms)


def test_no_coefficient_is_below_zero() -> None:
    assert fitted([(1, 1, 8.0), (2, 2, 5.0), (4, 4, 1.0)], ("constant", "per_bit"))["constant"] > 0


def test_energies(factors: DatapathFactors) -> None:
    energy = factors.of("output_stationary")
    assert energy.reference_pj == 10 + 16 + 32
    assert energy.by_widths is not None
    assert energy.by_widths.weight_bits == energy.by_widths.activation_bits == (2, 4, 8)
    assert energy.at_pj(3, 6) == pytest.approx(10 + 9 + 9)
    assert factors.relative("output_stationary", 4, 8) == pytest.approx(
        (10 + 12 + 16) / 58, rel=1e-3
    )
    assert factors.relative("bit_serial", 4, 8) == pytest.approx(6 * 32 / 58, rel=1e-3)
    assert (4.0, 8.0, 19.0) in energy.recorded_pj


def test_clock_and_static_parts(factors: DatapathFactors) -> None:
    assert factors.clock.pj_per_flop == pytest.approx(0.2)
    # 3 (w + a) + 28 flip-flops, of which 40 are accumulator and drain
    own = factors.own_clock_relative("output_stationary", 4, 8)
    assert own == pytest.approx(0.2 * 64 / 58, rel=1e-3)
    assert factors.static_relative("output_stationary", 4, 8) == pytest.approx(own, rel=1e-3)
    # a machine's accumulator of 40 bits instead of 28, and a drain as wide
    element = factors.element_clock_relative("output_stationary", 8, 8, 40)
    assert element == pytest.approx(0.2 * (3 * 16 + 28 + 24) / 58, rel=1e-3)
    assert factors.element_clock_relative("bit_serial", 8, 8, 40) == 0


def test_areas(factors: DatapathFactors) -> None:
    assert factors.area_ge("output_stationary", 8, 4) == pytest.approx(100 + 240 + 288, rel=1e-3)
    area = factors.area_of("output_stationary")
    assert (area.drain, area.accumulator_bit_ge) == ("inside", 25)
    assert factors.area_ge("bit_serial", 8, 8) == 100  # a lane's share of 1600
    assert factors.has_drain_inside("bit_serial")
    assert factors.parts is not None
    assert factors.parts.cells.flip_flop_ge == 3  # 6 of 2
    assert factors.parts.accumulator.ge_per_bit == 6 + 3
    assert factors.parts.multiplier_ge(4, 4) == 16
    assert factors.parts.requantizer_ge(28, 8) == 4000


def test_requantizers(factors: DatapathFactors) -> None:
    assert factors.requantizer_by_bit_product.at(1024) == 900
    assert factors.requantizer_reference_pj == 58


def test_provenance(factors: DatapathFactors, study: Study) -> None:
    provenance = factors.provenance
    assert provenance is not None
    assert provenance.library_sha256 == study.library.sha256
    assert (provenance.library, provenance.supply_v) == ("small", 2.0)
    assert provenance.tools == ("yosys 1",)
    assert "edsr_tiny_x2 on sample" in provenance.operands[1]


def test_without_a_node_there_are_no_parts(study: Study) -> None:
    document = factors_document(everything(), replace(study, technology_nm=None))
    assert "parts" not in document


def test_without_8_by_8_bits_nothing_is_relative(study: Study) -> None:
    points = [point for point in everything() if point.weight_bits != 8]
    with pytest.raises(UserError) as error:
        factors_document(points, study)
    assert str(error.value) == (
        "factors are relative to 8 x 8 bits, but 8 is not among the widths; add it to --widths"
    )


def test_files(study: Study, factors: DatapathFactors, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    write_factors(path, factors_document(everything(), study))
    assert load_datapath_factors(path) == factors
    table = tmp_path / "mine.csv"
    write_points(table, everything())
    lines = table.read_text().splitlines()
    assert len(lines) == 1 + len(everything())
    assert lines[0].startswith("datapath,weight_bits,activation_bits,operands,unit,area_ge")
    assert lines[1] == (
        "output_stationary,2,2,random,output_stationary_w2_a2,216,10,40,1,8,12,16,8"
    )
