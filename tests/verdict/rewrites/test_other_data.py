"""What is right beside the user's data alone is so by chance."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import diffcompare as dc
from diffcompare.verdict.causes.point import Nearby
from diffcompare.verdict.problem import Problem
from diffcompare.verdict.rewrites.other_data import OtherData

HALF, TWICE = 0.5, 2.0
FIRST, SECOND, SUM = 0.3, 0.4, 0.7
ROOT = float(np.sqrt(2 * np.pi))
X = np.array([[0.3, 1.7], [2.5, -0.4], [1.0, 0.0]])
X.flags.writeable = False
AT = np.array([0.7, -1.3])


class Spring:
    """An energy with a stiffness and a wave."""

    def __init__(self, stiffness: float, wave: float, *, from_table: bool = False) -> None:
        self.stiffness = stiffness
        self.wave = wave
        self.from_table = from_table
        self.table = {"stiffness": stiffness, "wave": wave}

    def energy(self, w: Any) -> Any:
        return np.sum(self.stiffness * w**2 + self.wave * np.sin(w) ** 2)

    def slopes(self, w: Any) -> Any:
        if self.from_table:
            return 2 * self.table["stiffness"] * w + 2 * self.table["wave"] * np.sin(w) * np.cos(w)
        return 2 * self.stiffness * w + self.wave * np.sin(w) * np.cos(w)


def f(w: Any) -> Any:
    return HALF * np.sum((X @ w) ** 2) / ROOT


def right(w: Any) -> Any:
    return 2 * HALF * X.T @ (X @ w) / ROOT


def by_chance(w: Any) -> Any:
    return X.T @ (X @ w) / ROOT


def wrong(w: Any) -> Any:
    return HALF * X.T @ (X @ w) / ROOT


def bound(half: Any, w: Any, *, data: Any = X) -> Any:
    return 2 * half * data.T @ (data @ w) / ROOT


def with_default(w: Any, half: Any = (0.5, 3)) -> Any:
    return 2 * half[0] * X.T @ (X @ w) / ROOT


def closed_over() -> Callable[[Any], Any]:
    half, others = 0.5, [X, {"root": ROOT}]
    return lambda w: 2 * half * others[0].T @ (others[0] @ w) / others[1]["root"]


def with_its_own(w: Any) -> Any:
    return TWICE * HALF * X.T @ (X @ w) / ROOT


def other_data(function: Any, gradient: Any, true: Any, what: str = "gradient") -> OtherData:
    certified, claimed = np.ravel(true(AT)), np.ravel(gradient(AT))
    here = Nearby(AT, claimed, certified, np.zeros(certified.size), None, (), ())
    outputs = np.size(function(AT))
    return OtherData(
        Problem(function, gradient, AT, np.copy, np.ravel, ("",) * certified.size, what=what, outputs=outputs), here
    )


@pytest.mark.parametrize(
    ("gradient", "told"),
    [
        (right, True),
        (functools.partial(bound, 0.5), True),
        (with_default, True),
        (closed_over(), True),
        (with_its_own, True),
        (by_chance, False),
        (wrong, False),
    ],
)
def test_what_is_right_by_chance_is_wrong_beside_other_data(gradient: Any, told: bool) -> None:
    before, half = X.copy(), HALF
    other = other_data(f, wrong, right)
    assert other.is_right(gradient) is told
    # and once more, as the user's data are put back
    assert other.is_right(gradient) is told
    assert np.array_equal(X, before)
    assert half == HALF
    assert not X.flags.writeable
    assert with_default.__defaults__ == ((0.5, 3),)
    if isinstance(gradient, functools.partial):
        assert gradient.args == (0.5,)
        assert gradient.keywords == {}


def test_a_matrix_of_derivatives_is_compared_along_directions() -> None:
    jacobian = other_data(lambda w: HALF * (X @ w) ** 2, lambda w: (X @ w)[:, None] * X * HALF,
                          lambda w: 2 * HALF * (X @ w)[:, None] * X, "Jacobian")  # fmt: skip
    assert jacobian.is_right(lambda w: 2 * HALF * (X @ w)[:, None] * X) is True
    assert jacobian.is_right(lambda w: (X @ w)[:, None] * X) is False
    hessian = other_data(lambda w: HALF * np.sum(w**4), lambda w: HALF * np.diag(w**2),
                         lambda w: 12 * HALF * np.diag(w**2), "Hessian")  # fmt: skip
    assert hessian.is_right(lambda w: 12 * HALF * np.diag(w**2)) is True
    assert hessian.is_right(lambda w: 6 * np.diag(w**2)) is False


def test_where_other_data_tell_nothing_nothing_is_told() -> None:
    # no data
    assert other_data(lambda w: np.sum(w**2), lambda w: w, lambda w: 2 * w).is_right(lambda w: 2 * w) is None
    # a kink between the points of the differences
    kink = other_data(lambda w: HALF * np.sum(np.abs(w - AT - 1e-5)), lambda w: 2 * w, lambda w: HALF * np.sign(w - 9))
    assert kink.is_right(lambda w: HALF * np.sign(w - AT - 1e-5)) is None


def test_data_that_were_made_of_one_another_are_found_out() -> None:
    other = other_data(lambda w: SUM * np.sum(w**3), lambda w: SUM * w, lambda w: 3 * SUM * w**2)
    for _ in range(4):
        assert other.tells
        assert other.is_right(lambda w: 3 * (FIRST + SECOND) * w**2) is False
    assert not other.tells
    assert other.is_right(lambda w: 3 * SUM * w**2) is True
    assert other.tells


def test_a_number_of_the_users_that_is_half_is_not_taken_for_a_missing_factor() -> None:
    spring = Spring(0.5, -0.05)
    v = dc.check_gradient(spring.energy, spring.slopes, AT)
    assert v.status == "wrong"
    # it is half in each component alike
    assert v.cause == "the factor 2 is missing in self.wave * np.sin(w) * np.cos(w)"


def test_a_mistake_is_not_made_good_by_the_other_branch() -> None:
    spring = Spring(0.3, 0.7)
    v = dc.check_gradient(spring.energy, spring.slopes, AT)
    assert v.status == "wrong"
    assert "from_table" not in v.cause
    assert "condition" not in v.cause
    assert "2" in v.cause
