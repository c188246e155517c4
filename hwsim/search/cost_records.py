"""Cost tables as JSON values, for the ledger."""

from typing import Any

import numpy as np

from hwsim.ledger import Record
from hwsim.search.cost_table import CostTable, Rooms
from hwsim.search.resource import Resource


def table_to_record(table: CostTable) -> Record:
    """A table as JSON values; `record_to_table` makes the same table of them."""
    return {
        "parts": [list(part) for part in table.parts],
        "base": {resource.value: cost for resource, cost in table.base.items()},
        "change": {resource.value: change.tolist() for resource, change in table.change.items()},
        "sram": table.sram.tolist(),
        "alone": table.alone.tolist(),
        "other_sram": table.other_sram,
        "available": table.available.tolist(),
        "rooms": _rooms_to_record(table.rooms),
        "low_rooms": _rooms_to_record(table.low_rooms),
        "rank": table.rank,
        "rank_change": table.rank_change.tolist(),
    }


def record_to_table(record: Record) -> CostTable:
    """The table of a record."""
    available = np.array(record["available"], np.bool_)
    return CostTable(
        tuple(tuple(part) for part in record["parts"]),
        {Resource(name): cost for name, cost in record["base"].items()},
        {Resource(name): np.array(rows, np.int64) for name, rows in record["change"].items()},
        np.array(record["sram"], np.int64),
        np.array(record["alone"], np.bool_),
        record["other_sram"],
        available,
        _record_to_rooms(record["rooms"], available.shape),
        _record_to_rooms(record["low_rooms"], available.shape),
        record["rank"],
        np.array(record["rank_change"], np.int64),
    )


def _rooms_to_record(rooms: Rooms) -> Record:
    return {
        "demand": rooms.demand.tolist(),
        "center": rooms.center.tolist(),
        "machine_bytes": rooms.machine_bytes,
    }


def _record_to_rooms(record: Any, shape: tuple[int, ...]) -> Rooms:
    demand = np.array(record["demand"], np.int64).reshape(-1, *shape)
    return Rooms(demand, np.array(record["center"], np.int64), record["machine_bytes"])
