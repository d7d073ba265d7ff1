"""One order from the worst to the best, for the message, the page, the notebook and the verdict's own words."""

import math

import pandas as pd

from diffcompare.tables.components import COMPONENT_STATUSES, status_rank, worst_first

NAN = math.nan


def components(*rows):
    return pd.DataFrame(rows, columns=["component", "status", "claimed", "certified", "relative"])


def names(frame):
    return worst_first(frame)["component"].tolist()


def test_the_status_counts_first_and_then_the_size_of_the_difference():
    frame = components(
        ("fine", "consistent", 1.0, 1.0, 1e-16),
        ("small", "wrong", 1.0, 1.1, 0.1),
        ("open", "inconclusive", 1.0, 9.0, 8.0),
        ("large", "wrong", 1.0, 2.0, -0.5),
    )
    assert names(frame) == ["large", "small", "open", "fine"]


def test_a_claim_that_is_no_number_is_further_off_than_any():
    frame = components(
        ("far", "wrong", 1.0, 1e9, 1e9),
        ("lost", "wrong", NAN, 1.0, NAN),
        ("infinite", "wrong", math.inf, 1.0, math.inf),
    )
    assert names(frame) == ["lost", "infinite", "far"]


def test_a_difference_that_is_not_known_comes_last_among_its_status():
    # the page had it first, the message last
    frame = components(
        ("unknown", "wrong", 1.0, NAN, NAN),
        ("relative to 0", "wrong", 1.0, 0.0, math.inf),
        ("known", "wrong", 1.0, 1.5, 0.5),
        ("nothing", "non-smooth", 1.0, NAN, NAN),
    )
    assert names(frame) == ["known", "relative to 0", "unknown", "nothing"]


def test_equal_components_keep_their_order_and_an_unknown_status_comes_last():
    frame = components(*((name, "wrong", 1.0, 2.0, 0.5) for name in "abc"), ("new", "new", 1.0, 2.0, 0.5))
    assert names(frame) == ["a", "b", "c", "new"]
    assert status_rank("new") == len(COMPONENT_STATUSES)
