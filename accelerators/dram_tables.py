"""DRAM tables as data: the schema of ``configs/energy_tables/dram/``.

What a memory device and its interface cost does not depend on the node of the accelerator's
logic, so these tables stand apart and are never scaled.
"""

from typing import Annotated

from pydantic import Field

from accelerators.energy_tables import Version
from accelerators.schema import LongText, ShortText
from quant.common.schemas import Schema


class DramTable(Schema):
    """Energies of one kind of off-chip memory."""

    name: ShortText
    """Name of the table; a shipped table's file has the same name."""
    version: Version = 1
    """Grows with every change of a figure."""
    description: LongText
    """What the memory is, in a sentence."""
    source: LongText
    """Where the figures come from."""
    energy_pj_per_bit: Annotated[float, Field(gt=0, le=1000)]
    """Energy to move one bit."""
    activate_pj: Annotated[float, Field(gt=0, le=1e6)] | None = None
    """Energy to open and close a page (row); None where it is inside the energy of a bit."""
    page_bytes: Annotated[int, Field(ge=64, le=65536)] | None = None
    """Bytes of a page."""
    standby_mw: Annotated[float, Field(ge=0, le=1e5)] | None = None
    """Power while nothing is moved: standby and refresh; None where no figure is given."""
