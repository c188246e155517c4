import numpy as np
import pytest

from hwsim.search.pairs import PairTerms, between_groups, stacked, within_group
from hwsim.search.resource import Resource
from quant.common.errors import UserError

LAYERS = ("head", "body", "tail")
TABLE = np.array([[0, 1, 2], [10, 11, 12], [20, 21, 22]])


def test_totals_add_the_entry_of_every_pair_of_each_policy() -> None:
    terms = PairTerms({(0, 1): TABLE, (1, 2): 100 * TABLE}, {Resource.ENERGY: {(0, 2): TABLE}})
    columns = np.array([[1, 2, 0], [0, 0, 1]])
    np.testing.assert_array_equal(terms.totals(None, columns), [12 + 2000, 0 + 100])
    np.testing.assert_array_equal(terms.totals(Resource.ENERGY, columns), [10, 1])
    np.testing.assert_array_equal(terms.totals(Resource.DRAM, columns), [0, 0])


def test_pairs_of_tied_layers_are_their_own() -> None:
    choices = np.array([0, 2])
    tables = {(0, 1): TABLE, (1, 2): TABLE}
    np.testing.assert_array_equal(within_group(tables, (0, 1), choices), [0, 22])
    np.testing.assert_array_equal(within_group(tables, (0, 1, 2), choices), [0, 44])
    np.testing.assert_array_equal(within_group(tables, (0,), choices), [0, 0])


def test_links_are_cut_to_what_groups_may_have_and_turned_to_their_order() -> None:
    usable = [np.array([1]), np.array([0, 2])]
    links = between_groups({(0, 1): TABLE, (1, 2): TABLE}, [(0, 2), (1,)], usable, LAYERS)
    # (0, 1) is group 0 before 1, (1, 2) the other way round.
    np.testing.assert_array_equal(links[0], [[10 + 1, 12 + 21]])
    assert between_groups({}, [(0,), (1,), (2,)], [usable[0]] * 3, LAYERS) == [None, None]


def test_pairs_that_ties_tear_apart_are_refused() -> None:
    every = [np.arange(3)] * 3
    with pytest.raises(
        UserError, match=r"pair of body and tail.*one after the other, but ties put"
    ):
        between_groups({(1, 2): TABLE}, [(1,), (0,), (2,)], every, LAYERS)


def test_objectives_without_a_link_add_nothing() -> None:
    links = stacked([[TABLE, None], [None, None]])
    assert links[1] is None
    assert links[0] is not None
    np.testing.assert_array_equal(links[0][..., 0], TABLE)
    np.testing.assert_array_equal(links[0][..., 1], 0 * TABLE)
