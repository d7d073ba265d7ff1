"""What answers cost: how often functions of the package are called for them, counted and not timed.

A gate that lets work through that nothing needs, or a cache that keeps nothing, changes no answer. Here it is seen.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import diffcompare as dc

PACKAGE = str(Path(dc.__file__).parent)
W = [0.3, -0.2, 0.7, 1.1]
A, B = np.cos(np.arange(40.0)).reshape(10, 4), np.sin(np.arange(10.0))
DATA = np.cos(np.arange(1600.0)).reshape(400, 4)
LARGE = np.linspace(0.5, 2.0, 1200)
AT = np.array([0.75, -1.25])
FORMULA, BELL = dc.parse("x*exp(x)*y"), dc.parse("1/(1 + x**2)")


def residuals(w: Any) -> Any:
    return A @ w - B


def bent(w: Any) -> Any:
    return np.sum(np.tanh(residuals(w)) ** 2)


def bent_slope(w: Any) -> Any:
    t = np.tanh(residuals(w))
    return 2 * A.T @ (t * (1 - t**2))


def floats(values: Any) -> Any:
    """Return values in a way that no trace follows."""
    return np.array([float(repr(float(v))) for v in np.ravel(values)])


# the calls that each took when it was looked at; a quarter more is too many, unless it is meant
WORK: dict[str, tuple[int, Callable[[], Any]]] = {
    "certified, often": (2_272, lambda: [dc.certified_gradient(FORMULA, [0.3, k / 7]) for k in range(100)]),
    "by numbers": (11_192, lambda: dc.check_gradient(bent, bent_slope, W)),
    "by numbers, wrong": (14_823, lambda: dc.check_gradient(bent, lambda w: bent_slope(w) / 2, W)),
    "much data": (
        1_555,
        lambda: dc.check_gradient(
            lambda w, X: np.sum((X @ w) ** 2), lambda w, X: 2 * X.T @ (X @ w), W, args=(DATA,)
        ),
    ),
    "by arrays": (
        1_187, lambda: dc.check_gradient(lambda x: 0.15 * np.sum(x**2), lambda x: (0.1 + 0.2) * x, LARGE)
    ),
    "by arrays, wrong": (
        2_080, lambda: dc.check_gradient(lambda x: np.sum(np.sin(x) ** 2), lambda x: np.sin(x) * np.cos(x), LARGE)
    ),
    "a choice in arrays": (
        4_308,
        lambda: dc.check_gradient(
            lambda x: np.sum(np.where(x > 1, x**2, 2 * x - 1)), lambda x: np.where(x > 1, 2 * x, 2.0), LARGE
        ),
    ),
    "a kink": (2_772, lambda: dc.check_gradient(lambda x: np.sum(np.abs(x - 0.75)), lambda x: np.sign(x - 0.75), AT)),
    "floats": (39_978, lambda: dc.check_gradient(bent, lambda w: floats(bent_slope(w)), W)),
    "floats, wrong": (85_590, lambda: dc.check_gradient(bent, lambda w: floats(bent_slope(w) * (1 + 1e-6)), W)),
    "floats of arrays": (
        61_715, lambda: dc.check_gradient(lambda x: np.sum(np.sin(x) ** 2), lambda x: floats(np.sin(2 * x)), LARGE)
    ),
    "black box": (14_552, lambda: dc.check_gradient(lambda w: floats(bent(w))[0], lambda w: floats(bent_slope(w)), W)),
    "a Jacobian": (5_248, lambda: dc.check_jacobian(residuals, lambda w: A + 0 * w, W)),
    "a Hessian": (
        29_505,
        lambda: dc.check_hessian(
            lambda w: np.sum(residuals(w) ** 3), lambda w: 6 * A.T @ (residuals(w)[:, None] * A), W
        ),
    ),
    "derive": (56_963, lambda: dc.derive(bent, W)),
    "differentiate": (2_999, lambda: dc.differentiate(bent, W)),
    "sweep": (3_157, lambda: dc.sweep(BELL, [1.5, 0.25])),
    "sweep in a box": (3_206, lambda: dc.sweep(BELL, [1.5, 0.25], box=(0.0, 2.0))),
}  # fmt: skip


def calls(work: Callable[[], Any]) -> Counter[str]:
    found: Counter[str] = Counter()

    def watch(frame: Any, event: str, _: Any) -> None:
        code = frame.f_code
        # comprehensions are functions in some versions of Python
        if event == "call" and code.co_filename.startswith(PACKAGE) and not code.co_name.startswith("<"):
            found[code.co_qualname] += 1

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        work()
    finally:
        sys.setprofile(before)
    return found


@pytest.mark.parametrize("name", WORK)
def test_an_answer_takes_no_more_calls_than_it_did(name: str) -> None:
    known, work = WORK[name]
    # what is imported and kept once is no matter of the order of tests
    work()
    found = calls(work)
    assert found.total() <= 1.25 * known, found.most_common(10)
