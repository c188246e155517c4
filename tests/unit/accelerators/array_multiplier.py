"""Toggles of an array multiplier made of AND gates and full adders, all delays zero.

An independent check of the toggle model, on another netlist than the one it was calibrated on.
"""

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Net = NDArray[np.bool_]


def toggles_per_operation(weights: Integers, activations: Integers, bits: int = 8) -> float:
    """Mean changes of all nets from one pair of signed operands to the next.

    A modified Baugh-Wooley array: partial products of one sign bit are inverted, and two constant
    ones correct for them. Columns are summed by full adders of two XOR, two AND and an OR gate.
    """
    nets: list[Net] = []

    def net(values: Net) -> Net:
        nets.append(values)
        return values

    columns: list[list[Net]] = [[] for _ in range(2 * bits + 1)]
    for i in range(bits):
        for j in range(bits):
            product = _bit(weights, i) & _bit(activations, j)
            inverted = (i == bits - 1) != (j == bits - 1)
            columns[i + j].append(net(~product if inverted else product))
    ones = np.ones(len(weights), np.bool_)
    columns[bits].append(ones)
    columns[2 * bits - 1].append(ones)
    for column in range(2 * bits):
        queue, carries = columns[column], columns[column + 1]
        while len(queue) >= 3:
            x, y, z = queue.pop(0), queue.pop(0), queue.pop(0)
            half = net(x ^ y)
            queue.append(net(half ^ z))
            carries.append(net(net(x & y) | net(half & z)))
        if len(queue) == 2:
            x, y = queue.pop(0), queue.pop(0)
            queue.append(net(x ^ y))
            carries.append(net(x & y))
    mask = (1 << 2 * bits) - 1
    found = sum(queue[0].astype(np.int64) << place for place, queue in enumerate(columns[:-1]))
    assert np.array_equal(np.asarray(found) & mask, (weights * activations) & mask)
    changed = sum(int(np.count_nonzero(values[1:] != values[:-1])) for values in nets)
    return changed / (len(weights) - 1)


def _bit(integers: Integers, place: int) -> Net:
    return (integers >> place & 1).astype(np.bool_)
