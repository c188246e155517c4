"""Names that are to be given once."""

from collections.abc import Sequence

from quant.common.errors import UserError


def distinct(names: Sequence[str], what: str) -> tuple[str, ...]:
    """The names, each of which is there once.

    Args:
        names: what was given.
        what: what they name, for messages.

    Raises:
        UserError: one is there twice.
    """
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"{what} '{name}': expected each {what} once; leave out the second")
    return tuple(names)
