"""The gradient is right, the mutant is wrong at the point, and the verdict sees both."""

from __future__ import annotations

import re
from collections import Counter

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings

import diffcompare as dc
from diffcompare.testing.mutations import _mutated


@pytest.fixture(scope="module")
def cases() -> list:
    found: list = []

    @settings(derandomize=True, database=None, deadline=None, max_examples=150)
    @given(dc.testing.gradients_with_bugs())
    def gather(case: object) -> None:
        found.append(case)

    gather()
    return found


# a fraction of exp(-1e9) would fill the memory: numbers stay in mpmath
DIGITS = mpmath.workdps(220)


def value(component: dc.SymbolicFunction, point: tuple[float, ...]) -> mpmath.mpf:
    """Evaluate a formula in mpmath, from its text alone."""
    scope = {name: getattr(mpmath, name) for name in ("sin", "cos", "tan", "exp", "expm1", "log", "sqrt", "cbrt")}
    scope |= {name: getattr(mpmath, name) for name in ("sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "hypot")}
    scope |= {name: getattr(mpmath, name) for name in ("asin", "acos", "atan", "atan2", "log10")}
    scope |= {"exp2": lambda x: mpmath.mpf(2) ** x, "log2": lambda x: mpmath.log(x) / mpmath.log(2)}
    scope |= {"log1p": mpmath.log1p, "cbrt": lambda x: mpmath.sign(x) * mpmath.root(abs(x), 3)}
    scope |= dict(zip(component.variables, map(mpmath.mpf, point), strict=True))
    return mpmath.mpf(eval(_LITERAL.sub(r'F("\1")', component.formula), {"F": mpmath.mpf}, scope))


_LITERAL = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?(?:e[-+]?\d+)?)")


@pytest.mark.thorough
@DIGITS
def test_mutants_differ_at_the_point_by_another_route(cases) -> None:
    for case in cases[::5]:
        exact = [value(component, case.point) for component in case.gradient.components]
        wrong = [value(component, case.point) for component in case.mutant.components]
        largest = max(map(abs, exact))
        assert max(abs(a - b) for a, b in zip(exact, wrong, strict=True)) > largest / 2**20, case


@pytest.mark.thorough
@DIGITS
def test_gradients_are_the_certified_ones(cases) -> None:
    for case in cases[1::5]:
        reference = dc.certified_gradient(case.function, case.point)
        exact = [value(component, case.point) for component in case.gradient.components]
        for certified, other in zip(reference.value, exact, strict=True):
            assert abs(float(certified) - other) <= mpmath.mpf(float(np.spacing(abs(certified)))) / 2, case


@pytest.mark.thorough
def test_the_verdict_tells_them_apart(cases) -> None:
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for case in cases[::4]:
        right[dc.check_gradient(case.function, case.gradient, case.point).status] += 1
        wrong[dc.check_gradient(case.function, case.mutant, case.point).status] += 1
    assert set(right) <= {"consistent", "inconclusive"}
    assert set(wrong) <= {"wrong", "inconclusive"}
    assert right["consistent"] > 0.9 * right.total()
    assert wrong["wrong"] > 0.9 * wrong.total()


def test_a_rounded_exponent_of_a_small_component_is_no_bug() -> None:
    # the rounding of the literal 2.3, which is not 1.3 + 1, was taken for a bug
    f = dc.parse("(1 + x**2)**(-1.3) + tan(y) + atanh(y)")

    def gradient(point: np.ndarray) -> np.ndarray:
        x, y = point
        return np.array([(-1.3) * (1 + x**2) ** (-2.3) * (x * 2), 1 / ((1 - y) * (y + 1)) + (np.tan(y) ** 2 + 1)])

    assert dc.check_gradient(f, gradient, (-6.000010793057581, -1e-08)).status in ("consistent", "inconclusive")


def test_a_bug_shows_in_floats_where_they_lose_the_derivative() -> None:
    # 6e+85 - 6e+85 + 5e+42: the floats of the right gradient are 0, and a sine for a cosine changes nothing
    point = (8.043058733543795e-87,)
    f = dc.testing.smooth_function("atan2(x, x) + sqrt(x)", {"x": (6e-87, 1e-86)})
    for start in range(0, 28, 3):
        case = _mutated(f, point, start)
        assert case.mutant(point) != case.gradient(point), case.bug


@pytest.mark.thorough
def test_a_gradient_is_an_array_of_floats(cases) -> None:
    for case in cases[::5]:
        for gradient in (case.gradient, case.mutant):
            found = gradient(np.array(case.point))
            assert (found.shape, found.dtype) == ((2,), np.float64)


@pytest.mark.thorough
def test_bugs_are_of_many_kinds_and_say_what_they_are(cases) -> None:
    words = " ".join(case.bug for case in cases)
    # which of the rarer kinds are drawn depends on what else is loaded: Hypothesis takes numbers from code
    kinds = ("in place of", "is missing", "the sign of", "the exponent of", "by its argument", "1 too large")
    assert sum(kind in words for kind in kinds) >= 4
    assert len({case.bug for case in cases}) > 40


@pytest.mark.thorough
def test_its_parts_are_shown(cases) -> None:
    for case in cases[:20]:
        again = eval(repr(case), {"diffcompare": dc})
        assert repr(again) == repr(case)
        assert np.array_equal(again.mutant(case.point), case.mutant(case.point), equal_nan=True)
