"""The ending of a search that has nothing to recommend, though what was asked makes sense."""

from quant.common.errors import UserError


class NoPolicyError(UserError):
    """No policy fits the machine, or none keeps to the limits on it; another machine may do."""
