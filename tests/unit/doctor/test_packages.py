"""Which packages are there, from what the installed program says it needs."""

from importlib import metadata

import pytest

from hwsim.doctor.packages import extras, required_packages

NEEDS = [
    "numpy>=1.26",
    "no-such-thing>=2",
    'pytest>=1; extra == "dev"',
    'pytest>=9999; extra == "future"',
    'no_such-thing; extra == "other"',
]


@pytest.fixture(autouse=True)
def needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "requires", lambda name: NEEDS)


def test_what_it_cannot_do_without() -> None:
    missing, numpy = required_packages()

    assert (missing.name, missing.version, missing.required, missing.fits) == (
        "no-such-thing", None, ">=2", False,
    )  # fmt: skip
    assert (numpy.version, numpy.fits) == (metadata.version("numpy"), True)


def test_extras_are_complete_where_every_package_is_there_and_new_enough() -> None:
    found = {extra.name: extra for extra in extras()}

    assert {name: extra.complete for name, extra in found.items()} == {
        "dev": True, "future": False, "other": False,
    }  # fmt: skip
    (old,) = found["future"].packages
    assert (old.version, old.required, old.fits) == (metadata.version("pytest"), ">=9999", False)
    assert found["other"].install == "pip install 'hwsim[other]'"


def test_where_it_was_only_unpacked_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> list[str]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", unknown)

    assert (required_packages(), extras()) == ((), ())
