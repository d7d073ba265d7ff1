"""Finite differences of the textbook's code stay within the proven bound of the certified derivative.

Random functions of up to 6 operations, points inside their domains, steps from 1e-1 to 1e-16: the error of
``numerical_gradient``, an exact difference, is at most the column ``bound`` of the same row of ``sweep``.
"""

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import diffcompare as dc
from diffcompare.arithmetic.balls import ball, ball_function, precision
from diffcompare.arithmetic.jets import taylor_jet
from diffcompare.compare.reference import certified_partials

VARIABLES = ["x", "y"]

UNARY = ["sin", "cos", "exp", "tanh", "atan", "sinh", "cosh", "asinh", "tan", "cbrt", "log1p", "expm1"]
# where the argument leaves the domain: the same function of a safe argument
PARTIAL = {
    "sqrt": "sqrt(1 + ({0})**2)",
    "log": "log(1 + ({0})**2)",
    "log2": "log2(2 + cos({0}))",
    "asin": "asin(sin({0})/2)",
    "acos": "acos(cos({0})/2)",
    "atanh": "atanh(tanh({0})/2)",
    "acosh": "acosh(2 + ({0})**2)",
}
BINARY = ["({0}) + ({1})", "({0}) - ({1})", "({0})*({1})", "({0})/({1})", "hypot({0}, {1})", "atan2({0}, {1})"]


@dataclass(frozen=True)
class Case:
    function: dc.SymbolicFunction
    point: list[float]
    h: float


def _smooth_there(text: str, point: list[float], h: float) -> bool:
    """Tell whether f is provably analytic on the box x ± h, y ± h."""
    f = dc.parse(text, variables=VARIABLES)
    with precision(64):
        hulls = [ball(x).union(ball(x) + 1.01 * h).union(ball(x) - 1.01 * h) for x in point]
        finite = ball_function(f.program)(*hulls)[0].is_finite()
    return finite and all(taylor_jet(f.program, hulls, i, order=1)[1].is_finite() for i in range(2))


coordinates = st.one_of(
    st.floats(-3, 3),
    st.sampled_from([0.0, -0.0, 1.0, -2.0, 0.5, 1.0 + 2.0**-52, 2.0 - 2.0**-52, 1e-300, 5e-324, 1024.0, -1e5]),
    st.integers(-9, 9).map(float),
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a function of up to 6 operations, a point inside its domain and a step that stays there."""
    point = [draw(coordinates), draw(coordinates)]
    h = draw(st.sampled_from([float(f"1e-{k}") for k in range(1, 17)] + [3e-5, 2.0**-20, 0.07]))
    pool = ["x", "y", repr(draw(st.sampled_from([2, 0.1, 3.5, 7])))]
    for _ in range(draw(st.integers(1, 6))):
        argument = pool[draw(st.integers(0, len(pool) - 1))]
        kind = draw(st.integers(0, 2))
        if kind == 0:
            text = f"{draw(st.sampled_from(UNARY))}({argument})"
        elif kind == 1:
            name = draw(st.sampled_from(sorted(PARTIAL)))
            text = f"{name}({argument})"
            if not _smooth_there(text, point, h):
                text = PARTIAL[name].format(argument)
        else:
            other = pool[draw(st.integers(0, len(pool) - 1))]
            text = draw(st.sampled_from(BINARY)).format(argument, other)
        if not _smooth_there(text, point, h):
            text = f"sin({argument})"
        pool.append(text)
    return Case(dc.parse(pool[-1], variables=VARIABLES), point, h)


def check(case: Case, counts: Counter[str], *, difference, derivative) -> None:
    table = dc.sweep(case.function, case.point, steps=[case.h]).set_index(["scheme", "variable"])
    for scheme in ("forward", "backward", "central"):
        numeric = difference(case.function, case.point, case.h, scheme)
        for i, variable in enumerate(VARIABLES):
            partial = derivative(case.function, case.point, i)
            bound = table.loc[(scheme, variable), "bound"]
            if partial.status != "ok" or np.isnan(bound):
                counts["without a bound"] += 1
                continue
            counts["bounded"] += 1
            error = abs(Fraction(float(numeric[i])) - Fraction(partial.value) - Fraction(partial.tail))
            assert error <= Fraction(float(bound)) + Fraction(partial.slack), (
                f"{scheme} difference of {case.function.formula} in {variable} at {case.point}, h={case.h}: "
                f"error {float(error)} exceeds the bound {float(bound)}"
            )


def certified(f, point, i):
    return certified_partials(f, point, bits=160, indices=[i])[0]


def numerical(f, point, h, scheme):
    return dc.numerical_gradient(f, point, h, scheme=scheme)


def run(examples: int, **sides) -> Counter[str]:
    counts: Counter[str] = Counter()

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    def law(case: Case) -> None:
        check(case, counts, **sides)

    law()
    return counts


def test_differences_stay_within_the_proven_bound():
    counts = run(300, difference=numerical, derivative=certified)
    assert counts["bounded"] > 1000
    assert counts["without a bound"] < 0.2 * counts.total()


def _central_divided_by_h(f, point, h, scheme):
    return numerical(f, point, h, scheme) * (2 if scheme == "central" else 1)


def _forward_to_the_left(f, point, h, scheme):
    # f(x − h) where f(x + h) is meant
    return -numerical(f, point, h, "backward") if scheme == "forward" else numerical(f, point, h, scheme)


def _sine_with_the_wrong_sign(f, point, i):
    wrong = dc.parse(f.formula.replace("sin(", "(-1)*sin(").replace("a(-1)*sin(", "asin("), variables=VARIABLES)
    return certified(wrong, point, i)


@pytest.mark.parametrize(
    "sides",
    [
        {"difference": _central_divided_by_h, "derivative": certified},
        {"difference": _forward_to_the_left, "derivative": certified},
        {"difference": numerical, "derivative": _sine_with_the_wrong_sign},
    ],
    ids=["central divided by h", "forward with f(x - h)", "derivative of sine with the wrong sign"],
)
def test_a_wrong_twin_is_caught(sides):
    with pytest.raises(AssertionError, match="exceeds the bound"):
        run(300, **sides)


def test_the_bound_is_not_idle():
    """On sin at 1 the bound is within a hundredth of the error where truncation dominates."""
    (row,) = dc.sweep(dc.parse("sin(x)"), 1.0, schemes="central", steps=[1e-2]).itertuples()
    assert row.abs_error <= row.bound <= 1.01 * row.abs_error
