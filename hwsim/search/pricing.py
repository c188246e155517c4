"""Cost tables made: every choice of every layer priced in the division of one policy."""

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hwsim.estimation import FixedDivision, OtherWidths
from hwsim.ledger import Record
from hwsim.schedule import ScheduleError
from hwsim.search.cost_records import record_to_table, table_to_record
from hwsim.search.cost_table import SUMMED, CostTable, Rooms
from hwsim.search.measurement import Count, Measurement, Meter, count_nothing
from hwsim.search.resource import Resource
from hwsim.search.rules import Group
from hwsim.search.survey import changed_policy
from quant.graph import GraphError
from quant.graph.widths import with_layer_bits
from quant.policy import BitPolicy, LayerBits

_NOT_DIVIDED = (("any",),)
"""`CostTable.parts` where images choose among graphs, which may be divided in several ways."""


def parts_of(meter: Meter, policy: BitPolicy) -> tuple[tuple[str, ...], ...]:
    """How a policy's graph is divided (`CostTable.parts`). Recorded like a measurement.

    Raises:
        ScheduleError: the machine has no room for the policy's graph.
        UserError: the policy's graph cannot be built.
    """
    if meter.is_adaptive:
        return _NOT_DIVIDED

    def divided() -> Record:
        return {"parts": [list(part) for part in meter.division(policy)[1].parts]}

    record = meter.recorded_of_costs("division", policy, "", divided)
    return tuple(tuple(part) for part in record["parts"])


def cost_table(
    meter: Meter,
    policy: BitPolicy,
    choices: Sequence[LayerBits],
    permitted: NDArray[np.bool_],
    groups: Sequence[Group],
    base: CostTable | None = None,
    count: Count = count_nothing,
) -> CostTable:
    """The costs of a policy's graph with each choice of one layer, its cascades kept.

    Recorded like a measurement.

    Args:
        meter: prices graphs.
        policy: at the center.
        choices: the columns.
        permitted: bool [layers, choices], what each layer may have.
        groups: positions of layers that have the same bits as one another. Where images choose
            among graphs, the first of a group stands for all of it.
        base: a table whose differences stand for choices that need other operators, such as the
            image in fewer bits; None: they are measured.
        count: called once for each layer.

    Raises:
        ScheduleError: the machine has no room for the policy's graph.
        UserError: the policy's graph cannot be built.
    """
    done = 0

    def counted() -> None:
        nonlocal done
        done += 1
        count()

    def priced() -> Record:
        if meter.is_adaptive:
            return table_to_record(_whole_table(meter, policy, choices, permitted, groups))
        pricing = _Pricing(meter, policy, choices, permitted, base)
        return table_to_record(pricing.table(counted))

    alike = groups if meter.is_adaptive else ()
    columns = json.dumps([[str(bits) for bits in choices], permitted.tolist(), alike])
    table = record_to_table(meter.recorded_of_costs("cost table", policy, columns, priced))
    for _ in range(len(permitted) - done):
        count()
    return table


def _whole_table(
    meter: Meter,
    policy: BitPolicy,
    choices: Sequence[LayerBits],
    permitted: NDArray[np.bool_],
    groups: Sequence[Group],
) -> CostTable:
    """Costs where images choose among graphs: each entry estimates all of them anew."""
    places = [
        (group, int(column)) for group in groups for column in np.flatnonzero(permitted[group[0]])
    ]
    policies = [
        changed_policy(meter.layers, policy, group, choices[column]) for group, column in places
    ]
    center, *found = meter.costs_of([policy, *policies])
    if center is None:
        raise ScheduleError(
            f"bit search: expected room for {policy.default} on the machine, found none; "
            "take a larger machine"
        )
    available = permitted.copy()
    change = {resource: np.zeros(permitted.shape, np.int64) for resource in SUMMED}
    sram = np.zeros(permitted.shape, np.int64)
    for (group, column), measured in zip(places, found, strict=True):
        available[list(group), column] = measured is not None
        if measured is not None:
            sram[list(group), column] = [measured.layer_sram_bytes[layer] for layer in group]
            for resource in SUMMED:
                difference = measured.cost(resource) - center.cost(resource)
                change[resource][group[0], column] = difference
    none = Rooms(
        np.zeros((0, *permitted.shape), np.int64), np.zeros(0, np.int64), meter.machine_sram_bytes
    )
    return CostTable(
        _NOT_DIVIDED,
        {resource: center.cost(resource) for resource in Resource},
        change,
        sram,
        np.ones(len(meter.layers), np.bool_),
        center.other_sram_bytes,
        available,
        none,
        none,
        0,
        np.zeros(permitted.shape, np.int64),
    )


class _Pricing:
    """Prices one choice of one layer after the other in a fixed division."""

    def __init__(
        self,
        meter: Meter,
        policy: BitPolicy,
        choices: Sequence[LayerBits],
        permitted: NDArray[np.bool_],
        base: CostTable | None,
    ) -> None:
        self._meter, self._policy, self._choices, self._base = meter, policy, choices, base
        self._graph, self._division = meter.division(policy)
        self._center = meter.priced(self._division.total)
        self._rooms = _Rooms(self._division, permitted.shape, lowest=False)
        self._low_rooms = _Rooms(self._division, permitted.shape, lowest=True)
        self._available = permitted.copy()
        self._change = {resource: np.zeros(permitted.shape, np.int64) for resource in SUMMED}
        self._sram = np.zeros(permitted.shape, np.int64)
        self._rank_change = np.zeros(permitted.shape, np.int64)

    def table(self, count: Count) -> CostTable:
        """The whole table; ``count`` is called after each layer."""
        for layer, row in enumerate(self._available.copy()):
            for column in np.flatnonzero(row):
                self._price(layer, int(column))
            count()
        room, alone = self._meter.machine_sram_bytes, self._division.alone
        return CostTable(
            self._division.parts,
            {resource: self._center.cost(resource) for resource in Resource},
            self._change,
            self._sram,
            np.array([layer in alone for layer in self._meter.layers]),
            self._center.other_sram_bytes,
            self._available,
            self._rooms.within(room),
            self._low_rooms.within(room),
            self._division.rank,
            self._rank_change,
        )

    def _price(self, layer: int, column: int) -> None:
        name, bits = self._meter.layers[layer], self._choices[column]
        try:
            widths = (bits.weight_bits, bits.activation_bits)
            changed = with_layer_bits(self._graph, {name: widths})
        except GraphError:
            self._price_other_operators(layer, column)
            return
        other = self._division.with_nodes(changed)
        cost = other.cost()
        if cost is None:
            self._available[layer, column] = False
            return
        self._enter(layer, column, self._meter.priced(cost))
        self._rank_change[layer, column] = other.rank_change()
        self._rooms.enter(layer, column, other)
        self._low_rooms.enter(layer, column, other)

    def _price_other_operators(self, layer: int, column: int) -> None:
        name, bits = self._meter.layers[layer], self._choices[column]
        own = self._policy.resolve(self._meter.layers)[name]
        if self._base is None or own not in self._choices:
            try:
                measured = self._meter.cost(self._policy.with_layer(name, bits))
            except ScheduleError:
                self._available[layer, column] = False
            else:
                self._enter(layer, column, measured)
            return
        from_own = self._choices.index(own)
        self._available[layer, column] = self._base.available[layer, [from_own, column]].all()
        for resource, table in self._base.change.items():
            self._change[resource][layer, column] = table[layer, column] - table[layer, from_own]
        ranks = self._base.rank_change[layer]
        self._rank_change[layer, column] = ranks[column] - ranks[from_own]
        self._sram[layer, column] = self._center.layer_sram_bytes[layer]

    def _enter(self, layer: int, column: int, measured: Measurement) -> None:
        self._sram[layer, column] = measured.layer_sram_bytes[layer]
        for resource in SUMMED:
            difference = measured.cost(resource) - self._center.cost(resource)
            self._change[resource][layer, column] = difference


class _Rooms:
    """The SRAM that each cascade of a division needs, one choice of one layer after the other."""

    def __init__(self, division: FixedDivision, shape: tuple[int, ...], *, lowest: bool) -> None:
        self._lowest = lowest
        self._center = division.needed_sram_bytes(lowest=lowest)
        self._row = {number: row for row, number in enumerate(self._center)}
        self._demand = np.zeros((len(self._row), *shape), np.int64)

    def enter(self, layer: int, column: int, other: OtherWidths) -> None:
        """What a choice needs that gives the graph these widths."""
        for number, size_bytes in other.needed_sram_bytes(lowest=self._lowest).items():
            self._demand[self._row[number], layer, column] = size_bytes - self._center[number]

    def within(self, room_bytes: int) -> Rooms:
        """The finished table, for a machine with so much SRAM."""
        return Rooms(self._demand, np.array(list(self._center.values()), np.int64), room_bytes)
