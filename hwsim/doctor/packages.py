"""Which Python packages are installed, by what they are needed for."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROGRAM = "hwsim"
_EXTRA = re.compile(r"""extra\s*==\s*['"]([\w-]+)['"]""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package that something needs.

    Attributes:
        name: as its index knows it.
        version: that is installed; None where none is.
        required: versions that do, such as ``>=1.17``; empty for any.
        fits: whether a version is installed that does.
    """

    name: str
    version: str | None
    required: str
    fits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """What can be installed beside the program.

    Attributes:
        name: of the extra.
        complete: whether all of its packages are there.
        packages: that it brings.
        install: the command that installs what is missing.
    """

    name: str
    complete: bool
    packages: tuple[Package, ...]
    install: str


def required_packages() -> tuple[Package, ...]:
    """What the program cannot do without; nothing where it was not installed but unpacked."""
    return tuple(_package(need) for need in _requirements() if not _extras_of(need))


def extras() -> tuple[Extra, ...]:
    """Every extra of the program; none where it was not installed but unpacked."""
    needs: dict[str, list[Requirement]] = {}
    for need in _requirements():
        for name in _extras_of(need):
            needs.setdefault(name, []).append(need)
    return tuple(_extra(name, needs[name]) for name in sorted(needs))


def _requirements() -> Iterator[Requirement]:
    try:
        lines = metadata.requires(PROGRAM) or ()
    except metadata.PackageNotFoundError:
        return
    yield from sorted(map(Requirement, lines), key=lambda need: need.name.lower())


def _extras_of(need: Requirement) -> list[str]:
    return _EXTRA.findall(str(need.marker)) if need.marker else []


def _extra(name: str, needs: Iterable[Requirement]) -> Extra:
    packages = tuple(map(_package, needs))
    return Extra(
        name=name,
        complete=all(package.fits for package in packages),
        packages=packages,
        install=f"pip install '{PROGRAM}[{name}]'",
    )


def _package(need: Requirement) -> Package:
    try:
        version = metadata.version(canonicalize_name(need.name))
    except metadata.PackageNotFoundError:
        version = None
    return Package(
        name=need.name,
        version=version,
        required=str(need.specifier),
        fits=version is not None and need.specifier.contains(version, prereleases=True),
    )
