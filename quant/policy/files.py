"""Bit policies from YAML files, with the line in every message."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pydantic import Field

from quant.common.errors import UserError
from quant.common.schemas import Schema, validate_document
from quant.common.yaml_documents import Document, Location, read_document
from quant.policy.bits import LayerBits
from quant.policy.policy import BitPolicy, Override

SUFFIXES = (".yaml", ".yml")

GivenT = TypeVar("GivenT")
MadeT = TypeVar("MadeT")


class PolicySchema(Schema):
    """The keys of a policy file."""

    default: str
    """Bits of a layer nothing else is said about: w4a4, or w4a4/all for the edges too."""
    first_and_last: str | None = None
    """Bits of the first and last layer; without it, at least 8 and 8."""
    layers: dict[str, str] = Field(default_factory=dict)
    """Exceptions: the path or a pattern of layers, and their bits; the last that fits counts."""
    residual_bits: int | None = None
    """Bits of feature maps that take part in additions; without it, 12 or as many as the default's
    activations if those have more."""


def read_policy(path: Path) -> BitPolicy:
    """The policy in a YAML file.

    Raises:
        UserError: the file cannot be read or breaks the schema; the message has its line.
    """
    document = read_document(path, "bit policy")
    record = validate_document(document, PolicySchema)
    policy = _at(document, ("default",), BitPolicy.parse, record.default)
    if record.first_and_last is not None:
        edges = _at(document, ("first_and_last",), LayerBits.parse, record.first_and_last)
        policy = replace(policy, first_and_last=edges)
    overrides = tuple(_override(document, pattern, bits) for pattern, bits in record.layers.items())
    policy = replace(policy, overrides=overrides)
    if record.residual_bits is None:
        return policy
    return _at(
        document,
        ("residual_bits",),
        lambda bits: replace(policy, residual_bits=bits),
        record.residual_bits,
    )


def _override(document: Document, pattern: str, bits: str) -> Override:
    location: Location = ("layers", pattern)
    return Override(
        pattern, _at(document, location, LayerBits.parse, bits), source=document.where(location)
    )


def _at(
    document: Document, location: Location, make: Callable[[GivenT], MadeT], given: GivenT
) -> MadeT:
    """Make a value, with the line it stands on in front of whatever is wrong with it."""
    try:
        return make(given)
    except UserError as error:
        raise UserError(f"{document.where(location)}: {error}") from error
