"""Taylor series over ranges, at places where there is none, and where what does not move may stand on an edge."""

from __future__ import annotations

import mpmath
import pytest

import diffcompare as dc
from diffcompare.arithmetic.balls import ball, ball_function, precision
from diffcompare.arithmetic.jets import taylor_jet

WIDE = ball(-0.5).union(ball(0.5))


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


@pytest.mark.parametrize("text", ["tanh(x)", "sinh(x)", "cosh(x)", "abs(1 + x**2)", "1/(1 + x**4)", "(2 + x)**-3"])
def test_the_jet_of_a_range_contains_the_jets_of_its_points(text: str) -> None:
    # tanh was nan here: a wide head less itself is not 0
    wide = taylor_jet(dc.parse(text).program, [WIDE], 0, order=3, bits=64)
    for x in (-0.5, -0.25, 0.0, 0.375, 0.5):
        scope = {"x": None, **{name: getattr(mpmath, name) for name in ("tanh", "sinh", "cosh")}}
        with mpmath.workdps(40):
            expected = mpmath.taylor(lambda t: eval(text, scope | {"x": t}), x, 3)  # noqa: B023 - called at once
        assert all(c.contains(ball(float(value))) for c, value in zip(wide, expected, strict=True)), (x, wide)
    assert all(c.is_finite() for c in wide)


@pytest.mark.parametrize("text", ["abs(1 + x**2)", "1/(1 + x**2)", "x**5", "tanh(x)", "cosh(x)/sinh(1 + x)", "x**0"])
def test_along_a_variable_that_does_not_occur_only_the_value_is_left(text: str) -> None:
    # x² was nan: flint's power of a ball with midpoint 0
    program = dc.parse(text, variables=["x", "y"]).program
    head, *others = taylor_jet(program, [WIDE, WIDE], 1, order=2, bits=64)
    with precision(64):
        (value,) = ball_function(program)(WIDE, WIDE)
    assert head.is_finite()
    assert head.overlaps(value)
    assert all(c.is_zero() for c in others)


def test_there_is_no_jet_at_a_pole() -> None:
    for x in (0.0, WIDE):
        for direction in (0, 1):
            jet = taylor_jet(dc.parse("x**-2", variables=["x", "y"]).program, [x, 1.0], direction, order=2)
            assert not jet[0].is_finite()


@pytest.mark.parametrize("text", ["floor(x)", "ceil(x)"])
def test_where_a_step_jumps_there_is_no_series(text: str) -> None:
    assert all(c.is_nan() for c in taylor_jet(dc.parse(text).program, [2.0], 0, order=2))
    assert [float(c) for c in taylor_jet(dc.parse(text).program, [2.5], 0, order=2)][1:] == [0.0, 0.0]
