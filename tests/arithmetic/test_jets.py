"""Taylor series at places where there is none, and where what does not move may stand on an edge."""

from __future__ import annotations

import pytest

import diffcompare as dc
from diffcompare.arithmetic.jets import taylor_jet


@pytest.mark.parametrize(
    "text", ["where(x < 1, x, x**2)", "where(x <= 1, x, x)", "where(Eq(x, 1), 2, x)", "max(x, 1)", "min(x**2, 2 - x)"]
)
def test_exactly_on_a_switch_that_moves_there_is_no_series(text: str) -> None:
    # each side has a series of its own: none of them is that of the function
    assert all(c.is_nan() for c in taylor_jet(dc.parse(text).program, [1.0], 0, order=3))
    assert all(c.is_finite() for c in taylor_jet(dc.parse(text).program, [1.0 - 2.0**-52], 0, order=3))


def test_a_switch_that_is_at_rest_has_its_answer() -> None:
    f = dc.parse("where(y < 1, x, x**2)", variables=["x", "y"])
    assert [float(c) for c in taylor_jet(f.program, [3.0, 1.0], 0, order=3)] == [9.0, 6.0, 1.0, 0.0]
