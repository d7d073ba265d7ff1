"""Small steps: what one Taylor polynomial says of all of them is what balls say of each."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

import diffcompare as dc
from diffcompare.numeric.stencils import check_schemes
from diffcompare.sweeps import series_parts, split
from diffcompare.sweeps.expansions import DEGREE, expansions
from diffcompare.sweeps.subject import Grid

STEPS = dc.geometric_steps(1e-1, 1e-17)
PARTS = ["truncation", "abscissa", "evaluation"]
FORMULAS = {
    "exp(x)/(1 + x**2)": (lambda x: mpmath.exp(x) / (1 + x * x), [0.3, -2.0, 1e-9]),
    "x**3 - 2*x": (lambda x: x**3 - 2 * x, [0.0, 0.7, 2.0]),
    "sin(x)": (mpmath.sin, [0.0, 1.0, 1e5]),
    "log(1 + exp(-x))": (lambda x: mpmath.log(1 + mpmath.exp(-x)), [0.5, 30.0]),
    "sqrt(x)": (mpmath.sqrt, [1e-9, 2.0, 1e10]),
    "abs(x)*x": (lambda x: abs(x) * x, [0.0, 1e-3]),
}


@pytest.mark.mostly_thorough(but_each=5)
@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize(
    "options",
    [
        {"schemes": ("forward", "backward", "central", "central4", "[0, 1/3, 1]")},
        {"schemes": "central", "derivative": 2},
        {"schemes": "central", "dtype": "float32"},
    ],
)
def test_the_parts_are_those_of_each_step_alone(text, options, monkeypatch) -> None:
    _, points = FORMULAS[text]
    options = {"steps": STEPS, "bounds": False, **options}
    fast = dc.sweep(dc.parse(text), points, **options)
    monkeypatch.setattr(split, "series_parts", lambda grid, *_: {name: np.full(grid.shape, np.nan) for name in PARTS})
    slow = dc.sweep(dc.parse(text), points, **options)
    for name in PARTS:
        assert fast[name].to_numpy().tobytes() == slow[name].to_numpy().tobytes(), name


def decided(monkeypatch, text: str, points: list[float]) -> list[float]:
    """Return the share of steps that the expansions decide, of each part."""
    known = []
    original = split.series_parts

    def watched(grid, evaluations, taylor, rows):
        found = original(grid, evaluations, taylor, rows)
        known.extend(np.mean(~np.isnan(part[rows])) for part in found.values())
        return found

    monkeypatch.setattr(split, "series_parts", watched)
    dc.sweep(dc.parse(text), points, steps=STEPS)
    return known


def test_most_small_steps_are_decided(monkeypatch) -> None:
    assert min(decided(monkeypatch, "exp(x)/(1 + x**2)", [0.3, -2.0, 7.0])) > 0.8


@pytest.mark.parametrize("order", [1, 2, 4])
def test_a_power_of_a_step_times_a_series_is_known_to_its_bound_where_it_underflows_too(order) -> None:
    step = np.array([0.1, 1e-5, 2.0**-300, 2.0**-600]), np.array([1e-18, -1e-22, 2.0**-360, 2.0**-655])
    series, doubt = (np.full(4, 1 / 3), np.full(4, 1e-17)), np.zeros(4)
    (high, low), bound = series_parts._leading(step, order, series, doubt)
    for h, rest, a, b, most in zip(*step, high, low, bound, strict=True):
        exact = (Fraction(h) + Fraction(rest)) ** order * (Fraction(1 / 3) + Fraction(1e-17))
        assert abs(Fraction(a) + Fraction(b) - exact) <= Fraction(most)


def test_gaps_whose_products_are_no_normal_numbers_are_left_to_each_step(monkeypatch) -> None:
    # x + h and h are one float, and 1e-290 apart
    assert decided(monkeypatch, "exp(x)", [1e-290]) == [0.0] * 3


@pytest.mark.parametrize("text", FORMULAS)
def test_an_expansion_holds_at_its_rim(text) -> None:
    f, points = FORMULAS[text]
    grid = Grid(dc.parse(text), np.array(points)[:, None], check_schemes("central"), STEPS, [0])
    taylor = expansions(grid, np.ones(grid.shape, dtype=bool))
    # no expansion at a corner
    assert taylor.found[:, 0].tolist() == [not (text.startswith("abs") and x == 0) for x in points]
    with mpmath.workdps(80):
        for p in np.flatnonzero(taylor.found[:, 0]).tolist():
            radius, unit = taylor.radius[p, 0], taylor.unit[p, 0]
            for t in (-1.0, 0.5, 1.0):
                terms = [
                    mpmath.mpf(a) + mpmath.mpf(b) for a, b in zip(taylor.high[p, 0], taylor.low[p, 0], strict=True)
                ]
                value = sum(term * mpmath.mpf(t) ** n for n, term in enumerate(terms)) + mpmath.mpf(
                    taylor.constant[p, 0]
                )
                left = abs(f(mpmath.mpf(points[p]) + t * mpmath.mpf(radius)) / mpmath.mpf(unit) - value)
                doubt = sum(mpmath.mpf(d) * abs(t) ** n for n, d in enumerate(taylor.doubt[p, 0]))
                assert left <= doubt + mpmath.mpf(taylor.remainder[p, 0]) * abs(t) ** (DEGREE + 1)
