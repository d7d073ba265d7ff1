"""What a value must be where the gradient is affine in it, and lines that are missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.verdict.causes.point import Nearby
from diffcompare.verdict.rewrites.insertions import Probe
from diffcompare.verdict.rewrites.needed import Direct, Needed, needed

TURN = np.array([[0.3, -1.2], [0.7, 0.4]])
VALUES = [np.array([0.5, -0.8]), np.array([1.5, 0.25])]
RIGHT = [np.array([0.1, 2.0]), np.array([-0.3, 0.75])]


def asked(of: Any) -> Needed | Direct | None:
    """What two values must be in a gradient of them."""
    probe = Probe({})
    for value in VALUES:
        probe(value, {})
    claimed, certified = of(*VALUES), of(*RIGHT)
    here = Nearby(np.zeros(2), claimed, certified, np.zeros(2), None, (), ())
    return needed(probe, lambda: of(*(probe(value, {}) for value in VALUES)), here, 10)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_sums_tell_what_the_values_must_be_at_all_times(scale: float) -> None:
    wanted = asked(lambda first, second: scale * (TURN @ first + 3 * second))
    assert wanted is not None
    rows = np.array([np.concatenate(some) for some in (RIGHT, VALUES, [RIGHT[0], VALUES[1]], [RIGHT[0], [np.inf, 0]])])
    assert wanted.has_rows(rows).tolist() == [True, False, False, False]


def test_of_a_recursion_what_is_added_is_told_and_not_its_multiples() -> None:
    def of(first: Any, second: Any) -> Any:
        return TURN @ first + 3 * second

    probe, added = Probe({}), np.array([0.2, -0.5])

    def run() -> Any:
        first = probe(VALUES[0], {})
        return of(first, probe(VALUES[1] + 0.5 * (first - VALUES[0]), {}))

    claimed, certified = run(), of(VALUES[0] + added, VALUES[1] + 1.5 * added)
    wanted = needed(probe, run, Nearby(np.zeros(2), claimed, certified, np.zeros(2), None, (), ()), 10)
    assert wanted is not None
    assert wanted.told == "+-"
    rows = np.array([np.concatenate([one + step for one in VALUES]) for step in (added, -added)])
    assert wanted.has_rows(rows).tolist() == [True, False]


def test_nothing_is_told_where_the_gradient_is_not_affine_or_the_elements_are_many() -> None:
    assert asked(lambda first, second: first**2 + second) is None
    probe = Probe({})
    probe(np.ones(11), {})
    here = Nearby(np.zeros(2), np.zeros(2), np.ones(2), np.zeros(2), None, (), ())
    assert needed(probe, lambda: probe(np.ones(11), {}), here, 10) is None


def test_of_elements_that_come_to_the_gradient_as_they_are_each_is_told() -> None:
    own, right = np.linspace(1.0, 2.0, 100), np.linspace(1.0, 2.0, 100) ** 2

    def told(of: Any) -> Needed | Direct | None:
        probe = Probe({})
        claimed, certified = of(probe(own, {})), of(right)
        here = Nearby(np.zeros(100), claimed, certified, np.zeros(100), None, (), ())
        return needed(probe, lambda: of(probe(own, {})), here, 10)

    wanted = told(lambda value: np.arange(100.0) - 3 * value)
    assert isinstance(wanted, Direct)
    last = np.append(right[:-1], own[-2])
    assert wanted.has_rows(np.array([right, own, last])).tolist() == [True, False, False]
    left = right - own
    rows = np.array([left / 3, -left, np.append(left[:-1], 0.5), 0 * left, np.pi * left])
    assert np.array_equal(wanted.multiples_of(rows, own), [3, -1, *[np.nan] * 3], equal_nan=True)
    # as other elements, or other than affine
    assert told(lambda value: value[::-1]) is None
    assert told(np.cumsum) is None
    assert told(np.square) is None


LOAD = np.sin(np.linspace(0.0, 3.0, 5000))
BENT = np.cos(np.linspace(0.0, 9.0, 5000))


def beam(u: Any) -> Any:
    bend = u[2:] - 2 * u[1:-1] + u[:-2]
    return 0.5 * np.sum(bend**2) / 0.01**3 - 0.01 * np.sum(LOAD * u)


def forgets_the_load(u: Any) -> Any:
    bend = (u[2:] - 2 * u[1:-1] + u[:-2]) / 0.01**3
    grad = np.zeros(5000)
    grad[2:] += bend
    grad[1:-1] -= 2 * bend
    grad[:-2] += bend
    return grad


@pytest.mark.places
def test_of_many_elements_what_is_missing_is_found() -> None:
    marks = [mark for mark in dc.check_gradient(beam, forgets_the_load, BENT).marks if mark.role == "gradient"]
    # in places near by the derivative is larger by 7 orders: what rounds there is known, and no larger than that
    assert ("np.zeros(5000)", "the term -(0.01 * LOAD) is missing") in [(mark.text, mark.message) for mark in marks]


X = np.array([[1.0, 2.0], [0.5, -1.0], [-0.3, 0.8], [1.4, 0.2]])
Y = np.array([0.2, -0.4, 0.9, 0.1])


def recurrent(p: Any) -> Any:
    h, loss = 0.1, 0.0
    for x, y in zip(X, Y, strict=True):
        h = np.tanh(p[:2] @ x + p[2] * h)
        loss += 0.5 * (p[3] * h - y) ** 2
    return loss


def forgets_a_line(p: Any) -> Any:
    states = [0.1]
    for t in range(len(X)):
        states.append(np.tanh(p[:2] @ X[t] + p[2] * states[t]))
    w = np.zeros(2)
    u = v = 0.0
    back = 0.0
    for t in range(len(X) - 1, -1, -1):
        error = p[3] * states[t + 1] - Y[t]
        v += error * states[t + 1]
        slope = (back + p[3] * error) * (1 - states[t + 1] ** 2)
        u += slope * states[t]
        back = p[2] * slope
    return np.array([*w, u, v])


@pytest.mark.places
def test_a_line_that_adds_to_what_stays_zero_is_told() -> None:
    (mark, *_) = dc.check_gradient(recurrent, forgets_a_line, [0.3, -0.2, 0.5, 0.7]).marks
    assert mark.message == "the line w += slope * X[t] is missing"
    assert mark.text == "u += slope * states[t]"


def damped(p: Any) -> Any:
    r = np.sqrt(p[0] ** 2 + p[1] ** 2)
    return np.exp(-r) * p[0]


def forgets_a_quotient(p: Any) -> Any:
    x, y = p
    r = np.sqrt(x**2 + y**2)
    e = np.exp(-r)
    return np.array([e - e * x * x / r, -e * y])


@pytest.mark.places
def test_a_factor_with_a_divisor_that_stands_nowhere_is_told() -> None:
    marks = dc.check_gradient(damped, forgets_a_quotient, [0.7, 0.4]).marks
    assert "the factor x / r is missing" in [one.message for one in marks]


def clipped(p: Any) -> Any:
    return np.sum(np.where(np.abs(p) < 1, p**2 / 2, np.abs(p) - 0.5))


def forgets_the_size(p: Any) -> Any:
    small = p < 1
    return np.where(small, p, np.sign(p))


@pytest.mark.places
def test_a_size_is_missing_in_a_condition() -> None:
    (mark, *_) = dc.check_gradient(clipped, forgets_the_size, [0.4, -1.7, 2.1, -0.2]).marks
    assert (mark.text, mark.message) == ("p", "np.abs is missing around this")


def test_multiples_are_short_numbers() -> None:
    sums = Needed(np.array([1.0, 2.0]), 3.0, stays=True)
    rows = np.array([[1.0, 0.0], [1e-300, 0.0], [0.0, 0.5], [7.0, 0.0], [2.0, -1.0], [0.0, 3.0]])
    assert np.array_equal(sums.multiples_of(rows, np.zeros(2)), [3, np.nan, 3, np.nan, np.nan, 0.5], equal_nan=True)
    # beside what makes 5 of it, 2 are too many
    assert sums.multiples_of(rows, np.array([1.0, 2.0])).tolist()[0] == -2
