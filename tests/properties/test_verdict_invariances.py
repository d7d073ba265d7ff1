"""What is said of a gradient does not depend on the sign or the size of the function, nor on that of its argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import diffcompare as dc

W = np.array([0.3, -0.2, 0.7, 1.1])
A, B = np.cos(np.arange(24.0)).reshape(6, 4), np.sin(np.arange(6.0))


def bent(w: Any) -> Any:
    return np.sum(np.tanh(A @ w - B) ** 2)


def slope(w: Any) -> Any:
    t = np.tanh(A @ w - B)
    return 2 * A.T @ (t * (1 - t**2))


def floats(values: Any) -> Any:
    """Return values in a way that no trace follows."""
    return np.array([float(repr(float(v))) for v in np.ravel(values)])


def lowest(w: Any) -> Any:
    return np.sum((w - W) ** 2) + np.exp(w[0])


Code = Callable[[Any], Any]
CASES: dict[str, tuple[Code, Code, Any]] = {
    "right": (bent, slope, W),
    "a factor": (bent, lambda w: slope(w) / 2, W),
    "a factor and a sign": (bent, lambda w: slope(w) * np.array([1, 1, -2, 1]), W),
    "a chain factor": (bent, lambda w: 2 * A.T @ np.tanh(A @ w - B), W),
    "slight": (bent, lambda w: slope(w) * (1 + 1e-9), W),
    "at a kink": (lambda x: np.sum(np.abs(x - 0.75)), lambda x: np.sign(x - 0.75), np.array([0.75, -1.25, 2.0, 0.0])),
    "floats": (bent, lambda w: floats(slope(w)), W),
    "floats, slight": (bent, lambda w: floats(slope(w) * (1 + 1e-9)), W),
    # three of the derivatives are 0 at the point
    "floats at a minimum": (lowest, lambda w: floats(2 * (w - W) + np.array([np.exp(w[0]), 1e-9, 0, 0])), W),
    "black box": (lambda w: floats(bent(w))[0], lambda w: floats(slope(w)), W),
    "black box, wrong": (lambda w: floats(bent(w))[0], lambda w: floats(slope(w) * 1.01), W),
    "arrays": (lambda x: np.sum(np.sin(x) ** 2), lambda x: np.sin(x) * np.cos(x), np.linspace(0.5, 2.0, 1200)),
}
WRONG = {"a factor", "a factor and a sign", "a chain factor", "slight", "floats, slight", "black box, wrong", "arrays"}
# factors of the function and of its argument, exact in floats
CHANGES = ((-(2.0**40), 1.0), (2.0**-40, -1.0))


def judged(name: str, size: float = 1.0, sign: float = 1.0) -> dc.Verdict:
    f, gradient, at = CASES[name]
    return dc.check_gradient(lambda x: size * f(sign * x), lambda x: size * sign * gradient(sign * x), sign * at)


@pytest.mark.parametrize("name", CASES)
def test_a_verdict_is_that_of_the_code_with_another_sign_or_size(name: str) -> None:
    plain = judged(name)
    status, threshold = (plain.components[key].to_numpy() for key in ("status", "threshold"))
    one = status == "wrong"
    assert (one[1] and one.sum() == 1) if name == "floats at a minimum" else one.any() == (name in WRONG)
    for size, sign in CHANGES:
        verdict = judged(name, size, sign)
        assert (verdict.status, verdict.evidence) == (plain.status, plain.evidence)
        assert verdict.components["status"].tolist() == status.tolist()
        assert getattr(verdict.cause, "kind", None) == getattr(plain.cause, "kind", None)
        if plain.evidence != "neighbours":
            # what neighbours scatter by is computed in floats
            assert np.array_equal(verdict.components["threshold"], abs(size) * threshold, equal_nan=True)
