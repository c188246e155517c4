"""Folders of variants are named after them."""

from dataclasses import replace

from hwsim.cli.codesign_files import variant_folders
from hwsim.search.codesign import CodesignResult
from tests.small_codesign import small_codesign


def named(*labels: str) -> CodesignResult:
    """A result whose variants recommend something and have these labels."""
    outcome = small_codesign().outcomes[0]
    return CodesignResult(
        tuple(replace(outcome, variant=replace(outcome.variant, label=label)) for label in labels)
    )


def test_each_variant_that_recommends_something_has_a_folder() -> None:
    folders = variant_folders(small_codesign())

    assert len(folders) == len(set(folders.values())) == 4
    name = "edge_npu_array.columns=4_scheduling.fusion=false_array.rows=32_clock_mhz=200_b_dark_b"
    assert name in folders.values()


def test_names_of_files_are_neither_shared_nor_long() -> None:
    labels = ("a[b=1], m", "a(b=1), m", "x" * 300, "x" * 301, "../..")

    folders = variant_folders(named(*labels))

    assert folders["a[b=1], m"] == "a_b=1_m"
    names = list(folders.values())
    assert len(set(names)) == len(labels)
    assert all(0 < len(name) < 140 and "/" not in name and name.strip(".") for name in names)
