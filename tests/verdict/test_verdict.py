"""The table of a verdict, which is made when it is asked for."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd

import diffcompare as dc

COLUMNS = ["point", "component", "claimed", "certified", "difference", "ulps", "relative", "threshold", "status"]


def judged() -> dc.Verdict:
    return dc.check_gradient(lambda x: np.sum(x**2), lambda x: 2 * x, [3.0, 4.0])


def test_the_table_is_made_once() -> None:
    verdict = judged()
    table = verdict.components
    assert isinstance(table, pd.DataFrame)
    assert verdict.components is table
    assert [*table] == COLUMNS
    assert table["component"].tolist() == ["x[0]", "x[1]"]
    assert table["claimed"].tolist() == [6.0, 8.0]


def test_copies_have_the_table_whether_it_was_asked_for_or_not() -> None:
    table = judged().components
    for verdict in (judged(), judged()):
        for other in (pickle.loads(pickle.dumps(verdict)), copy.copy(verdict), copy.deepcopy(verdict)):
            pd.testing.assert_frame_equal(other.components, table)
            assert other.status == "consistent"
        assert verdict.components is replace(verdict, notes=("seen",)).components


def test_another_table_takes_its_place() -> None:
    verdict = judged()
    assert replace(verdict, components=verdict.components.head(1)).components["claimed"].tolist() == [6.0]
