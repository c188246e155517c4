"""``hwsim doctor`` on the machine that runs this."""

from tests.e2e.conftest import Command


def test_it_is_one_json_object_and_the_status_is_0(hwsim: Command) -> None:
    finished = hwsim("doctor", "--json", "--quiet")

    assert (finished.status, finished.err) == (0, "")
    assert finished.json["kernels"]["compiled"]
    assert finished.json["torch"]["devices"][0] == "cpu"
    assert {program["name"] for program in finished.json["programs"]} >= {"verilator", "yosys"}


def test_it_says_what_works(hwsim: Command) -> None:
    finished = hwsim("doctor")

    assert finished.status == 0
    assert "instruction" not in finished.err
    assert "kernels use" in finished.out
    assert "generic" in finished.out
