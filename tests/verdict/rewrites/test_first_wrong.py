"""The first wrong value of a recursion, and what is wrong in the line that gives it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.verdict.rewrites.first_wrong import Known, Watch
from diffcompare.verdict.rewrites.search import Rewriting

Y = np.cumsum(np.random.default_rng(5).normal(size=16))
AT = [-1.2, -0.2]


def level(theta: Any) -> Any:
    q, r = np.exp(theta)
    a, P, nll = 0.0, 10.0, 0.0
    for obs in Y:
        S = P + r
        v = obs - a
        nll = nll + 0.5 * (np.log(S) + v**2 / S)
        K = P / S
        a = a + K * v
        P = P * (1 - K) + q
    return nll


def no_gain(theta: Any) -> Any:
    q, r = np.exp(theta)
    dq, dr = np.array([q, 0.0]), np.array([0.0, r])
    a, P = 0.0, 10.0
    da, dP, grad = np.zeros(2), np.zeros(2), np.zeros(2)
    for obs in Y:
        S = P + r
        dS = dP + dr
        v = obs - a
        grad += 0.5 * (dS / S - 2 * v * da / S - v**2 * dS / S**2)
        K = P / S
        dK = (dP * S - P * dS) / S**2
        a = a + K * v
        da = da + dK * v
        dP = dP * (1 - K) - P * dK + dq
        P = P * (1 - K) + q
    return grad


def half(theta: Any) -> Any:
    q, r = np.exp(theta)
    dq, dr = np.array([q, 0.0]), np.array([0.0, r])
    a, P = 0.0, 10.0
    da, dP, grad = np.zeros(2), np.zeros(2), np.zeros(2)
    for obs in Y:
        S = P + r
        dS = dP + dr
        v = obs - a
        grad += 0.5 * (dS / S - v * da / S - v**2 * dS / S**2)
        K = P / S
        dK = (dP * S - P * dS) / S**2
        a = a + K * v
        da = da + dK * v - K * da
        dP = dP * (1 - K) - P * dK + dq
        P = P * (1 - K) + q
    return grad


@pytest.mark.parametrize(
    ("gradient", "text", "message"),
    [(no_gain, "da", "the factor 1 - K is missing"), (half, "v * da / S", "this is half of what it should be")],
)
def test_what_is_missing_is_found_in_the_line_of_the_first_wrong_value(
    gradient: Any, text: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # no other line may be tried
    for name in ("usual", "missing", "rare"):
        whole = getattr(Rewriting, name)
        monkeypatch.setattr(Rewriting, name, lambda some, whole=whole: None if some.line is None else whole(some))
    marks = [one for one in dc.check_gradient(level, gradient, AT).marks if one.role == "gradient"]
    assert [(one.text, one.message) for one in marks] == [(text, message)]


def test_what_is_known_is_so_to_nine_digits_and_up_to_its_sign() -> None:
    known = Known(np.array([0.5, 2.0]))
    assert known.has(np.array([-2.0, 0.0, 0.5]))
    assert known.has(2.0 * (1 + 1e-10))
    assert known.has(2.0 * (1 + 1e-7)) is False
    assert known.has(np.array([2.0, 0.7])) is False
    assert known.has(9.0) is False
    assert known.has(1e-300) is False
    assert [known.has(value) for value in (0.0, 3, "a", np.zeros(2), np.array([], float))] == [None] * 5


def test_a_watch_ends_what_is_wrong_at_its_time_alone() -> None:
    watch = Watch(Known(np.array([1.0])), 2, on=True)
    watch(3.0)
    with pytest.raises(ArithmeticError):
        watch(3.0)
    watch(3.0)
    watch = Watch(Known(np.array([1.0])), 1)
    watch(3.0)
