"""Where a stencil leaves the domain: the search over nested hulls against every abscissa looked at by itself."""

from fractions import Fraction

import flint
import numpy as np
import pytest

import diffcompare as dc
from diffcompare.arithmetic import domain
from diffcompare.arithmetic.balls import precision
from diffcompare.arithmetic.domain import certainly_inside, undefined_steps
from diffcompare.arithmetic.one_sided import is_defined
from diffcompare.numeric.steps import geometric_steps

STENCILS = [(1, 0), (0, -1), (1, -1)]
STEPS = geometric_steps(10.0, 1e-16, per_decade=2)


def closed(low, high):
    return lambda t: (low is None or t >= low) and (high is None or t <= high)


def positive(t):
    return t > 0


CASES = [  # formula, point, the domain of t ↦ F(t) by hand
    ("log(x)", 0.5, positive),
    ("log(x)", 1e-10, positive),
    ("log(x)", 5e-324, positive),
    ("sqrt(x)", 0.5, closed(0, None)),
    ("sqrt(x)", 1.0, closed(0, None)),
    ("sqrt(x)", 0.1, closed(0, None)),
    ("asin(x)", 0.9, closed(-1, 1)),
    ("asin(x)", -0.999, closed(-1, 1)),
    ("acosh(x)", 1.001, closed(1, None)),
    ("atanh(x)", 0.9, lambda t: -1 < t < 1),
    ("1/x", 0.1, lambda t: t != 0),
    ("1/x", -1.0, lambda t: t != 0),
    ("1/(x - 1/3)", 1 / 3, lambda t: t != Fraction(1, 3)),
    ("x**-2", 0.001, lambda t: t != 0),
    ("x**0.5", 0.01, closed(0, None)),
    ("x**-0.5", 0.01, positive),
    ("sign(log(x))", 0.5, positive),
    ("abs(sign(sqrt(x)))", 0.5, closed(0, None)),
    ("atan2(x, y)", 1.0, lambda t: t != 0),
    ("where(x > 0, x, sqrt(-x - 1))", 0.5, lambda t: t > 0 or t <= -1),
    ("where(x > 0, log(x), 3)", 0.5, lambda t: True),
    ("log1p(x) + sqrt(1 - x)", 0.3, lambda t: -1 < t <= 1),
    ("exp(x)/(x**2 + 1)", 0.3, lambda t: True),
]


@pytest.mark.parametrize(("text", "point", "domain"), CASES, ids=[f"{c[0]} @ {c[1]}" for c in CASES])
def test_flags_are_those_of_every_abscissa(text, point, domain):
    program = dc.parse(text, variables=["x", "y"]).program
    with precision(160):
        found = undefined_steps(program, [point, 0.0], 0, STEPS, STENCILS)
    expected = np.zeros((len(STENCILS), len(STEPS)), dtype=bool)
    for s, stencil in enumerate(STENCILS):
        for k, h in enumerate(STEPS.tolist()):
            nominal = [Fraction(point) + o * Fraction(h) for o in stencil]
            rounded = [Fraction(point + o * h) for o in stencil]
            expected[s, k] = not all(domain(t) for t in [*nominal, *rounded])
    outside, unknown = (np.zeros_like(expected), np.zeros_like(expected)) if found is None else found
    assert outside.tolist() == expected.tolist()
    assert not unknown.any()


def test_a_step_at_the_very_edge_is_decided_exactly():
    program = dc.parse("sqrt(x)").program
    steps = np.array([np.nextafter(0.5, 1), 0.5, np.nextafter(0.5, 0)])
    with precision(160):
        outside, unknown = undefined_steps(program, [0.5], 0, steps, STENCILS)
    assert outside.tolist() == [[False] * 3, [True, False, False], [True, False, False]]
    assert not unknown.any()


def test_the_nominal_abscissa_counts_where_the_rounded_one_is_inside():
    # 1 − 2⁻⁵⁴ rounds to 1 and 1 + 2⁻⁵⁴ too: asin is defined at 1 but not at the nominal abscissa beyond it
    program = dc.parse("asin(x)").program
    with precision(160):
        outside, _ = undefined_steps(program, [1.0], 0, np.array([2.0**-54]), STENCILS)
    assert outside.tolist() == [[True], [False], [True]]


def test_the_rounded_abscissa_counts_where_the_nominal_one_is_inside():
    # 1/3 is no float: the nominal abscissa of a function with a pole at a float
    program = dc.parse("1/(x - 1)").program
    with precision(160):
        outside, _ = undefined_steps(program, [1 - 2.0**-53], 0, np.array([1.5 * 2.0**-54]), STENCILS)
    assert (1 - 2.0**-53) + 1.5 * 2.0**-54 == 1.0
    assert outside.tolist() == [[True], [False], [True]]


def test_where_all_is_inside_there_are_no_flags():
    with precision(160):
        assert undefined_steps(dc.parse("sin(x)").program, [0.5], 0, STEPS, STENCILS) is None


def test_other_variables_stay_where_they_are():
    program = dc.parse("log(x)*sqrt(y)").program
    with precision(160):
        along_x = undefined_steps(program, [0.5, 0.0], 0, np.array([1.0, 0.25]), STENCILS)
        along_y = undefined_steps(program, [0.5, 4.0], 1, np.array([5.0, 0.25]), STENCILS)
    assert along_x[0].tolist() == [[False, False], [True, False], [True, False]]
    assert along_y[0].tolist() == [[False, False], [True, False], [True, False]]


def test_what_cannot_be_told_is_said_to_be_unknown():
    # the argument of log is 0 identically, which balls cannot prove
    program = dc.parse("log(sin(x)**2 + cos(x)**2 - 1)").program
    with precision(160):
        outside, unknown = undefined_steps(program, [0.7], 0, np.array([0.1]), STENCILS)
    assert unknown.all()
    assert not outside.any()


def test_few_abscissae_that_stay_unknown_get_a_high_precision(monkeypatch):
    # the argument of log is 0 identically: nothing decides it at any precision, at none of 96 abscissae
    program = dc.parse("log(sin(x)**2 + cos(x)**2 - 1)").program
    bits = []
    monkeypatch.setattr(domain, "is_defined", lambda *at: bits.append(flint.ctx.prec) or is_defined(*at))
    with precision(160):
        outside, unknown = undefined_steps(program, [0.7], 0, 0.1 / np.arange(1, 33), STENCILS)
    assert unknown.all()
    assert not outside.any()
    assert sum(each > 128 for each in bits) <= 16
    assert len(bits) <= 200


def test_steps_that_collapse_are_looked_at_once(monkeypatch):
    program = dc.parse("log(x)*sqrt(y)").program
    asked = []
    monkeypatch.setattr(domain, "is_defined", lambda f, at: asked.append(at[1].str(40)) or is_defined(f, at))
    with precision(160):
        outside, unknown = undefined_steps(program, [0.5, -(2.0**60)], 1, 0.1 / np.arange(1, 33), STENCILS)
    assert outside.all()
    assert not unknown.any()
    assert len(asked) == 1


@pytest.mark.parametrize("text", sorted({text for text, *_ in CASES}))
def test_what_one_enclosure_shows_of_many_points_each_of_them_shows(text):
    program, steps = dc.parse(text, variables=["x", "y"]).program, geometric_steps(0.5, 1e-3, per_decade=1)
    points = np.column_stack([np.linspace(-1.5, 1.5, 60), np.zeros(60)])[::-1].copy()
    for scheme in STENCILS:
        offsets = sorted({Fraction(0), *map(Fraction, scheme)})
        abscissae = {o: points[:, :1] + float(o) * steps for o in offsets}
        inside = certainly_inside(program, points, 0, float(steps[0]), abscissae)
        with precision(160):
            found = [
                undefined_steps(program, point, 0, steps, [tuple(offsets)], {o: a[p] for o, a in abscissae.items()})
                for p, point in enumerate(points.tolist())
            ]
        assert all(found[p] is None for p in np.flatnonzero(inside))


def test_few_points_and_many_variables_are_left_to_each_point():
    smooth = dc.parse("exp(x)").program
    for count, proven in ((7, False), (8, True)):
        points = np.linspace(0.0, 1.0, count)[:, None]
        assert certainly_inside(smooth, points, 0, 0.1, {Fraction(0): points, Fraction(1): points}).tolist() == (
            [proven] * count
        )
    # next to the edge few remain together
    points = np.linspace(-2.0, 2.0, 200)[::-1, None].copy()
    shown = certainly_inside(
        dc.parse("log(x)").program, points, 0, 0.1, {Fraction(-1): points - 0.1, Fraction(1): points}
    )
    assert 80 < shown.sum() < 100
    wide = dc.trace(lambda x: np.sum(x**2), (8,)).program
    points = np.ones((20, 8))
    assert not certainly_inside(wide, points, 0, 0.1, {Fraction(0): points[:, :1], Fraction(1): points[:, :1]}).any()
